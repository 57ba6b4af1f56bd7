"""Surfaces and emitters of the scene, as Blender materials."""

from __future__ import annotations

import bpy
import numpy as np
import textures

Colour = tuple[float, float, float]


def lacquer_material(
    name: str, colour: Colour, *, roughness: float = 0.25, metallic: float = 0.0, coat: float = 0.0
) -> bpy.types.Material:
    """A principled surface of one colour."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    shader.inputs["Coat Weight"].default_value = coat
    shader.inputs["Coat Roughness"].default_value = 0.08
    return material


def as_picture(name: str, image: textures.Image) -> bpy.types.Image:
    height, width = image.shape[:2]
    picture = bpy.data.images.new(name, width, height, float_buffer=True)
    picture.colorspace_settings.name = "Linear Rec.709"
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = image
    picture.pixels.foreach_set(rgba.ravel())
    picture.pack()
    return picture


def painted_material(name: str, image: textures.Image, *, roughness: float, coat: float) -> bpy.types.Material:
    """A principled surface with a painted texture on its UV map."""
    material = lacquer_material(name, (1, 1, 1), roughness=roughness, coat=coat)
    picture = as_picture(name, image)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = picture
    links.new(texture.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    return material


def glow_material(name: str, colour: Colour, strength: float, *, casts_light: bool = True) -> bpy.types.Material:
    """An emitter. Bulbs that only need to be seen are not sampled as lights, which keeps the picture clean."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    emission, out = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    emission.inputs["Color"].default_value = (*colour, 1)
    emission.inputs["Strength"].default_value = strength
    links.new(emission.outputs[0], out.inputs["Surface"])
    material.cycles.emission_sampling = "AUTO" if casts_light else "NONE"
    return material


def paper_material(name: str, image: textures.Image) -> bpy.types.Material:
    """Lit paper of a lantern: bright in the middle, where we look through it straight at the flame."""
    material = glow_material(name, (1, 1, 1), 1.0, casts_light=False)
    picture = as_picture(name, image)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture, facing, strength = (
        nodes.new("ShaderNodeTexImage"),
        nodes.new("ShaderNodeLayerWeight"),
        nodes.new("ShaderNodeMapRange"),
    )
    texture.image = picture
    facing.inputs["Blend"].default_value = 0.35
    strength.inputs["To Min"].default_value, strength.inputs["To Max"].default_value = 2.0, 0.75
    links.new(facing.outputs["Facing"], strength.inputs["Value"])
    emission = nodes["Emission"]
    links.new(texture.outputs["Color"], emission.inputs["Color"])
    links.new(strength.outputs["Result"], emission.inputs["Strength"])
    return material


def cobble_material() -> bpy.types.Material:
    """Rounded paving stones, every one of its own tone, joints dark, some patches damp."""
    material = lacquer_material("cobbles", (0.1, 0.1, 0.1))
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Specular IOR Level"].default_value = 0.2

    def node(kind: str, **inputs: object) -> bpy.types.Node:
        made = nodes.new(kind)
        for key, value in inputs.items():
            made.inputs[key.replace("_", " ")].default_value = value
        if hasattr(made, "voronoi_dimensions"):
            made.voronoi_dimensions = "2D"
        elif hasattr(made, "noise_dimensions"):
            made.noise_dimensions = "2D"
        return made

    where = node("ShaderNodeTexCoord").outputs["Object"]
    wobble = node("ShaderNodeTexNoise", Scale=1.3, Detail=2.0)
    links.new(where, wobble.inputs["Vector"])
    shifted = nodes.new("ShaderNodeMixRGB")
    shifted.blend_type = "LINEAR_LIGHT"
    shifted.inputs["Fac"].default_value = 0.06
    links.new(where, shifted.inputs["Color1"])
    links.new(wobble.outputs["Color"], shifted.inputs["Color2"])

    edges = node("ShaderNodeTexVoronoi", Scale=6.2, Randomness=0.55)
    edges.feature = "DISTANCE_TO_EDGE"
    cells = node("ShaderNodeTexVoronoi", Scale=6.2, Randomness=0.55)
    for voronoi in (edges, cells):
        links.new(shifted.outputs[0], voronoi.inputs["Vector"])

    tone = nodes.new("ShaderNodeValToRGB")
    tone.color_ramp.elements[0].color = (0.060, 0.046, 0.044, 1)
    tone.color_ramp.elements[1].color = (0.27, 0.185, 0.14, 1)
    middle = tone.color_ramp.elements.new(0.55)
    middle.color = (0.105, 0.092, 0.095, 1)
    links.new(cells.outputs["Color"], tone.inputs["Fac"])

    grain = node("ShaderNodeTexNoise", Scale=26.0, Detail=5.0, Roughness=0.7)
    links.new(where, grain.inputs["Vector"])
    grained = nodes.new("ShaderNodeMixRGB")
    grained.blend_type = "OVERLAY"
    grained.inputs["Fac"].default_value = 0.75
    links.new(tone.outputs["Color"], grained.inputs["Color1"])
    links.new(grain.outputs["Fac"], grained.inputs["Color2"])

    joint = nodes.new("ShaderNodeMapRange")
    joint.inputs["From Min"].default_value = 0.015
    joint.inputs["From Max"].default_value = 0.10
    links.new(edges.outputs["Distance"], joint.inputs["Value"])
    jointed = nodes.new("ShaderNodeMixRGB")
    jointed.inputs["Color1"].default_value = (0.014, 0.013, 0.012, 1)
    links.new(joint.outputs["Result"], jointed.inputs["Fac"])
    links.new(grained.outputs["Color"], jointed.inputs["Color2"])

    axes, aside, lawn = nodes.new("ShaderNodeSeparateXYZ"), nodes.new("ShaderNodeMath"), nodes.new("ShaderNodeMapRange")
    links.new(where, axes.inputs[0])
    aside.operation = "ABSOLUTE"
    links.new(axes.outputs["X"], aside.inputs[0])
    lane = nodes.new("ShaderNodeMath")  # the lane widens with the depth: |x| - 0.075 y
    lane.operation = "MULTIPLY_ADD"
    lane.inputs[1].default_value = -0.075
    links.new(axes.outputs["Y"], lane.inputs[0])
    links.new(aside.outputs[0], lane.inputs[2])
    lawn.inputs["From Min"].default_value, lawn.inputs["From Max"].default_value = 1.15, 1.55
    links.new(lane.outputs[0], lawn.inputs["Value"])
    turf = nodes.new("ShaderNodeValToRGB")
    turf.color_ramp.elements[0].color, turf.color_ramp.elements[1].color = (
        (0.012, 0.022, 0.008, 1),
        (0.05, 0.075, 0.022, 1),
    )
    links.new(grain.outputs["Fac"], turf.inputs["Fac"])
    edged = nodes.new("ShaderNodeMixRGB")
    links.new(lawn.outputs["Result"], edged.inputs["Fac"])
    links.new(jointed.outputs["Color"], edged.inputs["Color1"])
    links.new(turf.outputs["Color"], edged.inputs["Color2"])
    links.new(edged.outputs["Color"], shader.inputs["Base Color"])

    damp = node("ShaderNodeTexNoise", Scale=0.55, Detail=2.0)
    links.new(where, damp.inputs["Vector"])
    gloss = nodes.new("ShaderNodeMapRange")
    gloss.inputs["From Min"].default_value = 0.42
    gloss.inputs["From Max"].default_value = 0.62
    gloss.inputs["To Min"].default_value = 0.5
    gloss.inputs["To Max"].default_value = 0.75
    links.new(damp.outputs["Fac"], gloss.inputs["Value"])
    dull = nodes.new("ShaderNodeMath")
    dull.operation = "MAXIMUM"
    links.new(gloss.outputs["Result"], dull.inputs[0])
    links.new(lawn.outputs["Result"], dull.inputs[1])
    links.new(dull.outputs[0], shader.inputs["Roughness"])

    height = nodes.new("ShaderNodeMath")
    height.operation = "MULTIPLY_ADD"
    height.inputs[1].default_value = 0.18
    links.new(grain.outputs["Fac"], height.inputs[0])
    links.new(joint.outputs["Result"], height.inputs[2])
    bump = node("ShaderNodeBump", Strength=0.38, Distance=0.025)
    links.new(height.outputs[0], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    return material


def hazy_material(name: str, haze: Colour, share: float) -> bpy.types.Material:
    """Far things: a dull surface with the glow of the evening air before it."""
    material = lacquer_material(name, tuple(min(channel * 1.6, 1.0) for channel in haze), roughness=0.9)
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Emission Color"].default_value = (*haze, 1)
    shader.inputs["Emission Strength"].default_value = share
    material.cycles.emission_sampling = "NONE"
    return material


def sky_world() -> None:
    """Dusk: peach at the horizon into deep blue, which is also the cool fill light."""
    world = bpy.data.worlds.new("dusk")
    bpy.context.scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    where, split = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeSeparateXYZ")
    ramp = nodes.new("ShaderNodeValToRGB")
    links.new(where.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], ramp.inputs["Fac"])
    stops = [
        (0.0, (0.70, 0.24, 0.10)),
        (0.030, (0.45, 0.14, 0.11)),
        (0.065, (0.16, 0.075, 0.155)),
        (0.12, (0.040, 0.050, 0.15)),
        (1.0, (0.045, 0.09, 0.28)),
    ]
    for element, (position, colour) in zip(
        [*ramp.color_ramp.elements, *(ramp.color_ramp.elements.new(0.5) for _ in stops[2:])], stops, strict=True
    ):
        element.position, element.color = position, (*colour, 1)
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    nodes["Background"].inputs["Strength"].default_value = 1.0
