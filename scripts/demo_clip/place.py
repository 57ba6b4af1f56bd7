"""The lane at dusk: paving, railings, strings of lights, town, grass, a twig before the lens, and the light."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
from materials import Colour, cobble_material, glow_material, hazy_material, lacquer_material
from mathutils import Vector
from shapes import Vec, add_ball, add_box, add_lathe, add_mesh, add_tube

BULB_COLOURS: tuple[Colour, ...] = ((1.0, 0.26, 0.04), (1.0, 0.31, 0.06), (1.0, 0.21, 0.03), (1.0, 0.40, 0.14))
PARTY_COLOURS: tuple[Colour, ...] = (
    (1.0, 0.26, 0.04),
    (1.0, 0.06, 0.03),
    (1.0, 0.34, 0.08),
    (0.06, 0.55, 0.80),
    (1.0, 0.55, 0.28),
    (0.95, 0.08, 0.30),
    (1.0, 0.21, 0.03),
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
            (9.0, 3.4, 2.42, 0.42, 15, 0.040),
            (13.5, 5.2, 2.95, 0.55, 19, 0.054),
            (19.0, 7.0, 3.5, 0.55, 23, 0.074),
            (27.0, 9.6, 4.35, 0.6, 26, 0.104),
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
    for row, (y, haze) in enumerate(((33.0, (0.022, 0.015, 0.036)), (47.0, (0.062, 0.033, 0.062)))):
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
                        if rng.random() < 0.62:
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
            lights.bulb(centre - np.array([0, 0.62, 0]), 0.068, PARTY_COLOURS[rng.integers(len(PARTY_COLOURS))], 3.2)

    for _ in range(46):  # street lamps and far windows, at any depth
        y = rng.uniform(26, 70)
        at = (rng.uniform(-0.33, 0.33) * y, y, 0.35 + rng.gamma(2.0, 0.013) * y)
        lights.bulb(
            at,
            0.0031 * y * rng.uniform(0.75, 1.25),
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
            if at[0] > -0.86 and at[2] < 1.42:  # keep clear of the faces
                break
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
        leaf(np.array(points[-1]))

    grow(np.array([-1.5, 4.35, 1.60]), np.array([0.95, -0.02, 0.02]), 0.72, 0.015, 0)
    grow(np.array([-1.5, 4.6, 1.42]), np.array([0.8, 0.02, -0.2]), 0.36, 0.009, 1)


def add_key_lights() -> None:
    def area(name: str, at: Vec, target: Vec, size: float, power: float, colour: Colour) -> None:
        light = bpy.data.lights.new(name, "AREA")
        light.shape, light.size, light.energy, light.color = "DISK", size, power, colour
        made = bpy.data.objects.new(name, light)
        made.location = at
        made.rotation_euler = (Vector(target) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        made.visible_camera = False
        bpy.context.scene.collection.objects.link(made)

    area("warm key", (-4.6, 2.2, 4.6), (0.2, 7.5, 0.4), 1.6, 620, (1.0, 0.66, 0.36))
    area("rose rim", (5.6, 13.0, 3.6), (0.0, 7.0, 0.6), 1.8, 520, (1.0, 0.42, 0.30))
    area("blue rim", (-6.0, 14.5, 4.2), (0.0, 8.0, 0.6), 2.2, 460, (0.36, 0.55, 1.0))
    area("far warm", (0.0, 19.0, 5.0), (0.0, 15.0, 0.0), 2.5, 420, (1.0, 0.58, 0.28))
