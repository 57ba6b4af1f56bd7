"""A layered scene: matted subjects in front of a background, moving before a moving camera."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.transfer import Transfer
from any2bokeh.synthesis import motion as motions
from any2bokeh.synthesis.motion import Motion
from any2bokeh.synthesis.picture import Picture, Source
from any2bokeh.synthesis.ray_trace import seen_disparity
from any2bokeh.synthesis.surface import Bend, Plane, rotation
from any2bokeh.synthesis.texture_atlas import TextureAtlas
from any2bokeh.synthesis.view import View

SUBJECT_DEPTH = (1.0, 5.0)
BACKGROUND_DEPTH = (100.0, 200.0)
"""Depths of the paper's clips."""

NEAR_BACKGROUND_DEPTH = (7.0, 40.0)

# A surface turns from the lens where its disparity changes by more than one over the lens' radius in a pixel. At this
# share of it, at the strongest blur that is drawn, all of it is still well seen.
_STEEPEST = 0.25
_STRONGEST_RADIUS_PX_PER_LONG_SIDE = 64 / 1024


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One picture in space.

    Attributes:
        picture: what it shows.
        plane: where it is in the first frame, in the coordinates of the camera then.
        motion: how it moves from there.
        bend: its curvature.
        endless: goes on beyond its borders, mirrored.
    """

    picture: Picture
    plane: Plane
    motion: Motion
    bend: Bend | None = None
    endless: bool = False


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """What scenes are like. ``paper()`` gives those of the paper; the defaults go beyond.

    Attributes:
        subjects: least and greatest number of foregrounds.
        slanted: probability that a subject is slanted, by up to 60 degrees.
        curved: probability that it is curved.
        camera: probability that the camera moves.
        jitter: probability that subjects jitter from frame to frame; otherwise they move smoothly.
        near_background: probability of a background, curved or slanted, at a depth of 7 to 40 in place of 100 to 200.
        floor: probability of a ground that runs from the camera into the distance.
    """

    subjects: tuple[int, int] = (1, 4)
    slanted: float = 0.4
    curved: float = 0.3
    camera: float = 0.6
    jitter: float = 0.3
    near_background: float = 0.4
    floor: float = 0.25

    @classmethod
    def paper(cls) -> "SceneConfig":
        """Planes, some slanted, that jitter and move before a background far away; the camera stands still."""
        return cls(curved=0.0, camera=0.0, jitter=0.5, near_background=0.0, floor=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Layers and a camera over ``T`` frames of ``height`` x ``width``.

    Attributes:
        layers: in any order; subjects are those that ``subjects`` lists.
        subjects: indices of the foregrounds in ``layers``.
        camera: motion of the camera.
        focal_px: its focal length in pixels.
        nearest: z_min, the depth whose disparity is 1; see :meth:`scaled_to_nearest`.
    """

    layers: Sequence[Layer]
    subjects: Sequence[int]
    camera: Motion
    focal_px: float
    height: int
    width: int
    nearest: float = 1.0

    @property
    def frame_count(self) -> int:
        """T."""
        return len(self.camera.shift)

    def scaled_to_nearest(self, atlas: tuple[TextureAtlas, list[int]]) -> "Scene":
        """The same scene with z_min at the least depth that is seen at the centre of any pixel of any frame."""
        within = 0.1  # everything stands farther away than this, so that no disparity is cut off at 1
        unscaled = replace(self, nearest=within)
        largest = max(float(seen_disparity(unscaled.view(t, atlas)).max()) for t in range(self.frame_count))
        return replace(self, nearest=within / largest)

    def atlas(self, transfer: Transfer) -> tuple[TextureAtlas, list[int]]:
        """Pictures of all layers as light, and at which of them each layer's begin."""
        first, pictures = [], []
        for layer in self.layers:
            first.append(len(pictures))
            pictures += [layer.picture.light(f, transfer) for f in range(layer.picture.frame_count)]
        return TextureAtlas.of(pictures), first

    def view(self, frame: int, atlas: tuple[TextureAtlas, list[int]]) -> View:
        """What the lens has before it in a frame; ``atlas`` is this scene's."""
        count = len(self.layers)
        to_texture, surface = np.empty((count, 3, 3)), np.empty((count, 6))
        ranges, shown = np.empty((count, 2)), np.empty(count, np.int32)
        for i, layer in enumerate(self.layers):
            inverse, coefficients = self._seen(frame, i)
            height, width = layer.picture.size
            to_texture[i] = np.stack([
                width * (inverse[0] + 0.5 * inverse[2]), height * (inverse[1] + 0.5 * inverse[2]), inverse[2],
            ])  # fmt: skip
            to_texture[i] /= np.abs(inverse[2]).max()  # a homography has no scale; this one suits float32
            surface[i] = coefficients * self.nearest
            ranges[i] = np.array(self._inverse_depth_range(frame, i)) * self.nearest
            shown[i] = atlas[1][i] + frame % layer.picture.frame_count
        return View(
            self.height, self.width, atlas[0], shown, np.array([layer.endless for layer in self.layers]),
            to_texture.astype(np.float32), surface.astype(np.float32), ranges.astype(np.float32),
        )  # fmt: skip

    def focus_places(self, frame: int) -> tuple[list[float], float]:
        """Disparity at the middle of each subject that is in the frame there, or of all, and of the background."""
        everywhere, within = [], []
        for subject in self.subjects:
            x, y, z = self._plane(frame, subject).center
            everywhere.append(min(float(self.nearest / z), 1.0))
            if abs(x / z) * self.focal_px < self.width / 2 and abs(y / z) * self.focal_px < self.height / 2:
                within.append(everywhere[-1])
        return within or everywhere, min(float(self.nearest / self._plane(frame, 0).center[2]), 1.0)

    def _plane(self, frame: int, index: int) -> Plane:
        """The layer's plane in the coordinates of this frame's camera."""
        layer = self.layers[index]
        depth = layer.plane.center[2]
        roll, yaw, pitch = layer.motion.turn_deg[frame]
        turn = rotation(roll_deg=roll, yaw_deg=yaw, pitch_deg=pitch)
        moved = Plane(
            layer.plane.center + layer.motion.shift[frame] * depth, turn @ layer.plane.across, turn @ layer.plane.down
        )
        roll, yaw, pitch = self.camera.turn_deg[frame]
        return moved.seen_from(self.camera.shift[frame], rotation(roll_deg=roll, yaw_deg=yaw, pitch_deg=pitch))

    def _seen(self, frame: int, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Inverse projection, and inverse depth as coefficients in (1, x, y, x^2, x y, y^2)."""
        plane = self._plane(frame, index)
        inverse = plane.inverse_projection(self.focal_px, (self.height, self.width))
        coefficients = np.array([inverse[2, 2], inverse[2, 0], inverse[2, 1], 0, 0, 0])
        bend = self.layers[index].bend
        if bend is not None:
            middle = plane.center[:2] / plane.center[2] * self.focal_px + [self.width / 2, self.height / 2]
            half = np.linalg.norm(np.stack([plane.across, plane.down])[:, :2], axis=1) / 2
            radius_px = float(np.hypot(*half)) / plane.center[2] * self.focal_px
            coefficients += bend.inverse_depth(middle, radius_px, float(1 / plane.center[2]))
        return inverse, coefficients

    def _inverse_depth_range(self, frame: int, index: int) -> tuple[float, float]:
        """Least and largest inverse depth of a layer over its picture; of an endless one, over the frame."""
        _, coefficients = self._seen(frame, index)
        if self.layers[index].endless:
            x, y = np.meshgrid(np.linspace(0, self.width, 9), np.linspace(0, self.height, 9))
        else:
            plane = self._plane(frame, index)
            s, t = np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.5, 0.5, 9))
            points = plane.center + s[..., None] * plane.across + t[..., None] * plane.down
            x = points[..., 0] / points[..., 2] * self.focal_px + self.width / 2
            y = points[..., 1] / points[..., 2] * self.focal_px + self.height / 2
        a, bx, by, xx, xy, yy = coefficients
        inverse_depth = a + bx * x + by * y + xx * x * x + xy * x * y + yy * y * y
        # A curve's extremum may lie between the points of the grid: a 16th of the way to the next suffices.
        slack = (abs(xx) + abs(xy) + abs(yy)) * (float(np.ptp(x)) / 16) ** 2 if xx or yy else 0.0
        return float(inverse_depth.min()) - slack, float(inverse_depth.max()) + slack


def random_scene(
    rng: np.random.Generator,
    size: tuple[int, int],
    frame_count: int,
    config: SceneConfig,
    subjects: Source,
    backgrounds: Source,
) -> Scene:
    """A scene drawn by chance, in frames of ``size`` (h, w)."""
    height, width = size
    focal_px = max(size) * float(rng.uniform(0.9, 1.6))
    count = int(rng.integers(config.subjects[0], config.subjects[1] + 1))
    layers = [_background(rng, size, frame_count, focal_px, config, backgrounds)]
    if rng.uniform() < config.floor:
        layers.append(_floor(rng, size, frame_count, focal_px, backgrounds))
    first_subject = len(layers)
    for depth in _spread_depths(rng, count):
        layers.append(_subject(rng, size, frame_count, focal_px, float(depth), config, subjects))
    moves = rng.uniform() < config.camera
    camera = motions.camera(rng, frame_count) if moves else motions.still(frame_count)
    return Scene(layers, range(first_subject, len(layers)), camera, focal_px, height, width)


def _spread_depths(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Depths of subjects, even in disparity, which is what blur goes by."""
    near, far = SUBJECT_DEPTH
    return 1 / rng.uniform(1 / far, 1 / near, count)


def _subject(
    rng: np.random.Generator,
    size: tuple[int, int],
    frame_count: int,
    focal_px: float,
    depth: float,
    config: SceneConfig,
    source: Source,
) -> Layer:
    share = float(rng.uniform(0.35, 1.15))  # of the frame's longer side
    picture = source.picture(rng, int(min(share * 1.15, 1.3) * max(size)), frame_count)
    extent = share * max(size) / focal_px * depth
    height, width = picture.size
    across, down = extent * width / max(picture.size), extent * height / max(picture.size)
    middle = rng.uniform(-0.42, 0.42, 2) * [size[1], size[0]] / focal_px * depth
    slant = _slant_deg(rng, size, depth, focal_px) if rng.uniform() < config.slanted else np.zeros(2)
    plane = Plane.facing(
        np.array([*middle, depth]), (across, down), roll_deg=rng.normal(0, 8), yaw_deg=slant[0], pitch_deg=slant[1]
    )
    if picture.frame_count > 1:
        motion = motions.smooth(rng, frame_count, shift=0.03, turn_deg=1.0)
    elif rng.uniform() < config.jitter:
        motion = motions.jitter(rng, frame_count, shift=rng.uniform(0.002, 0.02), turn_deg=rng.uniform(0.2, 2))
        motion += motions.smooth(rng, frame_count, shift=0.03, turn_deg=1.0)
    else:
        motion = motions.smooth(rng, frame_count, shift=rng.uniform(0.01, 0.12), turn_deg=rng.uniform(0.5, 8))
    return Layer(picture, plane, _kept_before_camera(motion), _bend(rng) if rng.uniform() < config.curved else None)


def _slant_deg(rng: np.random.Generator, size: tuple[int, int], depth: float, focal_px: float) -> NDArray[np.float64]:
    """Yaw and pitch of a slanted plane, as far as the strongest lens still sees all of it."""
    # Disparity 1/z changes by tan(slant) / (focal * z) in a pixel.
    steepest = _STEEPEST / (_STRONGEST_RADIUS_PX_PER_LONG_SIDE * max(size)) * focal_px * depth / SUBJECT_DEPTH[0]
    limit = min(60.0, float(np.rad2deg(np.arctan(steepest))))
    return rng.uniform(-limit, limit, 2) * [1, 0.6]


def _bend(rng: np.random.Generator) -> Bend:
    amount = float(rng.uniform(0.08, 0.3) * rng.choice([1, 1, -0.5]))
    return Bend(amount, along_deg=None if rng.uniform() < 0.5 else float(rng.choice([0, 90, rng.uniform(0, 180)])))


def _kept_before_camera(motion: Motion) -> Motion:
    """The same motion, never nearer than four fifths of the depth where it began, and not too far to the side."""
    return Motion(np.clip(motion.shift, [-0.3, -0.2, -0.2], [0.3, 0.2, 0.6]), np.clip(motion.turn_deg, -25, 25))


def _background(
    rng: np.random.Generator,
    size: tuple[int, int],
    frame_count: int,
    focal_px: float,
    config: SceneConfig,
    source: Source,
) -> Layer:
    near = rng.uniform() < config.near_background
    depth = float(rng.uniform(*(NEAR_BACKGROUND_DEPTH if near else BACKGROUND_DEPTH)))
    picture = source.picture(rng, int(1.35 * max(size)), frame_count)
    height, width = picture.size
    # The least rectangle of the picture's shape that covers the frame, and a margin for what lens and motion let in.
    slanted = near and rng.uniform() < 0.6
    slant = rng.uniform(-35, 35, 2) * [1, 0.3] if slanted else np.zeros(2)
    cover = (1.7 if slanted else 1.2) * max(size[1] / width, size[0] / height) / focal_px * depth
    plane = Plane.facing(np.array([0, 0, depth]), (cover * width, cover * height), yaw_deg=slant[0], pitch_deg=slant[1])
    bend = Bend(float(rng.uniform(-0.3, 0.3))) if near and rng.uniform() < 0.4 else None
    if config.camera == 0:
        motion = motions.smooth(rng, frame_count, shift=0.02, turn_deg=0.5)
    else:
        motion = motions.still(frame_count)
    return Layer(picture, plane, motion, bend, endless=True)


def _floor(rng: np.random.Generator, size: tuple[int, int], frame_count: int, focal_px: float, source: Source) -> Layer:
    """A table, path, wall or ceiling that runs away from the camera, from the frame's border into the distance."""
    picture = source.picture(rng, int(1.3 * max(size)), frame_count)
    side = rng.choice(4)
    near, far = float(rng.uniform(1.2, 2.0)), float(rng.uniform(3, 9))
    normal = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0], [0, -1, 0]][side], float)
    sideways = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]][side], float)
    # At its near border it lies as far off the axis as the frame ends there.
    edge = (size[1] if side == 2 else size[0]) / 2 / focal_px * near
    wide = rng.uniform(1.0, 2.2) * max(size) / focal_px * near
    center = normal * edge * 1.25 + np.array([0, 0, (near + far) / 2])
    return Layer(picture, Plane(center, sideways * wide, np.array([0.0, 0.0, near - far])), motions.still(frame_count))
