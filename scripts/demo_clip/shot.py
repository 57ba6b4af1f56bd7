"""The shot: clip format, lens, depth scale, and where the two robots are at every frame.

The scene, the sound and the packing all read their numbers from here, so that they cannot disagree.
World units: the robots are about 1.3 tall; +y is the optical axis, +z is up, the camera stands at y = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FRAME_COUNT = 72
FPS = 24
WIDTH, HEIGHT = 960, 540

FOCAL_PX = 1500.0
CAMERA_HEIGHT = 1.05
HORIZON_ABOVE_CENTRE_PX = 90.0  # by lens shift: the camera is level, uprights stay upright
Z_MIN = 4.0  # disparity = Z_MIN / z over the whole clip; the nearest blade of grass is just behind this plane

DEPTH_CROSSING_FRAME = 35  # the robots are at one depth, side by side
PASSING_FRAME = 52  # the robots are at one place in the picture, tilo in front
RACK_FRAMES = (48, 58)  # the focus goes from rosa to tilo
BLUR_STRENGTH = 26.0  # K of docs/conventions.md


@dataclass(frozen=True)
class RobotPose:
    """Where one robot is at one frame, and what it does."""

    x: float
    y: float
    heading: float  # rad, yaw of the chassis; 0 looks into the camera, positive turns to camera right
    look: float  # rad, yaw of the head in the world
    travelled: float  # world units rolled since frame 0, turns the wheels
    nod: float  # rad, lean of the body forward
    wave: float  # rad, swing of the right arm


# (time 0..1, x, y) on the ground
_WAYPOINTS = {
    "rosa": ((0.0, -0.62, 5.0), (0.3, -0.82, 6.5), (0.5, -0.72, 7.9), (0.72, 0.14, 9.6), (1.0, 1.42, 11.2)),
    "tilo": ((0.0, 1.10, 11.8), (0.3, 1.02, 9.5), (0.5, 0.80, 7.9), (0.72, 0.16, 6.4), (1.0, -0.52, 4.95)),
}


def _smooth_path(name: str, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Natural cubic spline through the waypoints of a robot; returns x and y."""
    points = np.array(_WAYPOINTS[name])
    knots, values = points[:, 0], points[:, 1:]
    n = len(knots)
    step = np.diff(knots)
    matrix, right = np.eye(n), np.zeros((n, 2))
    for i in range(1, n - 1):
        matrix[i, i - 1 : i + 2] = step[i - 1], 2 * (step[i - 1] + step[i]), step[i]
        right[i] = 6 * ((values[i + 1] - values[i]) / step[i] - (values[i] - values[i - 1]) / step[i - 1])
    second = np.linalg.solve(matrix, right)
    k = np.clip(np.searchsorted(knots, time, side="right") - 1, 0, n - 2)
    a, b, h = (knots[k + 1] - time)[:, None], (time - knots[k])[:, None], step[k][:, None]
    xy = (second[k] * a**3 + second[k + 1] * b**3) / (6 * h)
    xy += (values[k] / h - second[k] * h / 6) * a + (values[k + 1] / h - second[k + 1] * h / 6) * b
    return xy[:, 0], xy[:, 1]


def _ease(time: float, start: float, end: float) -> float:
    t = min(max((time - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def robot_pose(name: str, frame: int) -> RobotPose:
    """Pose of ``"rosa"`` (starts near, leaves) or ``"tilo"`` (comes near) at a frame."""
    t = frame / (FRAME_COUNT - 1)
    fine = np.linspace(0.0, t, 200)
    xs, ys = _smooth_path(name, fine)
    travelled = float(np.hypot(np.diff(xs), np.diff(ys)).sum())
    x, y = float(xs[-1]), float(ys[-1])
    other_xs, other_ys = _smooth_path("tilo" if name == "rosa" else "rosa", np.array([t]))
    to_camera = math.atan2(-x, y)
    to_other = math.atan2(float(other_xs[0]) - x, y - float(other_ys[0]))
    if name == "rosa":  # rolls backwards, so that we see her face; turns a little towards the one who comes
        heading = 0.42 - 0.75 * _ease(t, 0.35, 0.85)
        glance = _ease(t, 0.16, 0.36) * (1 - _ease(t, 0.6, 0.85))
        look = to_camera + glance * (0.6 * max(-1.2, min(1.2, to_other)))
        wave = 0.45 * math.sin(2 * math.pi * 2.2 * t * 3) * (1 - _ease(t, 0.1, 0.3))
        wave += 0.45 * math.sin(2 * math.pi * 2.2 * t * 3) * _ease(t, 0.7, 0.85)
        nod = 0.05 * math.sin(2 * math.pi * t * 2.0)
    else:
        heading = -0.35 + 0.75 * _ease(t, 0.5, 1.0)
        glance = _ease(t, 0.12, 0.3) * (1 - _ease(t, 0.5, 0.68))
        look = to_camera + glance * (0.6 * max(-1.2, min(1.2, to_other)))
        wave = 0.45 * math.sin(2 * math.pi * 2.0 * t * 3) * _ease(t, 0.2, 0.4)
        nod = -0.05 * math.sin(2 * math.pi * t * 1.7 + 0.5)
    return RobotPose(x, y, heading, look, travelled, nod, wave)


def changing_box(frame: int) -> tuple[int, int, int, int]:
    """Pixels (left, top, right, bottom) that the robots, their shadows and their lanterns can change."""
    boxes = []
    for name in ("rosa", "tilo"):
        p = robot_pose(name, frame)
        scale, ground_scale = FOCAL_PX / (p.y - 0.4), FOCAL_PX / (p.y - 1.0)
        horizon = HEIGHT / 2 - HORIZON_ABOVE_CENTRE_PX
        boxes.append(
            (
                WIDTH / 2 + (p.x - 0.9) * scale,
                horizon - (1.5 - CAMERA_HEIGHT) * scale - 34,
                WIDTH / 2 + (p.x + 1.4) * scale,
                horizon + CAMERA_HEIGHT * ground_scale,
            )
        )
    left, top, right, bottom = zip(*boxes, strict=True)
    return max(int(min(left)), 0), max(int(min(top)), 0), min(int(max(right)), WIDTH), min(int(max(bottom)), HEIGHT)
