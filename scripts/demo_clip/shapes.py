"""Shapes the scene is put together from, each added to the scene as one Blender object."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy  # isort: skip  (has to come first: it is what makes bmesh importable)
import bmesh
import numpy as np

Vec = Sequence[float]


def add_mesh(
    name: str,
    vertices: Sequence[Vec] | np.ndarray,
    faces: Sequence[Sequence[int]] | np.ndarray,
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    smooth: bool = True,
) -> bpy.types.Object:
    """A mesh object from plain lists."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(map(float, v)) for v in vertices], [], [tuple(map(int, f)) for f in faces])
    mesh.materials.append(material)
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    made = bpy.data.objects.new(name, mesh)
    made.parent = parent
    bpy.context.scene.collection.objects.link(made)
    return made


def add_lathe(
    name: str,
    profile: Sequence[tuple[float, float]],
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    segments: int = 64,
) -> bpy.types.Object:
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


def add_torus(
    name: str,
    major: float,
    minor: float,
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    at: Vec = (0, 0, 0),
    turn: Vec = (0, 0, 0),
) -> bpy.types.Object:
    ring = [(major + minor * math.cos(a), minor * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 17)]
    made = add_lathe(name, ring, material, parent=parent, segments=48)
    made.location, made.rotation_euler = at, turn
    return made


def add_ball(
    name: str,
    radius: float,
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    at: Vec = (0, 0, 0),
    squash: Vec = (1, 1, 1),
    detail: int = 24,
) -> bpy.types.Object:
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
    name: str,
    radius: float,
    thick: float,
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    at: Vec = (0, 0, 0),
    turn: Vec = (0, 0, 0),
) -> bpy.types.Object:
    """A short cylinder with rounded rims, its axis along z."""
    r = min(thick * 0.35, radius * 0.3)
    corner = [(math.sin(a) * r, math.cos(a) * r) for a in np.linspace(0, math.pi / 2, 6)]
    top = [(0, thick / 2), *((radius - r + dx, thick / 2 - r + dz) for dx, dz in corner)]
    profile = [*((x, -z) for x, z in top), *reversed(top)]
    made = add_lathe(name, profile, material, parent=parent, segments=40)
    made.location, made.rotation_euler = at, turn
    return made


def add_tube(
    name: str,
    points: Sequence[Vec],
    radii: float | Sequence[float],
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    closed: bool = False,
) -> bpy.types.Object:
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
    name: str,
    size: Vec,
    material: bpy.types.Material,
    *,
    parent: bpy.types.Object | None = None,
    at: Vec = (0, 0, 0),
    turn: Vec = (0, 0, 0),
    bevel: float = 0.0,
) -> bpy.types.Object:
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


def add_empty(name: str, *, parent: bpy.types.Object | None = None, at: Vec = (0, 0, 0)) -> bpy.types.Object:
    made = bpy.data.objects.new(name, None)
    made.parent, made.location = parent, at
    bpy.context.scene.collection.objects.link(made)
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
