"""Frames with layer truth from nothing but a seed: for what learns edges, at a tenth of a second of processor time."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.synthesis.layer_compositing import Resolved
from any2bokeh.synthesis.layer_scene import canvas_size, random_layer_scene
from any2bokeh.synthesis.layer_truth import LayerTruth
from any2bokeh.synthesis.sensor import recorded
from any2bokeh.synthesis.texture_bank import TextureBank
from any2bokeh.synthesis.wrong_map import TrueFrames, WrongMaps, wrong_maps

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def layer_frames(
    seed: int,
    size: tuple[int, int],
    count: int,
    frames_per_scene: int = 1,
    *,
    photographs: Sequence[NDArray[np.uint8]] = (),
) -> Iterator[LayerTruth]:
    """Frames of which every surface is known, each with a wrong map.

    Args:
        seed: of all of them; the same seed gives the same frames, and the first frames of more.
        size: (H, W) in pixels, at least 32 each.
        count: how many.
        frames_per_scene: so many frames follow one another in a scene that moves.
        photographs: ``(h, w, 3)`` uint8 RGB pictures that some of the surfaces show.

    Raises:
        InputError: a size or a number that is too small.
    """
    if min(size) < 32 or frames_per_scene < 1 or count < 0 or seed < 0:
        raise InputError(
            f"size {size[1]}x{size[0]}, {count} frames, {frames_per_scene} a scene, seed {seed}; "
            "allowed are at least 32x32, 0 frames, 1 a scene, and seed 0"
        )
    rng = np.random.default_rng((seed, _STREAM))
    bank = TextureBank(rng, canvas_size(size, frames_per_scene), photographs)
    left = count
    while left > 0:
        frames = _scene_frames(rng, bank, size, frames_per_scene)
        yield from frames[:left]
        left -= frames_per_scene


_STREAM = 0x4C54  # keeps these random numbers apart from those of clips with the same seed


def _scene_frames(
    rng: np.random.Generator, bank: TextureBank, size: tuple[int, int], frame_count: int
) -> list[LayerTruth]:
    scene = random_layer_scene(rng, bank, size, frame_count)
    resolved = [scene.frame(t).resolved() for t in range(frame_count)]
    if rng.uniform() < 0.4:
        bank.take(np.rint(resolved[0].clean.transpose(1, 2, 0) * 255).astype(np.uint8))
    camera_seed = int(rng.integers(2**31))
    # The camera and the codec are one and the same over a scene; their noise is not.
    pictures = [recorded(np.random.default_rng(camera_seed), rng, one.clean) for one in resolved]
    truth = TrueFrames(
        *(
            np.stack([getattr(one, name) for one in resolved])
            for name in ("disparity", "alpha", "near", "far", "shares")
        ),
        luma=np.stack([np.tensordot(_LUMA, picture, 1) for picture in pictures]),
    )
    wrong = wrong_maps(rng, truth)
    return [_frame(one, pictures[t], wrong, t) for t, one in enumerate(resolved)]


def _frame(one: Resolved, pixels: NDArray[np.float32], wrong: WrongMaps, frame: int) -> LayerTruth:
    def scaled(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
        return disparity if wrong.tone is None else wrong.tone.applied(disparity, frame)

    return LayerTruth(
        pixels=pixels,
        disparity=scaled(one.disparity)[None],
        given=wrong.disparity[frame][None],
        enlarged=wrong.enlarged,
        near=scaled(one.near),
        far=scaled(one.far),
        third=scaled(one.third),
        alpha=one.alpha,
        foreground=one.foreground,
        background=one.background,
        hidden=one.hidden,
        hidden_disparity=scaled(one.hidden_disparity),
        is_hidden_known=one.is_hidden_known,
    )
