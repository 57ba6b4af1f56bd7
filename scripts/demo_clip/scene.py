"""Build the scene in Blender's Python module and path-trace it: linear colour, exact depth, subject index.

Runs in an environment of its own with ``bpy`` (see README.md); nothing in any2bokeh imports this file.
For every frame it writes ``colour.NNNNN.exr`` (scene-linear, denoised) and ``geometry.NNNNN.exr``: one ray
through each pixel's centre, channels ``depth.Z`` (along the optical axis) and ``index.Z`` (object index).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy  # isort: skip  (has to come first: it is what makes bmesh importable)
import bmesh
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import shot
import textures

Vec = Sequence[float]
Colour = tuple[float, float, float]

ROSA_INDEX, TILO_INDEX = 1, 2


# --- materials -------------------------------------------------------------------------------------------------


def lacquer_material(name: str, colour: Colour, *, roughness: float = 0.25, metallic: float = 0.0, coat: float = 0.0):
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


def painted_material(name: str, image: textures.Image, *, roughness: float, coat: float):
    """A principled surface with a painted texture on its UV map."""
    material = lacquer_material(name, (1, 1, 1), roughness=roughness, coat=coat)
    height, width = image.shape[:2]
    picture = bpy.data.images.new(name, width, height, float_buffer=True)
    picture.colorspace_settings.name = "Linear Rec.709"
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = image
    picture.pixels.foreach_set(rgba.ravel())
    picture.pack()
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = picture
    links.new(texture.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    return material


def glow_material(name: str, colour: Colour, strength: float, *, casts_light: bool = True):
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


def paper_material(name: str, image: textures.Image):
    """Lit paper of a lantern: bright in the middle, where we look through it straight at the flame."""
    material = glow_material(name, (1, 1, 1), 1.0, casts_light=False)
    height, width = image.shape[:2]
    picture = bpy.data.images.new(name, width, height, float_buffer=True)
    picture.colorspace_settings.name = "Linear Rec.709"
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = image
    picture.pixels.foreach_set(rgba.ravel())
    picture.pack()
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


def cobble_material():
    """Rounded paving stones, every one of its own tone, joints dark, some patches damp."""
    material = lacquer_material("cobbles", (0.1, 0.1, 0.1))
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]

    def node(kind: str, **inputs: object):
        made = nodes.new(kind)
        for key, value in inputs.items():
            made.inputs[key.replace("_", " ")].default_value = value
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
    gloss.inputs["To Min"].default_value = 0.36
    gloss.inputs["To Max"].default_value = 0.68
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


def hazy_material(name: str, haze: Colour, share: float):
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
        (0.0, (0.75, 0.27, 0.12)),
        (0.030, (0.52, 0.17, 0.14)),
        (0.065, (0.20, 0.10, 0.20)),
        (0.12, (0.055, 0.065, 0.19)),
        (1.0, (0.045, 0.09, 0.28)),
    ]
    for element, (position, colour) in zip(
        [*ramp.color_ramp.elements, *(ramp.color_ramp.elements.new(0.5) for _ in stops[2:])], stops, strict=True
    ):
        element.position, element.color = position, (*colour, 1)
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    nodes["Background"].inputs["Strength"].default_value = 1.0


# --- shapes ----------------------------------------------------------------------------------------------------


def add_mesh(name: str, vertices, faces, material, *, parent=None, smooth: bool = True):
    """A mesh object from plain lists."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(map(float, v)) for v in vertices], [], [tuple(map(int, f)) for f in faces])
    mesh.materials.append(material)
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    made = bpy.data.objects.new(name, mesh)
    made.parent = parent
    bpy.context.scene.collection.objects.link(made)
    return made


def add_lathe(name: str, profile: Sequence[tuple[float, float]], material, *, parent=None, segments: int = 64):
    """Turn a profile of (radius, height) around z; u of the UV map runs around, v along the profile."""
    knots = np.array(profile, float)
    lengths = np.r_[0, np.cumsum(np.hypot(*np.diff(knots, axis=0).T))]
    rows = len(knots)
    angles = np.linspace(0, 2 * math.pi, segments + 1)  # the seam is doubled for the UV map
    vertices = [(r * math.sin(a), -r * math.cos(a), z) for r, z in knots for a in angles]
    faces = [
        (
            i * (segments + 1) + j,
            i * (segments + 1) + j + 1,
            (i + 1) * (segments + 1) + j + 1,
            (i + 1) * (segments + 1) + j,
        )
        for i in range(rows - 1)
        for j in range(segments)
    ]
    made = add_mesh(name, vertices, faces, material, parent=parent)
    uv = made.data.uv_layers.new()
    for loop in made.data.loops:
        i, j = divmod(loop.vertex_index, segments + 1)
        uv.data[loop.index].uv = (j / segments, lengths[i] / lengths[-1])
    return made


def rounded(points: Sequence[tuple[float, float]], steps: int = 10) -> list[tuple[float, float]]:
    """Catmull-Rom curve through the points of a profile."""
    p = np.array([points[0], *points, points[-1]], float)
    out = []
    for i in range(1, len(p) - 2):
        for s in np.linspace(0, 1, steps, endpoint=False):
            out.append(
                0.5
                * (
                    2 * p[i]
                    + (p[i + 1] - p[i - 1]) * s
                    + (2 * p[i - 1] - 5 * p[i] + 4 * p[i + 1] - p[i + 2]) * s**2
                    + (3 * p[i] - p[i - 1] - 3 * p[i + 1] + p[i + 2]) * s**3
                )
            )
    return [(max(float(r), 0.0), float(z)) for r, z in [*out, p[-1]]]


def add_torus(
    name: str, major: float, minor: float, material, *, parent=None, at: Vec = (0, 0, 0), turn: Vec = (0, 0, 0)
):
    ring = [(major + minor * math.cos(a), minor * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 17)]
    made = add_lathe(name, ring, material, parent=parent, segments=48)
    made.location, made.rotation_euler = at, turn
    return made


def add_ball(
    name: str, radius: float, material, *, parent=None, at: Vec = (0, 0, 0), squash: Vec = (1, 1, 1), detail: int = 24
):
    bm = bmesh.new()
    bmesh.ops.create_uvsphere(bm, u_segments=detail, v_segments=max(detail // 2, 6), radius=radius)
    mesh = bpy.data.meshes.new(name)
    bm.to_mesh(mesh)
    bm.free()
    mesh.materials.append(material)
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    made = bpy.data.objects.new(name, mesh)
    made.parent, made.location, made.scale = parent, at, squash
    bpy.context.scene.collection.objects.link(made)
    return made


def add_disc(
    name: str, radius: float, thick: float, material, *, parent=None, at: Vec = (0, 0, 0), turn: Vec = (0, 0, 0)
):
    """A short cylinder with rounded rims, its axis along z."""
    r = min(thick * 0.35, radius * 0.3)
    corner = [(math.sin(a) * r, math.cos(a) * r) for a in np.linspace(0, math.pi / 2, 6)]
    top = [(0, thick / 2), *((radius - r + dx, thick / 2 - r + dz) for dx, dz in corner)]
    profile = [*((x, -z) for x, z in top), *reversed(top)]
    made = add_lathe(name, profile, material, parent=parent, segments=40)
    made.location, made.rotation_euler = at, turn
    return made


def add_tube(
    name: str, points: Sequence[Vec], radii: float | Sequence[float], material, *, parent=None, closed: bool = False
):
    """A round tube along a polyline."""
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth, curve.bevel_resolution, curve.use_fill_caps = 1.0, 3, True
    spline = curve.splines.new("POLY")
    spline.points.add(len(points) - 1)
    radii = [radii] * len(points) if isinstance(radii, float) else radii
    for point, position, radius in zip(spline.points, points, radii, strict=True):
        point.co, point.radius = (*position, 1), radius
    spline.use_cyclic_u, spline.use_smooth = closed, True
    curve.materials.append(material)
    made = bpy.data.objects.new(name, curve)
    made.parent = parent
    bpy.context.scene.collection.objects.link(made)
    return made


def add_box(
    name: str, size: Vec, material, *, parent=None, at: Vec = (0, 0, 0), turn: Vec = (0, 0, 0), bevel: float = 0.0
):
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1.0)
    bmesh.ops.scale(bm, vec=tuple(size), verts=bm.verts)
    if bevel:
        bmesh.ops.bevel(bm, geom=bm.edges[:], offset=bevel, segments=3, affect="EDGES", profile=0.5)
    mesh = bpy.data.meshes.new(name)
    bm.to_mesh(mesh)
    bm.free()
    mesh.materials.append(material)
    made = bpy.data.objects.new(name, mesh)
    made.parent, made.location, made.rotation_euler = parent, at, turn
    bpy.context.scene.collection.objects.link(made)
    return made


def add_empty(name: str, *, parent=None, at: Vec = (0, 0, 0)):
    made = bpy.data.objects.new(name, None)
    made.parent, made.location = parent, at
    bpy.context.scene.collection.objects.link(made)
    return made


# --- the robots ------------------------------------------------------------------------------------------------


class Robot:
    """A tin toy: painted barrel on two wheels, a dome head on a spring, a waving arm, a lantern on a rod."""

    def __init__(self, name: str, index: int, base: Colour, accent: Colour, motif: str, eye: Colour) -> None:
        self.name = name
        painted = painted_material(
            f"{name} paint", textures.lacquer(base, accent, motif, index), roughness=0.32, coat=1.0
        )
        plain = lacquer_material(f"{name} plain", base, roughness=0.3, coat=1.0)
        second = lacquer_material(f"{name} accent", accent, roughness=0.35, coat=0.6)
        cream = lacquer_material(f"{name} cream", textures.CREAM, roughness=0.35, coat=0.6)
        brass = lacquer_material(f"{name} brass", (0.72, 0.42, 0.14), roughness=0.28, metallic=1.0)
        steel = lacquer_material(f"{name} steel", (0.42, 0.43, 0.46), roughness=0.32, metallic=1.0)
        rubber = lacquer_material(f"{name} rubber", (0.022, 0.021, 0.022), roughness=0.65)
        black = lacquer_material(f"{name} black", (0.01, 0.01, 0.012), roughness=0.12, coat=1.0)
        dial = painted_material(f"{name} dial", textures.dial(), roughness=0.3, coat=1.0)
        eye_glow = glow_material(f"{name} eye", eye, 1.5, casts_light=False)
        bead_glow = glow_material(f"{name} bead", (1.0, 0.45, 0.15), 5.0, casts_light=False)
        paper = paper_material(f"{name} lantern", textures.paper(accent))

        self.root = add_empty(name)
        self.body = add_empty(f"{name} body", parent=self.root, at=(0, 0, 0.2))
        barrel = rounded(
            [
                (0.0, 0.0),
                (0.2, 0.0),
                (0.31, 0.08),
                (0.35, 0.25),
                (0.325, 0.45),
                (0.24, 0.60),
                (0.12, 0.645),
                (0.0, 0.65),
            ]
        )
        add_lathe(f"{name} barrel", barrel, painted, parent=self.body, segments=96)
        for z, r in ((0.168, 0.343), (0.30, 0.352)):
            add_torus(f"{name} hoop", r, 0.0095, brass, parent=self.body, at=(0, 0, z))

        # chest: a gauge and three buttons
        add_disc(
            f"{name} gauge rim",
            0.105,
            0.05,
            brass,
            parent=self.body,
            at=(0, -0.310, 0.445),
            turn=(math.radians(76), 0, 0),
        )
        rim = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 40, endpoint=False)]
        face = add_mesh(
            f"{name} gauge", [(x, y, 0) for x, y in rim], [tuple(range(40))], dial, parent=self.body, smooth=False
        )
        for loop, (x, y) in zip(face.data.uv_layers.new().data, rim, strict=True):
            loop.uv = (0.5 + x / 2, 0.5 + y / 2)
        face.scale, face.location, face.rotation_euler = (
            (0.083, 0.083, 1),
            (0, -0.3355, 0.4515),
            (math.radians(76), 0, 0),
        )
        for x, m in ((-0.17, second), (0.17, cream)):
            add_ball(f"{name} button", 0.03, m, parent=self.body, at=(x, -0.265, 0.455), squash=(1, 0.7, 1))

        # wheels with a tread and painted spokes
        self.wheels = []
        for side in (-1, 1):
            axle = add_empty(f"{name} axle", parent=self.root, at=(side * 0.335, 0, 0.2))
            wheel = add_empty(f"{name} wheel", parent=axle)
            self.wheels.append(wheel)
            flat = (0, math.pi / 2, 0)
            add_torus(f"{name} tyre", 0.155, 0.045, rubber, parent=wheel, turn=flat)
            add_disc(f"{name} rim", 0.135, 0.07, cream, parent=wheel, turn=flat)
            add_disc(f"{name} hub", 0.05, 0.13, brass, parent=wheel, turn=flat)
            for k in range(6):
                a = k * math.pi / 3
                add_disc(
                    f"{name} spoke",
                    0.027,
                    0.082,
                    second,
                    parent=wheel,
                    at=(0, 0.09 * math.sin(a), 0.09 * math.cos(a)),
                    turn=flat,
                )
            for k in range(22):
                a = k * 2 * math.pi / 22
                add_box(
                    f"{name} tread",
                    (0.075, 0.018, 0.02),
                    rubber,
                    parent=wheel,
                    at=(0, 0.197 * math.sin(a), 0.197 * math.cos(a)),
                    turn=(-a, 0, 0),
                )

        # wind-up key on the back
        self.key = add_empty(f"{name} key", parent=self.body, at=(0, 0.36, 0.33))
        add_tube(f"{name} key shaft", [(0, -0.05, 0), (0, 0.12, 0)], 0.018, brass, parent=self.key)
        for side in (-1, 1):
            add_torus(
                f"{name} key wing",
                0.055,
                0.017,
                brass,
                parent=self.key,
                at=(side * 0.062, 0.13, 0),
                turn=(math.pi / 2, 0, 0),
            )

        # neck spring
        turns = [
            (0.075 * math.cos(a), 0.075 * math.sin(a), 0.63 + 0.09 * a / (8 * math.pi))
            for a in np.linspace(0, 8 * math.pi, 120)
        ]
        add_tube(f"{name} spring", turns, 0.0095, steel, parent=self.body)

        # head
        self.head = add_empty(f"{name} head", parent=self.body, at=(0, 0, 0.72))
        dome = rounded(
            [
                (0.0, 0.0),
                (0.17, 0.0),
                (0.255, 0.035),
                (0.275, 0.13),
                (0.25, 0.24),
                (0.16, 0.32),
                (0.06, 0.345),
                (0.0, 0.347),
            ]
        )
        add_lathe(f"{name} dome", dome, plain, parent=self.head, segments=96)
        add_torus(f"{name} collar", 0.262, 0.013, brass, parent=self.head, at=(0, 0, 0.045))
        for side in (-1, 1):
            yaw = side * 0.40
            towards = np.array([math.sin(yaw), -math.cos(yaw), 0])
            spot = towards * 0.243 + (0, 0, 0.165)
            turn = (math.radians(82), 0, yaw)
            add_disc(f"{name} eye rim", 0.082, 0.05, cream, parent=self.head, at=spot, turn=turn)
            add_disc(f"{name} eye", 0.064, 0.05, black, parent=self.head, at=spot + towards * 0.012, turn=turn)
            add_torus(f"{name} iris", 0.043, 0.011, eye_glow, parent=self.head, at=spot + towards * 0.038, turn=turn)
            add_disc(
                f"{name} ear",
                0.062,
                0.05,
                second,
                parent=self.head,
                at=(side * 0.275, 0, 0.145),
                turn=(0, math.pi / 2, 0),
            )
            add_disc(
                f"{name} ear bolt",
                0.026,
                0.10,
                brass,
                parent=self.head,
                at=(side * 0.275, 0, 0.145),
                turn=(0, math.pi / 2, 0),
            )
        smile = [(0.27 * math.sin(a), -0.27 * math.cos(a), 0.062 + 0.35 * a * a) for a in np.linspace(-0.33, 0.33, 15)]
        add_tube(f"{name} smile", smile, 0.0085, black, parent=self.head)

        # antenna: a thin spring with a bead
        wire = [
            (0.018 * math.cos(a), 0.018 * math.sin(a), 0.34 + 0.15 * a / (10 * math.pi))
            for a in np.linspace(0, 10 * math.pi, 100)
        ]
        add_tube(f"{name} antenna", [*wire, (0, 0, 0.53)], 0.0048, steel, parent=self.head)
        add_ball(f"{name} bead", 0.027, bead_glow, parent=self.head, at=(0, 0, 0.545))

        # arms: the right one waves, the left one holds the lantern
        self.arm = add_empty(f"{name} arm", parent=self.body, at=(-0.31, 0, 0.49))
        self._add_arm(
            self.arm,
            -1,
            [(0, 0, 0), (-0.12, -0.02, 0.0), (-0.20, -0.06, 0.08), (-0.22, -0.09, 0.20)],
            steel,
            second,
            brass,
        )
        holder = add_empty(f"{name} holder", parent=self.body, at=(0.31, 0, 0.49))
        self._add_arm(
            holder,
            1,
            [(0, 0, 0), (0.10, -0.03, -0.05), (0.16, -0.12, -0.07), (0.17, -0.20, -0.02)],
            steel,
            second,
            brass,
        )
        rod = [
            (0.17, -0.19, -0.14),
            (0.175, -0.215, 0.02),
            (0.20, -0.24, 0.22),
            (0.26, -0.27, 0.36),
            (0.33, -0.29, 0.40),
            (0.39, -0.30, 0.375),
        ]
        add_tube(f"{name} rod", [(x, y, z) for x, y, z in smooth_polyline(rod)], 0.0075, brass, parent=holder)
        self.lantern = add_empty(f"{name} lantern", parent=holder, at=(0.39, -0.30, 0.37))
        add_tube(f"{name} thread", [(0, 0, 0), (0, 0, -0.09)], 0.0035, black, parent=self.lantern)
        globe = [
            (0.085 * math.cos(a) * (1 + 0.035 * math.cos(18 * a)), -0.175 + 0.088 * math.sin(a))
            for a in np.linspace(-1.25, 1.25, 90)
        ]
        shade = add_lathe(f"{name} globe", globe, paper, parent=self.lantern, segments=40)
        shade.visible_shadow = shade.visible_diffuse = False  # the lamp inside stands for its light
        lamp = bpy.data.lights.new(f"{name} lamp", "POINT")
        lamp.energy, lamp.color, lamp.shadow_soft_size = 14.0, (1.0, 0.52, 0.19), 0.08
        glow = bpy.data.objects.new(f"{name} lamp", lamp)
        glow.parent, glow.location, glow.visible_camera = self.lantern, (0, 0, -0.175), False
        bpy.context.scene.collection.objects.link(glow)
        for z in (-0.088, -0.262):
            add_disc(f"{name} cap", 0.034, 0.02, second, parent=self.lantern, at=(0, 0, z))
        add_tube(f"{name} tassel", [(0, 0, -0.27), (0, 0, -0.35)], [0.004, 0.010], second, parent=self.lantern)

        for part in self.root.children_recursive:
            part.pass_index = index

    def _add_arm(self, shoulder, side: int, joints: Sequence[Vec], steel, second, brass) -> None:
        add_ball(f"{self.name} shoulder", 0.062, second, parent=shoulder)
        path = smooth_polyline(joints, 10)
        ribs = [0.026 + 0.007 * math.sin(i * 2.1) for i in range(len(path))]
        add_tube(f"{self.name} sleeve", path, ribs, steel, parent=shoulder)
        wrist = np.array(joints[-1], float)
        add_ball(f"{self.name} wrist", 0.038, brass, parent=shoulder, at=wrist)
        for bend in (-1, 1):
            finger = [
                wrist + np.array([bend * 0.055 * math.sin(a), 0, 0.02 + 0.06 * (1 - math.cos(a))])
                for a in np.linspace(0.2, 2.4, 10)
            ]
            add_tube(f"{self.name} finger", finger, 0.014, second, parent=shoulder)

    def pose(self, frame: int) -> None:
        p = shot.robot_pose(self.name, frame)
        self.root.location = (p.x, p.y, 0)
        self.root.rotation_euler = (0, 0, p.heading)
        self.body.rotation_euler = (p.nod, 0.02 * math.sin(p.travelled * 5), 0)
        self.head.rotation_euler = (0.02 * math.sin(p.travelled * 6), 0, p.look - p.heading)
        self.arm.rotation_euler = (0, p.wave, 0)
        self.lantern.rotation_euler = (0.10 * math.sin(p.travelled * 3.1), 0.16 * math.sin(p.travelled * 2.7 + 1), 0)
        self.key.rotation_euler = (0, p.travelled * 2.2, 0)
        away = -1 if self.name == "rosa" else 1  # rosa rolls backwards
        for wheel in self.wheels:
            wheel.rotation_euler = (away * p.travelled / 0.2, 0, 0)


def smooth_polyline(points: Sequence[Vec], steps: int = 8) -> list[tuple[float, float, float]]:
    """Catmull-Rom curve through points in space."""
    p = np.array([points[0], *points, points[-1]], float)
    out = []
    for i in range(1, len(p) - 2):
        for s in np.linspace(0, 1, steps, endpoint=False):
            out.append(
                0.5
                * (
                    2 * p[i]
                    + (p[i + 1] - p[i - 1]) * s
                    + (2 * p[i - 1] - 5 * p[i] + 4 * p[i + 1] - p[i + 2]) * s**2
                    + (3 * p[i] - p[i - 1] - 3 * p[i + 1] + p[i + 2]) * s**3
                )
            )
    return [(float(x), float(y), float(z)) for x, y, z in [*out, p[-1]]]


# --- the place -------------------------------------------------------------------------------------------------

BULB_COLOURS: tuple[Colour, ...] = ((1.0, 0.42, 0.09), (1.0, 0.48, 0.13), (1.0, 0.34, 0.06), (1.0, 0.55, 0.22))
PARTY_COLOURS: tuple[Colour, ...] = (
    (1.0, 0.42, 0.09),
    (1.0, 0.10, 0.05),
    (1.0, 0.50, 0.14),
    (0.06, 0.55, 0.80),
    (1.0, 0.62, 0.30),
    (0.90, 0.10, 0.34),
    (0.25, 0.75, 0.25),
)


class Lights:
    """Strings of bulbs: one mesh per material, so that hundreds of bulbs stay cheap."""

    def __init__(self) -> None:
        self.materials: dict[tuple[Colour, float], object] = {}
        self.cable = lacquer_material("cable", (0.012, 0.011, 0.012), roughness=0.6)

    def bulb(self, at: Vec, radius: float, colour: Colour, strength: float) -> None:
        key = (colour, strength)
        if key not in self.materials:
            self.materials[key] = glow_material(f"bulb {len(self.materials)}", colour, strength, casts_light=False)
        add_ball("bulb", radius, self.materials[key], at=at, detail=14)

    def string(
        self,
        start: Vec,
        end: Vec,
        sag: float,
        count: int,
        radius: float,
        colours: Sequence[Colour],
        strength: float,
        cable: float,
    ) -> None:
        """A sagging cable with bulbs hanging from it."""
        start, end = np.array(start, float), np.array(end, float)
        t = np.linspace(0, 1, 48)[:, None]
        points = start + (end - start) * t - np.array([0, 0, 1]) * sag * 4 * t * (1 - t)
        add_tube("cable", [tuple(p) for p in points], cable, self.cable)
        for k in range(count):
            s = (k + 0.5) / count
            at = start + (end - start) * s - np.array([0, 0, 1]) * sag * 4 * s * (1 - s)
            add_tube("socket", [tuple(at), tuple(at - (0, 0, radius * 1.0))], radius * 0.5, self.cable)
            self.bulb(at - (0, 0, radius * 1.7), radius, colours[k % len(colours)], strength)


def add_ground() -> None:
    add_mesh(
        "ground",
        [(-60, 0, 0), (60, 0, 0), (60, 120, 0), (-60, 120, 0)],
        [(0, 1, 2, 3)],
        cobble_material(),
        smooth=False,
    )


def add_rails(lights: Lights) -> None:
    """A low iron railing on both sides of the lane: posts with brass heads, two wires, bulbs along the upper one."""
    iron = lacquer_material("iron", (0.03, 0.032, 0.036), roughness=0.4, metallic=0.6)
    brass = lacquer_material("post brass", (0.72, 0.42, 0.14), roughness=0.3, metallic=1.0)
    depths = [5.6, 7.4, 9.4, 11.6, 14.0, 16.8, 20.0, 24.0]
    for side in (-1, 1):
        tops = []
        for i, y in enumerate(depths):
            x = side * (2.02 + 0.03 * y)
            add_lathe(
                "post",
                [(0.075, 0), (0.075, 0.04), (0.04, 0.07), (0.034, 0.75), (0.048, 0.77), (0.048, 0.80), (0.0, 0.81)],
                iron,
                segments=24,
            ).location = (x, y, 0)
            add_ball("post head", 0.058, brass, at=(x, y, 0.85))
            tops.append((x, y, 0.78))
            if i:
                add_tube("wire", [(tops[-2][0], tops[-2][1], 0.42), (x, y, 0.42)], 0.008, iron)
                add_tube("wire", [(tops[-2][0], tops[-2][1], 0.22), (x, y, 0.22)], 0.008, iron)
                lights.string(tops[-2], tops[-1], 0.13, 5, 0.030, BULB_COLOURS, 3.0, 0.007)


def add_overhead(lights: Lights) -> None:
    """Strings of bulbs across the lane at several depths, between tall poles."""
    iron = lacquer_material("pole", (0.025, 0.026, 0.03), roughness=0.5)
    for i, (y, half, top, sag, count, radius) in enumerate(
        (
            (9.0, 3.4, 2.42, 0.42, 15, 0.036),
            (13.5, 5.2, 2.95, 0.55, 19, 0.044),
            (19.0, 7.0, 3.5, 0.55, 23, 0.060),
            (27.0, 9.6, 4.35, 0.6, 26, 0.085),
        )
    ):
        tilt = 0.25 * (-1) ** i
        lights.string(
            (-half, y - 0.6, top + tilt),
            (half, y + 0.6, top - tilt),
            sag,
            count,
            radius,
            BULB_COLOURS if i % 2 else PARTY_COLOURS,
            3.2,
            0.006 + 0.0006 * y,
        )
        for side in (-1, 1):
            add_tube("pole", [(side * half, y + side * 0.6, 0), (side * half, y + side * 0.6, top + 0.3)], 0.05, iron)


def add_town(lights: Lights) -> None:
    """Gabled houses and round trees as dusk silhouettes, with lit windows and lamps far out of reach."""
    rng = np.random.default_rng(11)
    window = [
        glow_material(f"window {i}", colour, strength, casts_light=False)
        for i, (colour, strength) in enumerate(
            (((1.0, 0.42, 0.10), 1.6), ((1.0, 0.52, 0.20), 1.1), ((0.95, 0.30, 0.07), 0.9))
        )
    ]
    frame = lacquer_material("window frame", (0.02, 0.016, 0.02), roughness=0.8)
    for row, (y, haze) in enumerate(((33.0, (0.030, 0.021, 0.046)), (47.0, (0.085, 0.046, 0.080)))):
        wall, roof = hazy_material(f"wall {row}", haze, 1.0), hazy_material(f"roof {row}", haze, 0.55)
        x = -19.0 - 5 * row
        while x < 19 + 5 * row:
            w, h = rng.uniform(1.9, 3.2), rng.uniform(1.3, 2.3) + 0.9 * row
            gable = rng.uniform(0.8, 1.5)
            cx = x + w / 2
            if abs(cx) > 1.9 or row:
                front = [(x, y, 0), (x + w, y, 0), (x + w, y, h), (cx, y, h + gable), (x, y, h)]
                add_mesh(
                    "house",
                    [*front, *((a, y + 4, c) for a, _, c in front)],
                    [(0, 1, 2, 3, 4), (0, 4, 9, 5), (1, 6, 7, 2)],
                    wall,
                    smooth=False,
                )
                for side in (-1, 1):  # a roof that stands over, and a chimney
                    eaves = (cx + side * (w / 2 + 0.15), h - 0.15 * gable / (w / 2))
                    slab = [(cx, y - 0.2, h + gable), (*eaves[:1], y - 0.2, eaves[1])]
                    add_mesh(
                        "roof",
                        [*slab, *((a, y + 4.2, c) for a, _, c in reversed(slab))],
                        [(0, 1, 2, 3)],
                        roof,
                        smooth=False,
                    )
                    add_tube("verge board", slab, 0.05, roof)
                add_box(
                    "chimney",
                    (0.26, 0.26, 0.8),
                    roof,
                    at=(cx + 0.27 * w * rng.choice([-1, 1]), y + 0.6, h + 0.55 * gable + 0.3),
                )
                for wx in np.arange(x + 0.45, x + w - 0.3, 0.62):
                    for wz in np.arange(0.55, h - 0.1, 0.72):
                        if rng.random() < 0.5:
                            add_box("window", (0.25, 0.04, 0.36), window[rng.integers(3)], at=(wx, y - 0.02, wz))
                            for size in ((0.02, 0.02, 0.36), (0.25, 0.02, 0.02)):
                                add_box("bar", size, frame, at=(wx, y - 0.05, wz))
            x += w + 0.02

    foliage = [
        hazy_material(f"foliage {i}", c, 1.0)
        for i, c in enumerate(((0.007, 0.013, 0.014), (0.013, 0.020, 0.018), (0.022, 0.026, 0.016)))
    ]
    bark = hazy_material("bark", (0.012, 0.009, 0.012), 1.0)
    for x, y, h in ((-7.4, 25, 2.55), (-4.6, 29, 2.9), (5.5, 24, 2.6), (8.2, 28, 3.1), (3.5, 31, 2.2), (-2.6, 32, 2.0)):
        add_tube("trunk", [(x, y, 0), (x + 0.1, y, h)], [0.12, 0.05], bark)
        for _ in range(9):
            end = np.array([x, y, h]) + rng.normal(size=3) * (0.7, 0.4, 0.5)
            add_tube("bough", [(x + 0.05, y, h * rng.uniform(0.5, 0.8)), tuple(end)], [0.05, 0.015], bark)
        centres = np.array([x, y, h]) + rng.normal(size=(22, 3)) * (0.72, 0.5, 0.48)
        for material in foliage:
            at = centres[rng.integers(len(centres), size=750)] + rng.normal(size=(750, 3)) * 0.21
            spread = rng.normal(size=(2, 750, 3)) * 0.045
            corners = np.stack([at - spread[0], at + spread[1], at + spread[0], at - spread[1]], axis=1).reshape(-1, 3)
            add_mesh("foliage", corners, np.arange(len(corners)).reshape(-1, 4), material, smooth=False)
        for centre in centres[:11]:
            lights.bulb(centre - np.array([0, 0.62, 0]), 0.055, PARTY_COLOURS[rng.integers(len(PARTY_COLOURS))], 3.2)

    for _ in range(46):  # street lamps and far windows, at any depth
        y = rng.uniform(26, 70)
        at = (rng.uniform(-0.33, 0.33) * y, y, 0.35 + rng.gamma(2.0, 0.013) * y)
        lights.bulb(
            at,
            0.0026 * y * rng.uniform(0.7, 1.25),
            PARTY_COLOURS[rng.integers(len(PARTY_COLOURS))],
            rng.choice([2.6, 8.0]),
        )


def add_verges() -> None:
    """Grass at both edges of the lane: blades as thin bent triangles strips, dense near, sparse far."""
    rng = np.random.default_rng(3)
    greens = [
        lacquer_material(f"grass {i}", c, roughness=0.55)
        for i, c in enumerate(((0.045, 0.10, 0.022), (0.08, 0.13, 0.03), (0.13, 0.13, 0.04)))
    ]
    vertices: list[list[Vec]] = [[], [], []]
    faces: list[list[Vec]] = [[], [], []]
    for _ in range(7000):
        y = 4.15 + 26 * rng.random() ** 1.8
        side = rng.choice([-1, 1])
        x = side * (1.30 + 0.075 * (y - 4.2) + rng.gamma(1.6, 0.16 + 0.012 * y))
        h = rng.uniform(0.10, 0.30) * (1.15 if rng.random() < 0.12 else 0.85)
        lean, yaw, w = rng.uniform(0.2, 0.9) * h, rng.uniform(0, 2 * math.pi), rng.uniform(0.005, 0.009)
        kind = int(rng.integers(3))
        n = len(vertices[kind])
        along, across = np.array([math.cos(yaw), math.sin(yaw)]), np.array([-math.sin(yaw), math.cos(yaw)])
        for s in (0.0, 0.35, 0.7):
            c = np.array([x, y]) + along * lean * s * s
            for sign in (-1, 1):
                vertices[kind].append((*(c + sign * across * w * (1 - 0.6 * s)), h * s))
        vertices[kind].append((*(np.array([x, y]) + along * lean), h))
        faces[kind] += [(n, n + 1, n + 3, n + 2), (n + 2, n + 3, n + 5, n + 4), (n + 4, n + 5, n + 6)]
    for kind, material in enumerate(greens):
        add_mesh("grass", vertices[kind], faces[kind], material)


def add_branch() -> None:
    """A twig with a few leaves that hangs into the upper left corner, close to the lens."""
    rng = np.random.default_rng(23)
    bark = lacquer_material("twig", (0.05, 0.034, 0.024), roughness=0.7)
    leaves = [
        lacquer_material(f"twig leaf {i}", c, roughness=0.45)
        for i, c in enumerate(((0.10, 0.14, 0.025), (0.22, 0.10, 0.02), (0.16, 0.15, 0.03)))
    ]

    def leaf(at: np.ndarray) -> None:
        size = rng.uniform(0.045, 0.075)
        profile = [(0, 0), (0.32, 0.25), (0.36, 0.5), (0.2, 0.8), (0, 1)]
        outline = [(x, 0.0, -z) for x, z in profile] + [(-x, 0.0, -z) for x, z in reversed(profile[1:-1])]
        made = add_mesh(
            "leaf", np.array(outline) * size, [tuple(range(len(outline)))], leaves[rng.integers(3)], smooth=False
        )
        made.location = tuple(at)
        made.rotation_euler = (rng.uniform(-0.7, 0.7), rng.uniform(-0.8, 0.8), rng.uniform(0, 6.3))

    def grow(at: np.ndarray, direction: np.ndarray, length: float, radius: float, level: int) -> None:
        points, radii = [tuple(at)], [radius]
        steps = 9
        for i in range(steps):
            direction = direction + rng.normal(size=3) * (0.10, 0.03, 0.10) + np.array([0, 0, -0.02])
            direction /= np.linalg.norm(direction)
            at = at + direction * length / steps
            at[1] = max(at[1], 4.12)
            points.append(tuple(at))
            radii.append(radius * (1 - 0.75 * (i + 1) / steps))
            if level < 2 and i >= 2 and rng.random() < (0.75 if level == 0 else 0.45):
                turn = rng.choice([-1, 1]) * rng.uniform(0.5, 0.9)
                c, s = math.cos(turn), math.sin(turn)
                child = np.array(
                    [c * direction[0] - s * direction[2], direction[1], s * direction[0] + c * direction[2]]
                )
                grow(at.copy(), child, length * rng.uniform(0.35, 0.55), radii[-1] * 0.75, level + 1)
            if level and rng.random() < 0.33:
                leaf(at)
        add_tube("twig", points, radii, bark)
        leaf(at)

    grow(np.array([-1.5, 4.35, 1.60]), np.array([0.95, -0.02, 0.02]), 0.72, 0.015, 0)
    grow(np.array([-1.5, 4.6, 1.42]), np.array([0.8, 0.02, -0.2]), 0.36, 0.009, 1)


def add_key_lights() -> None:
    def area(name: str, at: Vec, target: Vec, size: float, power: float, colour: Colour) -> None:
        light = bpy.data.lights.new(name, "AREA")
        light.shape, light.size, light.energy, light.color = "DISK", size, power, colour
        made = bpy.data.objects.new(name, light)
        made.location = at
        made.rotation_euler = mathutils_look(at, target)
        made.visible_camera = False
        bpy.context.scene.collection.objects.link(made)

    area("warm key", (-4.6, 2.2, 4.6), (0.2, 7.5, 0.4), 1.6, 620, (1.0, 0.66, 0.36))
    area("rose rim", (5.6, 13.0, 3.6), (0.0, 7.0, 0.6), 1.8, 520, (1.0, 0.42, 0.30))
    area("blue rim", (-6.0, 14.5, 4.2), (0.0, 8.0, 0.6), 2.2, 460, (0.36, 0.55, 1.0))
    area("far warm", (0.0, 19.0, 5.0), (0.0, 15.0, 0.0), 2.5, 420, (1.0, 0.58, 0.28))


def mathutils_look(at: Vec, target: Vec):
    from mathutils import Vector

    return (Vector(target) - Vector(at)).to_track_quat("-Z", "Y").to_euler()


def add_camera() -> None:
    camera = bpy.data.cameras.new("camera")
    camera.sensor_fit, camera.sensor_width = "HORIZONTAL", 36.0
    camera.lens = 36.0 * shot.FOCAL_PX / shot.WIDTH
    camera.shift_y = -shot.HORIZON_ABOVE_CENTRE_PX / shot.WIDTH
    camera.clip_start, camera.clip_end = 0.1, 1000.0
    made = bpy.data.objects.new("camera", camera)
    made.location, made.rotation_euler = (0, 0, shot.CAMERA_HEIGHT), (math.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(made)
    bpy.context.scene.camera = made


def build() -> list[Robot]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    sky_world()
    add_camera()
    add_key_lights()
    add_ground()
    lights = Lights()
    add_rails(lights)
    add_overhead(lights)
    add_town(lights)
    add_verges()
    add_branch()
    return [
        Robot("rosa", ROSA_INDEX, (0.62, 0.055, 0.035), (0.62, 0.055, 0.035), "stars", (0.45, 0.95, 1.0)),
        Robot("tilo", TILO_INDEX, (0.012, 0.17, 0.19), (0.78, 0.30, 0.025), "flowers", (1.0, 0.75, 0.35)),
    ]


# --- rendering -------------------------------------------------------------------------------------------------


def set_up_renderer(samples: int, threads: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = shot.WIDTH, shot.HEIGHT
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, 7
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 3
    cycles.sample_clamp_indirect, cycles.sample_clamp_direct = 3.0, 0.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.blur_glossy = 0.6
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes, cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    cycles.denoising_quality = "BALANCED"
    glow_material("flat", (0, 0, 0), 0.0, casts_light=False)
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_object_index = True
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    nodes.clear()
    source = nodes.new("CompositorNodeRLayers")
    out = nodes.new("CompositorNodeOutputFile")
    out.name = "out"
    out.format.file_format = "OPEN_EXR_MULTILAYER"
    out.format.color_depth = "32"
    out.layer_slots.clear()
    for slot, socket in (("colour", "Image"), ("depth", "Depth"), ("index", "IndexOB")):
        out.layer_slots.new(slot)
        links.new(source.outputs[socket], out.inputs[slot])
    links.new(source.outputs["Image"], nodes.new("CompositorNodeComposite").inputs[0])


def render_pass(kind: str, frame: int, folder: Path, samples: int) -> None:
    """Render ``"colour"`` (filtered, many samples) or ``"geometry"`` (one ray through each pixel centre)."""
    scene = bpy.context.scene
    geometry = kind == "geometry"
    scene.view_layers[0].material_override = bpy.data.materials["flat"] if geometry else None
    scene.cycles.samples = 1 if geometry else samples
    scene.cycles.filter_width = 0.01 if geometry else 1.5
    scene.cycles.use_denoising = not geometry
    scene.cycles.max_bounces = 0 if geometry else 4
    out = scene.node_tree.nodes["out"]
    out.base_path = str(folder / f"{kind}.#####.exr")
    out.format.color_depth = "32" if geometry else "16"
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", default=f"0:{shot.FRAME_COUNT}", help="start:stop[:step]")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--passes", nargs="+", default=["geometry", "colour"], choices=["geometry", "colour"])
    parser.add_argument("--percentage", type=int, default=100, help="picture size, for tests")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    robots = build()
    set_up_renderer(arguments.samples, arguments.threads)
    bpy.context.scene.render.resolution_percentage = arguments.percentage
    for frame in range(*(int(part) for part in arguments.frames.split(":"))):
        for robot in robots:
            robot.pose(frame)
        for kind in arguments.passes:
            if not (arguments.folder / f"{kind}.{frame:05d}.exr").exists():
                render_pass(kind, frame, arguments.folder, arguments.samples)


if __name__ == "__main__":
    main()
