"""What a render in segments leaves behind, and what the next run does with it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from any2bokeh.aov.kinds import AovRequest
from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.segments import parts as parts_module
from any2bokeh.segments.cut import Segment, Segmentation, cut, runs, seen_for
from any2bokeh.segments.fingerprint import differences, fingerprint
from any2bokeh.video import Encoding, open_source
from tests import clips

FRAMES = 24
CUT = Segmentation(8)


class Stopped(Exception):
    """An interruption."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.write_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    return clips.write_disparity(tmp_path / "maps", stop=FRAMES)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.fixture
def sharp(maps: Path) -> Recipe:
    return Recipe(FocusScript.constant(0.9, 0), disparity=maps)


def stop_at(frame: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == frame:
            raise Stopped

    return progress


def interrupt(clip: Path, output: Path, recipe: Recipe, *, at: int = 20) -> None:
    with pytest.raises(Stopped):
        refocus(clip, output, recipe, segmentation=CUT, progress=stop_at(at))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize(
    ("count", "lengths"), [(24, [8, 8, 8]), (25, [8, 8, 9]), (31, [8, 8, 15]), (32, [8] * 4), (5, [5]), (1, [1])]
)
def test_no_segment_is_shorter_than_encoders_like(count: int, lengths: list[int]):
    assert [len(each.frames) for each in cut(100, 100 + count, 8)] == lengths


def test_segments_that_follow_one_another_are_rendered_in_one_go():
    first, second, third, fourth = cut(0, 32, 8)
    assert runs([first, second, fourth]) == [Segment(0, 16), Segment(24, 32)]
    assert runs([third]) == [third]
    assert runs([]) == []


@pytest.mark.parametrize(("window", "overlap"), [(1, 0), (4, 0), (8, 4), (6, 2), (8, 6), (5, 1)])
def test_an_engine_sees_the_windows_that_it_sees_of_the_whole(window: int, overlap: int):
    """Which windows say something of a frame, and where each lies in the whole clip."""

    class Engine:
        def __init__(self) -> None:
            self.window, self.overlap = window, overlap

    def windows(start: int, stop: int) -> dict[int, list[tuple[int, int, bool, bool]]]:
        """Of each frame the windows over it: from, to, and whether they fade in and out."""
        stride, found, at = window - overlap, {index: [] for index in range(start, stop)}, start
        while True:
            end = min(at + window, stop)
            for index in range(at, end):
                found[index].append(
                    (at, end, at > start and index < at + overlap, end < stop and index >= end - overlap)
                )
            if end == stop:
                return found
            at += stride

    whole = windows(3, 60)
    for wanted in [Segment(3, 11), Segment(11, 19), Segment(20, 33), Segment(51, 60), Segment(3, 60)]:
        seen = seen_for(wanted, Segment(3, 60), Engine())  # type: ignore[arg-type]
        part = windows(seen.start, seen.stop)
        for index in wanted.frames:
            assert part[index] == whole[index], (wanted, index)
        assert len(seen.frames) <= len(wanted.frames) + 2 * window + 1


def test_a_failure_tells_what_is_kept_and_the_next_run_goes_on(clip: Path, results: Path, sharp: Recipe):
    told: list[str] = []
    with pytest.raises(Stopped):
        refocus(clip, results / "out.mp4", sharp, segmentation=CUT, progress=stop_at(20), notice=told.append)
    assert names(results) == ["out.mp4.parts"]
    kept = "2 of 3 segments are kept in"
    assert [each for each in told if each.startswith(kept) and "--resume goes on" in each]
    told.clear()
    refocus(clip, results / "out.mp4", sharp, segmentation=CUT, notice=told.append)
    assert [each for each in told if each.startswith("2 of 3 segments are there already")]
    assert names(results) == ["out.mp4"]


def test_joining_is_told(clip: Path, results: Path, sharp: Recipe):
    told: list[tuple[int, int]] = []
    refocus(clip, results / "out.mp4", sharp, segmentation=CUT, joining=lambda done, total: told.append((done, total)))
    assert told == [(0, 24), (8, 24), (16, 24), (24, 24)]


def test_another_recipe_does_not_go_on_from_segments(clip: Path, results: Path, sharp: Recipe, maps: Path):
    output = results / "out.mp4"
    interrupt(clip, output, sharp)
    other = Recipe(FocusScript.constant(0.5, 0), disparity=maps)
    with pytest.raises(InputError, match=r"segments of another render \(the recipe changed\); pass --overwrite"):
        refocus(clip, output, other, segmentation=CUT)
    with pytest.raises(InputError, match="the length of segments changed"):
        refocus(clip, output, sharp, segmentation=Segmentation(9))
    with pytest.raises(InputError, match="the encoding changed"):
        refocus(clip, output, sharp, segmentation=CUT, encoding=Encoding(quality=20))
    assert len(list((results / "out.mp4.parts").glob("segment-*"))) == 2
    seen: list[int] = []
    refocus(clip, output, other, segmentation=CUT, overwrite=True, progress=lambda done, total: seen.append(total))
    assert set(seen) == {FRAMES}
    assert names(results) == ["out.mp4"]


def test_what_changed_on_the_disk_is_noticed_and_what_was_copied_is_not(
    clip: Path, results: Path, sharp: Recipe, maps: Path
):
    with open_source(clip) as source:
        before = fingerprint(source, sharp, Encoding())
        os.utime(clip, ns=(0, 0))
        touched = fingerprint(source, sharp, Encoding(), known=before)
        assert differences(before, touched) == []
        (maps / "00003.png").write_bytes((maps / "00004.png").read_bytes())
        assert differences(before, fingerprint(source, sharp, Encoding(), known=before)) == [
            "a file that the recipe names"
        ]
    output = results / "out.mp4"
    interrupt(clip, output, sharp)
    with clip.open("ab") as file:
        file.write(b"\0" * 8)
    with pytest.raises(InputError, match="the input changed"):
        refocus(clip, output, sharp, segmentation=CUT)


def test_files_that_are_as_they_were_are_not_read_again(clip: Path, sharp: Recipe, monkeypatch: pytest.MonkeyPatch):
    from any2bokeh.segments import fingerprint as module

    with open_source(clip) as source:
        before = fingerprint(source, sharp, Encoding())
        read: list[Path] = []
        monkeypatch.setattr(module, "_content", lambda path: read.append(path) or "another")
        assert fingerprint(source, sharp, Encoding(), known=before) == before
        assert read == []


def test_a_folder_of_someone_else_is_left_alone(clip: Path, results: Path, sharp: Recipe):
    (results / "out.mp4.parts").mkdir()
    (results / "out.mp4.parts" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        refocus(clip, results / "out.mp4", sharp, segmentation=CUT, overwrite=True)
    assert names(results / "out.mp4.parts") == ["letter.txt"]


def test_a_second_run_does_not_touch_the_segments_of_the_first(clip: Path, results: Path, sharp: Recipe):
    output = results / "out.mp4"
    refused: list[str] = []

    def second(done: int, total: int) -> None:
        if done == 12:
            with pytest.raises(InputError) as error:
                refocus(clip, output, sharp, segmentation=CUT, overwrite=True)
            refused.append(str(error.value))

    refocus(clip, output, sharp, segmentation=CUT, progress=second)
    assert len(refused) == 1
    assert "is being written by another run" in refused[0]
    assert names(results) == ["out.mp4"]


def test_a_full_disk_is_told_and_the_segments_before_are_kept(
    clip: Path, results: Path, sharp: Recipe, maps: Path, capfd: pytest.CaptureFixture[str]
):
    """The limit on the size of a file stands for the disk: it stops the join, after every segment."""
    output = results / "out.mp4"
    command = [
        *("refocus", str(clip), "-o", str(output), "--disparity", str(maps), "--focus", "0.9", "--blur", "0"),
        *("--resume", "--segment-frames", "8", "--quality", "0"),
    ]
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    refocus(clip, results / "size.mp4", sharp, encoding=Encoding(quality=0))
    size = (results / "size.mp4").stat().st_size
    for limit, kept in ((size // 6, 0), (size * 3 // 4, 3)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
        try:
            assert run(command) == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        told = capfd.readouterr().err
        assert "grows larger than its file system or limit allows" in told
        assert f"{kept} of 3 segments are kept in" in told
        assert names(results) == ["out.mp4.parts", "size.mp4"]
        assert not list((results / "out.mp4.parts").glob("*.partial"))
    assert run([*command, "--quiet"]) == 0
    assert names(results) == ["out.mp4", "size.mp4"]


def test_a_run_that_was_killed_after_the_result_got_its_name_is_done(
    clip: Path, results: Path, sharp: Recipe, monkeypatch: pytest.MonkeyPatch
):
    output = results / "out.mp4"
    with monkeypatch.context() as patched:
        patched.setattr(parts_module.Parts, "_remove", lambda parts: None)  # where the kill comes
        refocus(clip, output, sharp, segmentation=CUT)
    assert names(results) == ["out.mp4", "out.mp4.parts"]
    data, rendered = output.read_bytes(), list[int]()
    result = refocus(clip, output, sharp, segmentation=CUT, progress=lambda done, total: rendered.append(done))
    assert result.frame_count == FRAMES
    assert rendered == []
    assert output.read_bytes() == data
    assert names(results) == ["out.mp4"]


def test_another_render_is_not_taken_for_the_one_that_was_killed_at_its_end(
    clip: Path, results: Path, sharp: Recipe, maps: Path, monkeypatch: pytest.MonkeyPatch
):
    output, other = results / "out.mp4", Recipe(FocusScript.constant(0.5, 120), disparity=maps)
    with monkeypatch.context() as patched:
        patched.setattr(parts_module.Parts, "_remove", lambda parts: None)
        refocus(clip, output, sharp, segmentation=CUT)
    data, told = output.read_bytes(), list[str]()
    refocus(clip, output, other, segmentation=CUT, overwrite=True, notice=told.append)
    assert output.read_bytes() != data
    assert [each for each in told if "segments of another render" in each]
    assert names(results) == ["out.mp4"]


def test_a_run_that_was_killed_between_two_names_gives_the_second(
    clip: Path, results: Path, sharp: Recipe, monkeypatch: pytest.MonkeyPatch
):
    output, aovs = results / "out.mp4", AovRequest(("coc",), results / "aov")
    with monkeypatch.context() as patched:
        patched.setattr(parts_module.Parts, "_remove", lambda parts: None)
        refocus(clip, output, sharp, segmentation=CUT, aovs=aovs)
    shutil.rmtree(results / "aov")  # as if it had no name yet
    rendered: list[int] = []
    refocus(clip, output, sharp, segmentation=CUT, aovs=aovs, progress=lambda done, total: rendered.append(done))
    assert rendered == []
    assert names(results) == ["aov", "out.mp4"]
    assert len(names(results / "aov" / "coc")) == FRAMES


def test_a_plain_run_tells_of_segments_that_it_leaves_alone(clip: Path, results: Path, sharp: Recipe):
    interrupt(clip, results / "out.mp4", sharp)
    told: list[str] = []
    refocus(clip, results / "out.mp4", sharp, notice=told.append)
    assert [each for each in told if "out.mp4.parts holds segments of an unfinished render" in each]
    assert names(results) == ["out.mp4", "out.mp4.parts"]


def test_options_without_effect_are_refused(clip: Path, results: Path, capsys: pytest.CaptureFixture[str]):
    base = ["refocus", str(clip), "-o", str(results / "out.mp4"), "--focus", "0.5", "--segment-frames"]
    assert run([*base, "24"]) == 2
    assert "--segment-frames 24 is for --resume" in capsys.readouterr().err
    assert run([*base, "7", "--resume"]) == 2
    assert "--segment-frames is 7; give 8 or more" in capsys.readouterr().err


def _killed_at_random(
    folder: Path, clip: Path, maps: Path, kills: int, seed: int, *, most_s: float, more: tuple[str, ...] = ()
) -> int:
    """Kill a render at random moments until it is done; how many kills came while it ran."""
    output = folder / "out.mp4"
    command = [
        *(sys.executable, "-m", "any2bokeh", "refocus", str(clip), "-o", str(output), "--disparity", str(maps)),
        *("--focus", "0.9", "--blur", "120", "--resume", "--segment-frames", "8", "--quiet", *more),
    ]
    moments, came = random.Random(seed), 0
    for _ in range(kills):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        # Not before the first thing is written: nothing could go wrong until then.
        while process.poll() is None and not any(folder.iterdir()) and time.monotonic() - begun < 120:
            time.sleep(0.005)
        try:
            process.wait(moments.uniform(0, most_s))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            came += 1
        assert (not output.exists()) or process.returncode in (0, 2, -9)
        if output.exists() and not (folder / "out.mp4.parts").exists():
            break
    if not output.exists() or (folder / "out.mp4.parts").exists():
        assert subprocess.run(command, check=False).returncode == 0
    return came


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path: Path):
    frames = 160
    clip = clips.write_clip(tmp_path / "clip.mp4", frames=frames)
    maps = clips.write_disparity(tmp_path / "maps", stop=frames)
    for folder in ("once", "killed"):
        (tmp_path / folder).mkdir()
    recipe = Recipe(FocusScript.constant(0.9, 120), disparity=maps)
    refocus(clip, tmp_path / "once" / "out.mp4", recipe, segmentation=CUT)
    came = _killed_at_random(tmp_path / "killed", clip, maps, kills=20, seed=3, most_s=2.0)
    assert came > 2
    assert (tmp_path / "killed" / "out.mp4").read_bytes() == (tmp_path / "once" / "out.mp4").read_bytes()
    assert names(tmp_path / "killed") == ["out.mp4"]


def test_notes_of_the_folder_are_plain(clip: Path, results: Path, sharp: Recipe):
    """Anyone can look what is there; no file needs code to be read."""
    interrupt(clip, results / "out.mp4", sharp)
    folder = results / "out.mp4.parts"
    assert names(folder) == ["job.json", "segment-00000000", "segment-00000008", "shot.json", "track.npz"]
    assert json.loads((folder / "job.json").read_text())["made_of"]["frames"] == [0, FRAMES]
    assert clips.decoded(folder / "segment-00000008" / "pictures" / "pictures.packets")[0].shape == (72, 64)
