"""The two tin robots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
import shot
import textures
from materials import Colour, glow_material, lacquer_material, painted_material, paper_material
from shapes import (
    Vec,
    add_ball,
    add_box,
    add_disc,
    add_empty,
    add_lathe,
    add_mesh,
    add_torus,
    add_tube,
    rounded,
    smooth_polyline,
)


class Paints:
    """The surfaces of one robot."""

    def __init__(self, name: str, index: int, base: Colour, accent: Colour, motif: str, eye: Colour) -> None:
        self.painted = painted_material(
            f"{name} paint", textures.lacquer(base, accent, motif, index), roughness=0.32, coat=1.0
        )
        self.plain = lacquer_material(f"{name} plain", base, roughness=0.3, coat=1.0)
        self.second = lacquer_material(f"{name} accent", accent, roughness=0.35, coat=0.6)
        self.cream = lacquer_material(f"{name} cream", textures.CREAM, roughness=0.35, coat=0.6)
        self.brass = lacquer_material(f"{name} brass", (0.72, 0.42, 0.14), roughness=0.28, metallic=1.0)
        self.steel = lacquer_material(f"{name} steel", (0.42, 0.43, 0.46), roughness=0.32, metallic=1.0)
        self.rubber = lacquer_material(f"{name} rubber", (0.022, 0.021, 0.022), roughness=0.65)
        self.black = lacquer_material(f"{name} black", (0.01, 0.01, 0.012), roughness=0.12, coat=1.0)
        self.dial = painted_material(f"{name} dial", textures.dial(), roughness=0.3, coat=1.0)
        self.eye_glow = glow_material(f"{name} eye", eye, 1.5, casts_light=False)
        self.bead_glow = glow_material(f"{name} bead", (1.0, 0.45, 0.15), 5.0, casts_light=False)
        self.paper = paper_material(f"{name} lantern", textures.paper(accent))


class Robot:
    """A tin toy: painted barrel on two wheels, a dome head on a spring, a waving arm, a lantern on a rod."""

    def __init__(self, name: str, index: int, base: Colour, accent: Colour, motif: str, eye: Colour) -> None:
        self.name = name
        self.paint = Paints(name, index, base, accent, motif, eye)
        self.root = add_empty(name)
        self.body = add_empty(f"{name} body", parent=self.root, at=(0, 0, 0.2))
        self._add_barrel()
        self._add_wheels()
        self._add_key()
        self._add_head()
        self._add_antenna()
        self._add_arms()
        for part in self.root.children_recursive:
            part.pass_index = index

    def _add_barrel(self) -> None:
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
        add_lathe(f"{self.name} barrel", barrel, self.paint.painted, parent=self.body, segments=96)
        for z, r in ((0.168, 0.343), (0.30, 0.352)):
            add_torus(f"{self.name} hoop", r, 0.0095, self.paint.brass, parent=self.body, at=(0, 0, z))

        add_disc(
            f"{self.name} gauge rim",
            0.105,
            0.05,
            self.paint.brass,
            parent=self.body,
            at=(0, -0.310, 0.445),
            turn=(math.radians(76), 0, 0),
        )
        rim = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 40, endpoint=False)]
        face = add_mesh(
            f"{self.name} gauge",
            [(x, y, 0) for x, y in rim],
            [tuple(range(40))],
            self.paint.dial,
            parent=self.body,
            smooth=False,
        )
        for loop, (x, y) in zip(face.data.uv_layers.new().data, rim, strict=True):
            loop.uv = (0.5 + x / 2, 0.5 + y / 2)
        face.scale, face.location, face.rotation_euler = (
            (0.083, 0.083, 1),
            (0, -0.3355, 0.4515),
            (math.radians(76), 0, 0),
        )

    def _add_wheels(self) -> None:
        """Rubber with a tread, rims with painted dots."""
        self.wheels = []
        for side in (-1, 1):
            axle = add_empty(f"{self.name} axle", parent=self.root, at=(side * 0.335, 0, 0.2))
            wheel = add_empty(f"{self.name} wheel", parent=axle)
            self.wheels.append(wheel)
            flat = (0, math.pi / 2, 0)
            add_torus(f"{self.name} tyre", 0.155, 0.045, self.paint.rubber, parent=wheel, turn=flat)
            add_disc(f"{self.name} rim", 0.135, 0.07, self.paint.cream, parent=wheel, turn=flat)
            add_disc(f"{self.name} hub", 0.05, 0.13, self.paint.brass, parent=wheel, turn=flat)
            for k in range(6):
                a = k * math.pi / 3
                add_disc(
                    f"{self.name} spoke",
                    0.027,
                    0.082,
                    self.paint.second,
                    parent=wheel,
                    at=(0, 0.09 * math.sin(a), 0.09 * math.cos(a)),
                    turn=flat,
                )
            for k in range(22):
                a = k * 2 * math.pi / 22
                add_box(
                    f"{self.name} tread",
                    (0.075, 0.018, 0.02),
                    self.paint.rubber,
                    parent=wheel,
                    at=(0, 0.197 * math.sin(a), 0.197 * math.cos(a)),
                    turn=(-a, 0, 0),
                )

    def _add_key(self) -> None:
        """The wind-up key on the back."""
        self.key = add_empty(f"{self.name} key", parent=self.body, at=(0, 0.36, 0.33))
        add_tube(f"{self.name} key shaft", [(0, -0.05, 0), (0, 0.12, 0)], 0.018, self.paint.brass, parent=self.key)
        for side in (-1, 1):
            add_torus(
                f"{self.name} key wing",
                0.055,
                0.017,
                self.paint.brass,
                parent=self.key,
                at=(side * 0.062, 0.13, 0),
                turn=(math.pi / 2, 0, 0),
            )

    def _add_head(self) -> None:
        """A dome on a neck spring, with two round eyes, ears and a smile."""
        turns = [
            (0.075 * math.cos(a), 0.075 * math.sin(a), 0.63 + 0.09 * a / (8 * math.pi))
            for a in np.linspace(0, 8 * math.pi, 120)
        ]
        add_tube(f"{self.name} spring", turns, 0.0095, self.paint.steel, parent=self.body)
        self.head = add_empty(f"{self.name} head", parent=self.body, at=(0, 0, 0.72))
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
        add_lathe(f"{self.name} dome", dome, self.paint.plain, parent=self.head, segments=96)
        add_torus(f"{self.name} collar", 0.262, 0.013, self.paint.brass, parent=self.head, at=(0, 0, 0.045))
        for side in (-1, 1):
            yaw = side * 0.40
            towards = np.array([math.sin(yaw), -math.cos(yaw), 0])
            spot = towards * 0.243 + (0, 0, 0.165)
            turn = (math.radians(82), 0, yaw)
            add_disc(f"{self.name} eye rim", 0.082, 0.05, self.paint.cream, parent=self.head, at=spot, turn=turn)
            add_disc(
                f"{self.name} eye",
                0.064,
                0.05,
                self.paint.black,
                parent=self.head,
                at=spot + towards * 0.012,
                turn=turn,
            )
            add_torus(
                f"{self.name} iris",
                0.043,
                0.011,
                self.paint.eye_glow,
                parent=self.head,
                at=spot + towards * 0.038,
                turn=turn,
            )
            add_disc(
                f"{self.name} ear",
                0.062,
                0.05,
                self.paint.second,
                parent=self.head,
                at=(side * 0.275, 0, 0.145),
                turn=(0, math.pi / 2, 0),
            )
            add_disc(
                f"{self.name} ear bolt",
                0.026,
                0.10,
                self.paint.brass,
                parent=self.head,
                at=(side * 0.275, 0, 0.145),
                turn=(0, math.pi / 2, 0),
            )
        smile = [(0.27 * math.sin(a), -0.27 * math.cos(a), 0.062 + 0.35 * a * a) for a in np.linspace(-0.33, 0.33, 15)]
        add_tube(f"{self.name} smile", smile, 0.0085, self.paint.black, parent=self.head)

    def _add_antenna(self) -> None:
        """A thin spring with a glowing bead."""
        wire = [
            (0.018 * math.cos(a), 0.018 * math.sin(a), 0.34 + 0.15 * a / (10 * math.pi))
            for a in np.linspace(0, 10 * math.pi, 100)
        ]
        add_tube(f"{self.name} antenna", [*wire, (0, 0, 0.53)], 0.0048, self.paint.steel, parent=self.head)
        add_ball(f"{self.name} bead", 0.027, self.paint.bead_glow, parent=self.head, at=(0, 0, 0.545))

    def _add_arms(self) -> None:
        """The right one waves, the left one holds the lantern."""
        self.arm = add_empty(f"{self.name} arm", parent=self.body, at=(-0.31, 0, 0.49))
        self._add_arm(
            self.arm,
            [(0, 0, 0), (-0.12, -0.02, 0.0), (-0.20, -0.06, 0.08), (-0.22, -0.09, 0.20)],
        )
        holder = add_empty(f"{self.name} holder", parent=self.body, at=(0.31, 0, 0.49))
        self._add_arm(
            holder,
            [(0, 0, 0), (0.10, -0.03, -0.05), (0.16, -0.12, -0.07), (0.17, -0.20, -0.02)],
        )
        self._add_lantern(holder)

    def _add_lantern(self, holder: bpy.types.Object) -> None:
        """A paper globe that swings from a brass rod, with a lamp inside."""
        rod = [
            (0.17, -0.19, -0.14),
            (0.175, -0.215, 0.02),
            (0.20, -0.24, 0.22),
            (0.26, -0.27, 0.36),
            (0.33, -0.29, 0.40),
            (0.39, -0.30, 0.375),
        ]
        add_tube(
            f"{self.name} rod", [(x, y, z) for x, y, z in smooth_polyline(rod)], 0.0075, self.paint.brass, parent=holder
        )
        self.lantern = add_empty(f"{self.name} lantern", parent=holder, at=(0.39, -0.30, 0.37))
        add_tube(f"{self.name} thread", [(0, 0, 0), (0, 0, -0.09)], 0.0035, self.paint.black, parent=self.lantern)
        globe = [
            (0.085 * math.cos(a) * (1 + 0.035 * math.cos(18 * a)), -0.175 + 0.088 * math.sin(a))
            for a in np.linspace(-1.25, 1.25, 90)
        ]
        shade = add_lathe(f"{self.name} globe", globe, self.paint.paper, parent=self.lantern, segments=40)
        shade.visible_shadow = shade.visible_diffuse = False  # the lamp inside stands for its light
        lamp = bpy.data.lights.new(f"{self.name} lamp", "POINT")
        lamp.energy, lamp.color, lamp.shadow_soft_size = 14.0, (1.0, 0.52, 0.19), 0.08
        glow = bpy.data.objects.new(f"{self.name} lamp", lamp)
        glow.parent, glow.location, glow.visible_camera = self.lantern, (0, 0, -0.175), False
        bpy.context.scene.collection.objects.link(glow)
        for z in (-0.088, -0.262):
            add_disc(f"{self.name} cap", 0.034, 0.02, self.paint.second, parent=self.lantern, at=(0, 0, z))
        add_tube(
            f"{self.name} tassel",
            [(0, 0, -0.27), (0, 0, -0.35)],
            [0.004, 0.010],
            self.paint.second,
            parent=self.lantern,
        )

    def _add_arm(self, shoulder: bpy.types.Object, joints: Sequence[Vec]) -> None:
        add_ball(f"{self.name} shoulder", 0.062, self.paint.second, parent=shoulder)
        path = smooth_polyline(joints, 10)
        ribs = [0.026 + 0.007 * math.sin(i * 2.1) for i in range(len(path))]
        add_tube(f"{self.name} sleeve", path, ribs, self.paint.steel, parent=shoulder)
        wrist = np.array(joints[-1], float)
        add_ball(f"{self.name} wrist", 0.038, self.paint.brass, parent=shoulder, at=wrist)
        for bend in (-1, 1):
            finger = [
                wrist + np.array([bend * 0.055 * math.sin(a), 0, 0.02 + 0.06 * (1 - math.cos(a))])
                for a in np.linspace(0.2, 2.4, 10)
            ]
            add_tube(f"{self.name} finger", finger, 0.014, self.paint.second, parent=shoulder)

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
