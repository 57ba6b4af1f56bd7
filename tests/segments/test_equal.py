"""A clip that is cut, rendered in segments, interrupted and joined equals the clip rendered whole."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.aov.kinds import AovRequest
from any2bokeh.disparity import DepthModel
from any2bokeh.disparity.mending import Stroke
from any2bokeh.focus import Autofocus, FocusScript
from any2bokeh.optics.breathing import Breathing
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.segments.cut import Segmentation
from any2bokeh.video import Encoding
from tests import clips
from tests.video.stream_surgery import with_packets

FRAMES = 27
LOSSLESS = Encoding(codec="ffv1")
CUT = Segmentation(8)


class Stopped(Exception):
    """An interruption."""


def stop_at(frame: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == frame:
            raise Stopped

    return progress


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``clip.mp4`` with B-frames, grain and sound, and its ``maps``."""
    folder = tmp_path_factory.mktemp("material")
    clips.write_clip(folder / "clip.mp4", frames=FRAMES)
    clips.write_disparity(folder / "maps", stop=FRAMES)
    return folder


@pytest.fixture
def rack(material: Path) -> Recipe:
    """Focus and blur that change in every frame, so over each border, with all that looks along the clip."""
    script = FocusScript.from_dense(
        [0.2 + 0.7 * index / FRAMES for index in range(FRAMES)], [90 + 10 * (index % 5) for index in range(FRAMES)]
    )
    return Recipe(script, disparity=material / "maps", grain=1.0, breathing=Breathing(0.2))


def interrupted(clip: Path, output: Path, recipe: Recipe, *, at: int = 19, **options: object) -> None:
    """Render in segments, in two runs."""
    with pytest.raises(Stopped):
        refocus(clip, output, recipe, segmentation=CUT, progress=stop_at(at), **options)  # type: ignore[arg-type]
    assert not output.exists()
    assert len(list(output.with_name(f"{output.name}.parts").glob("segment-*"))) == at // 8
    left: list[int] = []
    refocus(clip, output, recipe, segmentation=CUT, progress=lambda done, total: left.append(total), **options)  # type: ignore[arg-type]
    known = options.get("frames") or (0, FRAMES)
    assert set(left) == {known[1] - known[0] - at // 8 * 8}  # type: ignore[index]


def shown(path: Path) -> tuple[list[float], float]:
    """When every picture is shown, and when the last one is over, in seconds, as a player gets them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert base is not None
        stamps = [float((frame.pts or 0) * base) for frame in container.decode(stream)]
        return stamps, float((stream.duration or 0) * base)


def assert_equal_clips(one: Path, other: Path, *, apart_from: Path | None = None) -> None:
    """The same frames and times; and blurred, where the source is given: no frame is that of the source."""
    if apart_from is not None:
        pairs = zip(clips.decoded(one), clips.decoded(apart_from)[-len(clips.decoded(one)) :], strict=True)
        assert not any(np.array_equal(ours, theirs) for ours, theirs in pairs)
    for ours, theirs in zip(clips.decoded(one), clips.decoded(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert shown(one) == shown(other)


def assert_only(folder: Path, *names: str) -> None:
    assert sorted(each.name for each in folder.iterdir()) == sorted(names)


def test_racks_grain_and_breathing_are_alike_over_borders(material: Path, rack: Recipe, tmp_path: Path):
    clip = material / "clip.mp4"
    refocus(clip, tmp_path / "whole.mkv", rack, encoding=LOSSLESS)
    interrupted(clip, tmp_path / "cut.mkv", rack, encoding=LOSSLESS)
    assert_equal_clips(tmp_path / "cut.mkv", tmp_path / "whole.mkv", apart_from=clip)
    assert clips.sound_packets(tmp_path / "cut.mkv") == clips.sound_packets(clip)
    assert_only(tmp_path, "whole.mkv", "cut.mkv")


def test_a_part_with_maps_of_its_own_is_alike_over_borders(material: Path, tmp_path: Path):
    script = FocusScript.from_dense([0.9] * (FRAMES - 3), [120] * (FRAMES - 3))
    clip, recipe = material / "clip.mp4", Recipe(script, disparity=tmp_path / "maps")
    clips.write_disparity(tmp_path / "maps", start=3, stop=FRAMES)
    part = (3, FRAMES)
    refocus(clip, tmp_path / "whole.mkv", recipe, encoding=LOSSLESS, frames=part)
    interrupted(clip, tmp_path / "cut.mkv", recipe, encoding=LOSSLESS, frames=part)
    assert_equal_clips(tmp_path / "cut.mkv", tmp_path / "whole.mkv", apart_from=clip)
    assert clips.sound_packets(tmp_path / "cut.mkv") == clips.sound_packets(tmp_path / "whole.mkv")


def test_estimated_disparity_and_a_focus_that_is_found_are_kept(
    material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    clip, recipe = material / "clip.mp4", Recipe(Autofocus(), disparity=DepthModel("rough"), blur_strength=120)
    whole = refocus(clip, tmp_path / "whole.mkv", recipe, encoding=LOSSLESS)
    with pytest.raises(Stopped):
        refocus(clip, tmp_path / "cut.mkv", recipe, encoding=LOSSLESS, segmentation=CUT, progress=stop_at(19))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))  # what was estimated is no longer in the cache
    estimated: list[int] = []
    cut = refocus(
        clip,
        tmp_path / "cut.mkv",
        recipe,
        encoding=LOSSLESS,
        segmentation=CUT,
        estimating=lambda done, total: estimated.append(done),
    )
    assert estimated == []
    assert not (tmp_path / "empty").exists()
    np.testing.assert_array_equal(cut.track.focus_disparity, whole.track.focus_disparity)
    assert_equal_clips(tmp_path / "cut.mkv", tmp_path / "whole.mkv", apart_from=clip)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("out.mp4", Encoding()),
        ("out.mkv", Encoding(codec="hevc", pixel_format="yuv420p10le")),
        ("out.webm", Encoding()),
        ("out.mov", Encoding(codec="prores")),
    ],
)
def test_an_interrupted_render_equals_one_that_was_not(material: Path, tmp_path: Path, name: str, encoding: Encoding):
    recipe = Recipe(FocusScript.constant(0.9, 0), disparity=material / "maps")
    clip, once, twice = material / "clip.mp4", tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    refocus(clip, once / name, recipe, segmentation=CUT, encoding=encoding)
    interrupted(clip, twice / name, recipe, encoding=encoding)
    assert_equal_clips(once / name, twice / name)
    if name.endswith((".mp4", ".mov")):  # Matroska notes a random number
        assert (once / name).read_bytes() == (twice / name).read_bytes()
    # Times are those of a render in one piece.
    refocus(clip, tmp_path / name, recipe, encoding=encoding)
    assert shown(tmp_path / name) == shown(once / name)


def test_times_of_variable_rate_are_kept(material: Path, tmp_path: Path):
    steps = [0.01, 0.3, 0.02, 0.04, 0.001]
    clip = tmp_path / "vfr.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = clips.WIDTH, clips.HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90000)
        at = 0
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(clips.picture(index), format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 90000)
            container.mux(stream.encode(frame))
            at += round(steps[index % len(steps)] * 90000)
        container.mux(stream.encode(None))
    recipe = Recipe(FocusScript.constant(0.9, 0), disparity=material / "maps")
    refocus(clip, tmp_path / "whole.mp4", recipe)
    refocus(clip, tmp_path / "cut.mp4", recipe, segmentation=CUT)
    assert shown(tmp_path / "cut.mp4") == shown(tmp_path / "whole.mp4")
    with av.open(str(tmp_path / "cut.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    dts = [packet.dts or 0 for packet in packets]
    assert all(after > before for before, after in pairwise(dts))
    assert all((packet.pts or 0) >= (packet.dts or 0) for packet in packets)
    # Every segment begins at a key frame.
    keys = {packet.pts for packet in packets if packet.is_keyframe}
    assert keys >= {sorted(packet.pts or 0 for packet in packets)[start] for start in (0, 8, 16)}


def test_images_and_aovs_are_alike(material: Path, rack: Recipe, tmp_path: Path):
    clip = material / "clip.mp4"
    for name in ("whole", "cut"):
        aovs = AovRequest(("coc", "layers"), tmp_path / f"{name}-aov")
        if name == "whole":
            refocus(clip, tmp_path / name, rack, aovs=aovs)
        else:
            interrupted(clip, tmp_path / name, rack, aovs=aovs)
    for kind in ("", "-aov"):
        one, other = _files(tmp_path / f"whole{kind}"), _files(tmp_path / f"cut{kind}")
        assert list(one) == list(other)
        assert len(one) in (FRAMES, 4 * FRAMES + 1)
        for name, samples in one.items():
            np.testing.assert_array_equal(other[name], samples, err_msg=name)
    assert_only(tmp_path, "whole", "cut", "whole-aov", "cut-aov")


@pytest.mark.slow
def test_windows_of_an_engine_are_those_of_the_whole_clip(material: Path, tmp_path: Path):
    """A window of the diffusion engine sees frames of both sides of a border."""
    pytest.importorskip("diffusers")
    import torch

    from any2bokeh.engines import EngineSettings
    from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline

    torch.set_num_threads(1)  # tiny networks gain nothing from more
    tiny_pipeline().save_pretrained(tmp_path / "model")
    clip = clips.write_clip(tmp_path / "clip.mp4", frames=18, width=64, height=64)
    clips.write_disparity(tmp_path / "maps", stop=18, width=64, height=64)
    settings = EngineSettings(engine="diffusion", model=str(tmp_path / "model"), device="cpu", window=6, overlap=2)
    recipe = Recipe(FocusScript.constant(0.9, 120), disparity=tmp_path / "maps", engine=settings)
    refocus(clip, tmp_path / "whole.mkv", recipe, encoding=LOSSLESS)
    with pytest.raises(Stopped):
        refocus(clip, tmp_path / "cut.mkv", recipe, encoding=LOSSLESS, segmentation=CUT, progress=stop_at(12))
    refocus(clip, tmp_path / "cut.mkv", recipe, encoding=LOSSLESS, segmentation=CUT)
    assert_equal_clips(tmp_path / "cut.mkv", tmp_path / "whole.mkv", apart_from=clip)


@pytest.mark.parametrize("last", [16, 20])
def test_a_clip_that_ends_early_ends_there(material: Path, tmp_path: Path, last: int):
    """At a border, and within a segment."""
    options = {"bf": "0", "x264-params": "scenecut=0"}
    whole_clip = clips.write_clip(tmp_path / "all.mkv", frames=FRAMES, sound=False, options=options)
    clip = with_packets(whole_clip, tmp_path / "clip.mkv", lambda at, data: data if at < last else b"\0\0\0\2\x6f\xff")
    recipe = Recipe(FocusScript.constant(0.9, 0), disparity=material / "maps")
    whole = refocus(clip, tmp_path / "whole.mkv", recipe, encoding=LOSSLESS)
    cut = refocus(clip, tmp_path / "cut.mkv", recipe, encoding=LOSSLESS, segmentation=CUT)
    assert cut.frame_count == whole.frame_count == last
    assert_equal_clips(tmp_path / "cut.mkv", tmp_path / "whole.mkv")


def _files(folder: Path) -> dict[str, NDArray[np.float32] | str]:
    """Samples of each picture, which also holds the time at which it was written, and the text of each other file."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {
        each.relative_to(folder).as_posix(): each.read_text() if each.suffix == ".json" else _samples(each)
        for each in files
    }


def _samples(path: Path) -> NDArray[np.float32]:
    import OpenImageIO

    return np.asarray(OpenImageIO.ImageBuf(str(path)).get_pixels(), np.float32)


@pytest.mark.parametrize("disparity", ["maps", "rough"])
def test_brush_strokes_go_over_borders(material: Path, tmp_path: Path, disparity: str):
    """Strokes lie on maps of files and on kept estimates; they are carried into segments that a later run renders."""
    strokes = (
        Stroke(2, "nearer", ((0.2, 0.3), (0.6, 0.5)), 0.2, 1.0),
        Stroke(10, "back", ((0.8, 0.8),), 0.1, 1.0),
    )
    recipe = Recipe(
        FocusScript.constant(0.3, 60),
        disparity=material / "maps" if disparity == "maps" else DepthModel("rough"),
        strokes=strokes,
    )
    refocus(material / "clip.mp4", tmp_path / "whole.mkv", recipe, encoding=LOSSLESS)
    interrupted(material / "clip.mp4", tmp_path / "cut.mkv", recipe, encoding=LOSSLESS)
    refocus(material / "clip.mp4", tmp_path / "bare.mkv", replace(recipe, strokes=()), encoding=LOSSLESS)
    whole, cut, bare = (clips.decoded(tmp_path / f"{name}.mkv") for name in ("whole", "cut", "bare"))
    np.testing.assert_array_equal(whole, cut)
    for index in (2, 10, FRAMES - 1):
        assert not np.array_equal(whole[index], bare[index])
