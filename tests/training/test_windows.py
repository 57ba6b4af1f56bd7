"""Training windows."""

from itertools import islice

import numpy as np
import pytest
import torch

from any2bokeh.errors import InputError
from any2bokeh.mpi import region_index
from any2bokeh.training.windows import Cut, TrainingWindows, WindowBatch, window_loader
from tests.training.clips import SoftClips


def windows(
    perturbation: float = 0.0, cut: Cut | None = None, shuffle: bool = True, frames: int = 3
) -> TrainingWindows:
    clips = SoftClips(frames=6, width=192)
    return TrainingWindows(clips, frames=frames, seed=5, perturbation=perturbation, alpha=1.0, cut=cut, shuffle=shuffle)


def test_a_window_is_what_the_networks_take() -> None:
    window, clip = windows(shuffle=False)[1], SoftClips(frames=6, width=192).clip(1)
    np.testing.assert_array_equal(window["frames"], clip.frames[:3])
    np.testing.assert_array_equal(window["bokeh"], clip.bokeh[:3])
    focus = float(clip.focus_disparity[0])
    np.testing.assert_allclose(window["difference"], np.abs(clip.disparity[:3] - focus), atol=1e-6)
    np.testing.assert_array_equal(window["regions"], region_index(clip.disparity[:3, 0], focus))
    np.testing.assert_allclose(window["blur_strength"], clip.blur_strength[:3] * 192 / 1024, rtol=1e-6)


def test_a_cut_is_the_same_place_of_everything() -> None:
    cut = windows(cut=Cut(64, 64, flip=True))
    mirrored = 0
    for number in range(12):
        window, whole = cut[number], windows()[number]
        places = [
            (left, flipped)
            for left in range(192 - 64 + 1)
            for flipped in (False, True)
            if torch.equal(window["frames"], _cut(whole["frames"], left, flipped))
        ]
        assert len(places) == 1
        mirrored += places[0][1]
        for name in ("bokeh", "difference", "regions"):
            assert torch.equal(window[name], _cut(whole[name], *places[0]))
        assert torch.equal(window["blur_strength"], whole["blur_strength"])  # pixels stay as large as they are
    assert 0 < mirrored < 12


def _cut(values: torch.Tensor, left: int, flipped: bool) -> torch.Tensor:
    part = values[..., left : left + 64]
    return part.flip(-1) if flipped else part


def test_perturbation_changes_disparity_alone() -> None:
    exact, perturbed = windows()[3], windows(perturbation=1.0)[3]
    assert torch.equal(exact["frames"], perturbed["frames"])
    assert torch.equal(exact["bokeh"], perturbed["bokeh"])
    assert not torch.equal(exact["difference"], perturbed["difference"])
    # Half of the frames, each by itself, to four deviations of a fair coin thrown 72 times.
    changed = [
        [
            not torch.equal(*pair)
            for pair in zip(windows()[n]["difference"], windows(perturbation=0.5)[n]["difference"], strict=True)
        ]
        for n in range(24)
    ]
    assert 19 <= sum(map(sum, changed)) <= 53
    assert any(0 < sum(window) < len(window) for window in changed)


def numbers(first_step: int, batch_size: int, process: int, process_count: int, workers: int = 0) -> list[list[int]]:
    loader = window_loader(
        windows(frames=1),
        first_step=first_step,
        steps=4,
        accumulation=2,
        batch_size=batch_size,
        process=process,
        process_count=process_count,
        workers=workers,
        pinned=False,
    )
    return [batch["number"].tolist() for batch in loader]


def test_processes_share_the_windows_of_a_bigger_batch() -> None:
    whole = numbers(0, 4, 0, 1)
    halves = [numbers(0, 2, process, 2) for process in (0, 1)]
    assert whole == [first + second for first, second in zip(*halves, strict=True)]
    assert [number for batch in whole for number in batch] == list(range(32))
    assert numbers(3, 4, 0, 1) == whole[6:]  # two forward passes a step


@pytest.mark.slow
def test_workers_change_nothing() -> None:
    def batches(workers: int) -> list[WindowBatch]:
        loader = window_loader(
            windows(perturbation=0.5),
            first_step=0,
            steps=3,
            accumulation=1,
            batch_size=2,
            process=0,
            process_count=1,
            workers=workers,
            pinned=False,
        )
        return list(islice(loader, 3))

    for one, other in zip(batches(0), batches(2), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_clips_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="training clips are 192x64, cut to 256x256; the cut must fit into the clip"):
        windows(cut=Cut(256, 256))[0]
    with pytest.raises(InputError, match="training windows have 7 frames but the clips have 6"):
        windows(frames=7)
