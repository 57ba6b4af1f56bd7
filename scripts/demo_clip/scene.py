"""Build the scene in Blender's Python module and path-trace it: linear colour, exact depth, subject index.

Runs in an environment of its own with ``bpy`` (see README.md); nothing in any2bokeh imports this file.
For every frame it writes ``colour.NNNNN.exr`` (scene-linear, denoised) and ``geometry.NNNNN.exr``: one ray
through each pixel's centre, channels ``depth.V`` (along the optical axis) and ``index.V`` (object index).
The camera stands still, so the empty place is traced twice more: ``plate-low``, with the samples and the seed of a
frame, and ``plate-high``, with many. ``pack.py`` puts what the robots change in the former onto the latter, so the
noise of all that stands still is gone, and a frame need only be traced inside ``shot.changing_box``.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
import place
import shot
from materials import glow_material, sky_world
from robot import Robot

ROSA_INDEX, TILO_INDEX = 1, 2


def build() -> list[Robot]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    sky_world()
    add_camera()
    place.add_key_lights()
    place.add_ground()
    lights = place.Lights()
    place.add_rails(lights)
    place.add_overhead(lights)
    place.add_town(lights)
    place.add_verges()
    place.add_branch()
    return [
        Robot("rosa", ROSA_INDEX, (0.62, 0.055, 0.035), (0.62, 0.055, 0.035), "stars", (0.45, 0.95, 1.0)),
        Robot("tilo", TILO_INDEX, (0.012, 0.17, 0.19), (0.78, 0.30, 0.025), "flowers", (1.0, 0.40, 0.08)),
    ]


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
    """Render a filtered, denoised picture, or ``"geometry"``: one ray through each pixel centre."""
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
    scene.render.use_border, scene.render.use_crop_to_border = kind == "colour", False
    left, top, right, bottom = shot.changing_box(frame)
    scene.render.border_min_x, scene.render.border_max_x = left / shot.WIDTH, right / shot.WIDTH
    scene.render.border_min_y, scene.render.border_max_y = 1 - bottom / shot.HEIGHT, 1 - top / shot.HEIGHT
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", default=f"0:{shot.FRAME_COUNT}", help="start:stop[:step]")
    parser.add_argument("--samples", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plate-samples", type=int, default=64)
    passes = ["geometry", "colour", "plate-low", "plate-high"]
    parser.add_argument("--passes", nargs="+", default=passes, choices=passes)
    parser.add_argument("--percentage", type=int, default=100, help="picture size, for tests")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    robots = build()
    set_up_renderer(arguments.samples, arguments.threads)
    bpy.context.scene.render.resolution_percentage = arguments.percentage

    def render(kind: str, frame: int, samples: int) -> None:
        if kind in arguments.passes and not (arguments.folder / f"{kind}.{frame:05d}.exr").exists():
            render_pass(kind, frame, arguments.folder, samples)

    for robot in robots:
        robot.root.location = (0, -60, 0)  # behind the camera
    render("plate-low", 0, arguments.samples)
    render("plate-high", 0, arguments.plate_samples)
    for frame in range(*(int(part) for part in arguments.frames.split(":"))):
        for robot in robots:
            robot.pose(frame)
        render("geometry", frame, arguments.samples)
        render("colour", frame, arguments.samples)


if __name__ == "__main__":
    main()
