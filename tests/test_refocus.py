import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, Keyframe, PointTarget
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import FRAMES_BETWEEN_THREADS, refocus, refocus_frames
from any2bokeh.renderers.base import RenderInput
from any2bokeh.video import Encoding, open_source
from tests import clips

HANGS_AFTER_S = 300.0

BLURRED = FocusScript.constant(0.9, 16)
SHARP = FocusScript.constant(0.9, 0)
LOSSLESS = Encoding(codec="ffv1")


class Inverting:
    """Inverts every frame whose K is not 0, and remembers what it was given."""

    def __init__(self, window: int = 1) -> None:
        self.window, self.overlap = window, 0
        self.given: list[RenderInput] = []

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        ahead: deque[RenderInput] = deque()
        for render_input in inputs:
            self.given.append(render_input)
            ahead.append(render_input)
            if len(ahead) == self.window:
                yield from map(_inverted, ahead)
                ahead.clear()
        yield from map(_inverted, ahead)


class Failing:
    """Raises at one frame."""

    window, overlap = 1, 0

    def __init__(self, frame: int, error: BaseException) -> None:
        self._frame, self._error = frame, error

    def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
        for number, render_input in enumerate(inputs):
            if number == self._frame:
                raise self._error
            yield render_input.pixels


class Maps:
    """Disparity in memory, which may raise at one frame."""

    def __init__(self, frame_count: int = clips.FRAMES, *, fails_at: int | None = None) -> None:
        self.frame_count = frame_count
        self._fails_at = fails_at
        self.read = 0

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        for index in range(start, self.frame_count if stop is None else stop):
            self.read += 1
            yield self.at(index)

    def at(self, index: int) -> NDArray[np.float32]:
        if index == self._fails_at:
            raise InputError(f"disparity frame {index} is damaged")
        return (clips.depth_map(index)[None] / np.float32(65535)).astype(np.float32)


def _inverted(render_input: RenderInput) -> NDArray[np.float32]:
    return render_input.pixels if render_input.blur_strength == 0 else 1 - render_input.pixels


def _assert_nothing_left(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == []
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"any2bokeh read", "any2bokeh write"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An empty folder for what a job writes."""
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


def test_every_frame_is_rendered_with_its_disparity_and_focus(clip: Path, disparity_folder: Path, results: Path):
    renderer = Inverting()
    script = FocusScript.from_dense(
        [index / 20 for index in range(clips.FRAMES)], [float(index) for index in range(clips.FRAMES)]
    )
    result = refocus(clip, results / "out.mkv", Recipe(focus=script, disparity=disparity_folder), renderer=renderer)

    assert result.frame_count == clips.FRAMES
    assert [given.focus_disparity for given in renderer.given] == [index / 20 for index in range(clips.FRAMES)]
    assert [given.blur_strength for given in renderer.given] == list(range(clips.FRAMES))
    for index, given in enumerate(renderer.given):
        assert given.pixels.shape == (3, clips.HEIGHT, clips.WIDTH)
        np.testing.assert_allclose(given.disparity[0], clips.depth_map(index) / 65535, atol=1e-6)


def test_result_has_what_was_rendered(frame_folder: Path, disparity_folder: Path, results: Path):
    refocus(frame_folder, results / "out", Recipe(focus=BLURRED, disparity=disparity_folder), renderer=Inverting())
    for index in range(clips.FRAMES):
        written = cv2.cvtColor(cv2.imread(str(results / "out" / f"{index:05d}.png")), cv2.COLOR_BGR2RGB)  # type: ignore[arg-type]
        np.testing.assert_array_equal(written, 255 - clips.picture(index))


def test_sound_is_copied(clip: Path, disparity_folder: Path, results: Path):
    refocus(clip, results / "out.mp4", Recipe(focus=BLURRED, disparity=disparity_folder), renderer=Inverting())
    assert clips.sound_packets(results / "out.mp4") == clips.sound_packets(clip)


def test_unblurred_video_is_the_decoded_source_bit_for_bit(clip: Path, disparity_folder: Path, results: Path):
    refocus(
        clip, results / "out.mkv", Recipe(focus=SHARP, disparity=disparity_folder), encoding=LOSSLESS
    )  # layered engine
    for written, source in zip(clips.decoded(results / "out.mkv"), clips.decoded(clip), strict=True):
        np.testing.assert_array_equal(written, source)


def test_unblurred_frames_between_blurred_ones_are_the_source_bit_for_bit(
    clip: Path, disparity_folder: Path, results: Path
):
    strengths = [0.0 if index % 3 == 0 else 20.0 for index in range(clips.FRAMES)]
    script = FocusScript.from_dense([0.9] * clips.FRAMES, strengths)
    refocus(clip, results / "out.mkv", Recipe(focus=script, disparity=disparity_folder), encoding=LOSSLESS)
    pairs = zip(clips.decoded(results / "out.mkv"), clips.decoded(clip), strict=True)
    assert [bool((written == source).all()) for written, source in pairs] == [k == 0 for k in strengths]


def test_unblurred_images_are_the_source_bit_for_bit(frame_folder: Path, disparity_folder: Path, results: Path):
    refocus(frame_folder, results / "out", Recipe(focus=SHARP, disparity=disparity_folder))
    for index in range(clips.FRAMES):
        name = f"{index:05d}.png"
        np.testing.assert_array_equal(cv2.imread(str(results / "out" / name)), cv2.imread(str(frame_folder / name)))


@pytest.mark.parametrize("part", [False, True], ids=["disparity of the clip", "disparity of the part"])
def test_range_is_rendered_with_its_own_disparity(clip: Path, tmp_path: Path, results: Path, part: bool):
    start, stop = 3, 9
    maps = clips.write_disparity(tmp_path / "maps", start=start if part else 0, stop=stop if part else clips.FRAMES)
    renderer = Inverting()
    # The point lies on the slope in every frame; its keyframe is the first frame of the part.
    script = FocusScript(keyframes=(Keyframe(frame=start, target=PointTarget(0.98, 0.05), blur_strength=8),))
    result = refocus(
        clip,
        results / "out.mkv",
        Recipe(focus=script, disparity=maps),
        renderer=renderer,
        start_s=start / clips.FPS,
        end_s=stop / clips.FPS,
    )

    assert (result.start, result.stop) == (start, stop)
    assert len(clips.decoded(results / "out.mkv")) == stop - start
    for index, given in enumerate(renderer.given, start):
        np.testing.assert_allclose(given.disparity[0], clips.depth_map(index) / 65535, atol=1e-6)
        assert given.focus_disparity == pytest.approx(0.395, abs=0.02)
    with open_source(clip) as source:
        wanted = [frame.pixels for frame in source.frames(start, stop)]
    for given, pixels in zip(renderer.given, wanted, strict=True):
        np.testing.assert_array_equal(given.pixels, pixels)


def test_dense_script_of_the_clip_serves_disparity_of_a_part(clip: Path, tmp_path: Path, results: Path):
    maps = clips.write_disparity(tmp_path / "maps", start=3, stop=9)
    script = FocusScript.from_dense([index / 20 for index in range(clips.FRAMES)], [8.0] * clips.FRAMES)
    start_s, end_s = 3 / clips.FPS, 9 / clips.FPS
    result = refocus(
        clip,
        results / "out.mkv",
        Recipe(focus=script, disparity=maps),
        renderer=Inverting(),
        start_s=start_s,
        end_s=end_s,
    )
    assert result.track.focus_disparity.tolist() == [index / 20 for index in range(3, 9)]


def test_keyframe_before_the_disparity_of_a_part_is_refused(clip: Path, tmp_path: Path, results: Path):
    maps = clips.write_disparity(tmp_path / "maps", start=3, stop=9)
    start_s, end_s = 3 / clips.FPS, 9 / clips.FPS
    with pytest.raises(InputError, match="keyframe at frame 0, before frame 3"):
        refocus(
            clip,
            results / "out.mkv",
            Recipe(focus=FocusScript.at_point(0.5, 0.5, 8), disparity=maps),
            start_s=start_s,
            end_s=end_s,
        )
    _assert_nothing_left(results)


def test_existing_output_is_refused_before_the_disparity_is_read(clip: Path, results: Path):
    (results / "out.mkv").write_bytes(b"earlier result")
    with pytest.raises(InputError, match="exists"):
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=results / "no such disparity"))


def test_time_between_two_frames_takes_the_later_one(clip: Path, disparity_folder: Path, results: Path):
    result = refocus(
        clip,
        results / "out.mkv",
        Recipe(focus=BLURRED, disparity=disparity_folder),
        renderer=Inverting(),
        start_s=2.5 / clips.FPS,
        end_s=4.5 / clips.FPS,
    )
    assert (result.start, result.stop) == (3, 5)  # frames 3 and 4 are shown at 0.125 and 0.167 s


@pytest.mark.parametrize(("start_s", "end_s"), [(0.3, 0.2), (0.2, 0.2), (9, None), (-1, None), (0, float("nan"))])
def test_empty_or_odd_range_is_refused(
    clip: Path, disparity_folder: Path, results: Path, start_s: float, end_s: float | None
):
    with pytest.raises(InputError):
        refocus(
            clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=disparity_folder), start_s=start_s, end_s=end_s
        )
    _assert_nothing_left(results)


def test_disparity_of_another_size_is_brought_to_the_picture(clip: Path, tmp_path: Path, results: Path):
    maps = clips.write_disparity(tmp_path / "small", width=clips.WIDTH // 2, height=clips.HEIGHT // 2)
    renderer = Inverting()
    refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=maps), renderer=renderer)
    assert {given.disparity.shape for given in renderer.given} == {(1, clips.HEIGHT, clips.WIDTH)}


def test_windowed_renderer_gets_frames_ahead(clip: Path, disparity_folder: Path, results: Path):
    renderer = Inverting(window=8)  # more than wait between the threads
    refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=disparity_folder), renderer=renderer)
    assert len(clips.decoded(results / "out.mkv")) == clips.FRAMES


def test_disparity_may_be_in_memory(clip: Path, results: Path):
    refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps()), renderer=Inverting())
    assert len(clips.decoded(results / "out.mkv")) == clips.FRAMES


def test_disparity_in_memory_of_another_length_is_refused(clip: Path, results: Path):
    with pytest.raises(InputError, match="11 frames but the clip has 12"):
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps(11)), renderer=Inverting())
    _assert_nothing_left(results)


def test_progress_counts_from_none_to_all_in_the_calling_thread(clip: Path, results: Path):
    seen = []
    refocus(
        clip,
        results / "out.mkv",
        Recipe(focus=BLURRED, disparity=Maps()),
        renderer=Inverting(),
        progress=lambda done, total: seen.append((done, total, threading.current_thread())),
    )
    here = threading.current_thread()
    assert seen == [(done, clips.FRAMES, here) for done in range(clips.FRAMES + 1)]


def test_decoding_goes_on_while_a_frame_is_rendered_and_stops_when_enough_wait(clip: Path, results: Path):
    maps = Maps()

    class Slow(Inverting):
        def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
            for number, render_input in enumerate(inputs):
                if number == 0:
                    # The first frame is being rendered: the reader fills the gap, holds one more, and waits.
                    wanted = 1 + FRAMES_BETWEEN_THREADS + 1
                    until = time.monotonic() + HANGS_AFTER_S
                    while maps.read < wanted:
                        assert time.monotonic() < until
                        time.sleep(0.01)
                    threading.Event().wait(0.2)
                    assert maps.read == wanted
                yield render_input.pixels

    refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=maps), renderer=Slow())


def test_encoding_goes_on_while_a_frame_is_rendered(clip: Path, results: Path, monkeypatch: pytest.MonkeyPatch):
    first_written = threading.Event()
    module = import_module("any2bokeh.refocusing")
    open_sink = module.open_sink

    def watched(*args, **options):
        sink = open_sink(*args, **options)
        write = sink.write

        def write_and_tell(frame, pixels):
            write(frame, pixels)
            first_written.set()

        monkeypatch.setattr(type(sink), "write", lambda self, frame, pixels: write_and_tell(frame, pixels))
        return sink

    class Slow(Inverting):
        def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
            for number, render_input in enumerate(inputs):
                if number == 1:
                    assert first_written.wait(HANGS_AFTER_S), (
                        "the first frame was not written while the second was rendered"
                    )
                yield render_input.pixels

    monkeypatch.setattr(module, "open_sink", watched)
    refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps()), renderer=Slow())


@pytest.mark.parametrize("frame", [0, 5, clips.FRAMES - 1])
@pytest.mark.parametrize("output", ["out.mkv", "out.mp4", "out"])
def test_failure_of_the_reader_leaves_nothing(clip: Path, results: Path, frame: int, output: str):
    with pytest.raises(InputError, match=f"disparity frame {frame} is damaged"):
        refocus(clip, results / output, Recipe(focus=BLURRED, disparity=Maps(fails_at=frame)), renderer=Inverting())
    _assert_nothing_left(results)


@pytest.mark.parametrize("error", [RuntimeError("broken engine"), MemoryError(), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("frame", [0, 5, clips.FRAMES - 1])
def test_failure_of_the_renderer_leaves_nothing(clip: Path, results: Path, frame: int, error: BaseException):
    with pytest.raises(type(error)) as caught:
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps()), renderer=Failing(frame, error))
    assert caught.value is error
    _assert_nothing_left(results)


@pytest.mark.parametrize("frame", [0, 5, clips.FRAMES - 1])
def test_failure_of_the_writer_leaves_nothing(clip: Path, results: Path, frame: int, monkeypatch: pytest.MonkeyPatch):
    module = import_module("any2bokeh.refocusing")
    open_sink = module.open_sink

    def failing(*args, **options):
        sink = open_sink(*args, **options)
        write = type(sink).write

        def write_until(self, written, pixels):
            if written.index == frame:
                raise InputError("disk full")
            write(self, written, pixels)

        monkeypatch.setattr(type(sink), "write", write_until)
        return sink

    monkeypatch.setattr(module, "open_sink", failing)
    with pytest.raises(InputError, match="disk full"):
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps()), renderer=Inverting())
    _assert_nothing_left(results)


def test_failure_of_the_progress_callback_leaves_nothing(clip: Path, results: Path):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps()), renderer=Inverting(), progress=stop)
    _assert_nothing_left(results)


def test_failed_job_keeps_the_result_that_was_there(clip: Path, results: Path):
    (results / "out.mkv").write_bytes(b"earlier result")
    with pytest.raises(RuntimeError):
        refocus(
            clip,
            results / "out.mkv",
            Recipe(focus=BLURRED, disparity=Maps()),
            renderer=Failing(5, RuntimeError()),
            overwrite=True,
        )
    assert (results / "out.mkv").read_bytes() == b"earlier result"
    assert len(list(results.iterdir())) == 1


def test_renderer_that_drops_a_frame_is_a_defect(clip: Path, results: Path):
    class Dropping(Inverting):
        def render(self, inputs: Iterable[RenderInput]) -> Iterator[NDArray[np.float32]]:
            yield from list(super().render(inputs))[:-1]

    with pytest.raises(RuntimeError, match="Dropping rendered 11 of 12 frames"):
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=Maps()), renderer=Dropping())
    _assert_nothing_left(results)


def test_bad_disparity_is_refused_before_the_first_frame_is_rendered(clip: Path, tmp_path: Path, results: Path):
    maps = np.full((clips.FRAMES, clips.HEIGHT, clips.WIDTH), 0.5, np.float32)
    maps[-1, 3, 5] = np.nan
    np.save(tmp_path / "maps.npy", maps)
    renderer = Inverting()
    with pytest.raises(InputError, match="NaN"):
        refocus(clip, results / "out.mkv", Recipe(focus=BLURRED, disparity=tmp_path / "maps.npy"), renderer=renderer)
    assert renderer.given == []
    _assert_nothing_left(results)


def test_open_source_stays_open(clip: Path, results: Path):
    with open_source(clip) as source:
        for name in ("first.mkv", "second.mkv"):
            refocus(source, results / name, Recipe(focus=BLURRED, disparity=Maps()), renderer=Inverting())
        assert len(list(source.frames())) == clips.FRAMES


def _frames_and_maps(count: int = 3) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    frames = np.stack([clips.picture(index) for index in range(count)]).transpose(0, 3, 1, 2) / np.float32(255)
    maps = np.stack([clips.depth_map(index) for index in range(count)])[:, None] / np.float32(65535)
    return frames.astype(np.float32), maps.astype(np.float32)


def test_refocus_frames_blurs_what_is_out_of_focus():
    frames, maps = _frames_and_maps()
    refocused = refocus_frames(frames, maps, 0.9, 40)
    assert refocused.shape == frames.shape
    assert refocused.dtype == np.float32
    far = np.broadcast_to(maps < 0.15, frames.shape)  # a radius of 1.9 px and more, away from the square
    assert np.abs(refocused - frames)[far].mean() > 0.02


def test_refocus_frames_without_blur_returns_the_frames():
    frames, maps = _frames_and_maps()
    np.testing.assert_array_equal(refocus_frames(frames, maps, 0.9, 0), frames)


def test_refocus_frames_takes_one_value_for_each_frame():
    frames, maps = _frames_and_maps()
    refocused = refocus_frames(frames, maps, [0.9, 0.9, 0.2], [0, 40, 0])
    assert [bool((after == before).all()) for after, before in zip(refocused, frames, strict=True)] == [
        True,
        False,
        True,
    ]


def test_refocus_frames_treats_edges():
    frames, maps = _frames_and_maps(1)
    soft = cv2.GaussianBlur(maps[0, 0], (0, 0), 1.5)[None, None]
    off, treated = (refocus_frames(frames, soft, 0.9, 40, edges=edges) for edges in ("off", "auto"))
    np.testing.assert_array_equal(treated, refocus_frames(frames, soft, 0.9, 40))
    exact = refocus_frames(frames, maps, 0.9, 40, edges="off")
    assert np.square(treated - exact).mean() < 0.5 * np.square(off - exact).mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": "sharp"}, "edges is 'sharp'"),
        ({"frames": np.zeros((3, 48, 64), np.float32)}, "frames has shape"),
        ({"frames": np.full((3, 3, 48, 64), np.nan, np.float32)}, "frames has values from nan"),
        ({"disparity": np.zeros((3, 3, 48, 64), np.float32)}, "disparity has shape"),
        ({"disparity": np.zeros((2, 1, 48, 64), np.float32)}, "3 frames but 2 disparity maps"),
        ({"disparity": np.full((3, 1, 48, 64), 1.5, np.float32)}, "from 1.5 to 1.5"),
        ({"disparity": np.full((3, 1, 48, 64), np.nan, np.float32)}, "disparity has values from nan"),
        ({"focus_disparity": 1.01}, "focus_disparity has values from 1.01"),
        ({"focus_disparity": [0.1, 0.2]}, "one for each of 3 frames"),
        ({"blur_strength": -1}, "blur_strength has values from -1"),
        ({"blur_strength": np.inf}, "blur_strength has values from inf"),
    ],
)
def test_refocus_frames_refuses(change: dict[str, Any], message: str):
    frames, maps = _frames_and_maps()
    given: dict[str, Any] = {"frames": frames, "disparity": maps, "focus_disparity": 0.5, "blur_strength": 8}
    with pytest.raises(InputError, match=message):
        refocus_frames(**given | change)
