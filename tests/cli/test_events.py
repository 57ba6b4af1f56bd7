"""``--json`` of ``refocus`` and ``batch``: every line is an event of the contract, and the last one ends the run."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import pytest

from any2bokeh.cli.batch import ONE_PROCESS, SOME_FAILED
from any2bokeh.cli.event_stream import EventStream
from any2bokeh.errors import InputError
from any2bokeh.events import (
    NAMES,
    SCHEMA,
    ClipFailed,
    ClipFinished,
    ClipPlanned,
    ClipStarted,
    Event,
    FramesDone,
    Remark,
    RunFailed,
    RunFinished,
    RunPlanned,
    RunStarted,
    SegmentFinished,
    SegmentStarted,
    line_of,
    read_line,
)
from tests import clips
from tests.cli.conftest import RunCli

SHARP = ("--focus", "0.9", "--blur", "0")
_DOCS = Path(__file__).resolve().parents[2] / "docs" / "events.md"

Kind = TypeVar("Kind")


def stream(out: str) -> list[Event]:
    """All lines of a stream, which are events with consecutive numbers, the last of which ends the run."""
    given = [json.loads(line) for line in out.splitlines()]
    assert [each["number"] for each in given] == list(range(len(given)))
    assert {each["schema"] for each in given} == {SCHEMA}
    times = [each["time_s"] for each in given]
    assert times == sorted(times)
    events = [read_line(line) for line in out.splitlines()]
    assert all(each is not None for each in events)
    found = [each for each in events if each is not None]
    assert isinstance(found[0], RunStarted)
    assert [isinstance(each, RunFinished | RunFailed) for each in found] == [*[False] * (len(found) - 1), True]
    assert started_and_ended(found)
    return found


def started_and_ended(events: list[Event]) -> bool:
    """Whether each clip that was started was finished or failed once, after that."""
    started = [each.clip for each in events if isinstance(each, ClipStarted)]
    ended = [each.clip for each in events if isinstance(each, ClipFinished | ClipFailed)]
    places = {
        clip: [place for place, each in enumerate(events) if getattr(each, "clip", None) == clip] for clip in started
    }
    return sorted(started) == sorted(ended) and all(
        isinstance(events[found[0]], ClipStarted) and isinstance(events[found[-1]], ClipFinished | ClipFailed)
        for found in places.values()
    )


def of_kind(events: list[Event], kind: type[Kind]) -> list[Kind]:
    return [each for each in events if isinstance(each, kind)]


def names(events: list[Event]) -> list[str]:
    """Names of the events, each once where several of a kind follow one another."""
    found = [next(name for name, kind in NAMES.items() if type(each) is kind) for each in events]
    return [name for place, name in enumerate(found) if place == 0 or found[place - 1] != name]


def test_a_run_tells_what_it_does(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    outcome = cli("refocus", clip, "--disparity", disparity_folder, *SHARP, "-o", results / "out.mp4", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    events = stream(outcome.out)
    assert names(events) == [
        *("run_started", "run_planned", "clip_started", "clip_planned", "frames_done", "clip_finished", "run_finished"),
    ]
    (planned,), (finished,) = of_kind(events, ClipPlanned), of_kind(events, ClipFinished)
    assert of_kind(events, RunPlanned) == [RunPlanned([{"input": str(clip), "output": str(results / "out.mp4")}])]
    assert (planned.frames, planned.start_frame, planned.segments) == (clips.FRAMES, 0, 0)
    assert (planned.width, planned.height, planned.fps) == (clips.WIDTH, clips.HEIGHT, str(clips.FPS))
    assert re.fullmatch(r"[0-9a-f]{64}", planned.recipe or "")
    last = of_kind(events, FramesDone)[-1]
    assert (last.stage, last.done, last.total) == ("rendering", clips.FRAMES, clips.FRAMES)
    assert (last.frames_per_s or 0) > 0
    assert last.left_s == 0
    assert (finished.state, finished.frames) == ("rendered", clips.FRAMES)
    assert finished.bytes == (results / "out.mp4").stat().st_size
    (end,) = of_kind(events, RunFinished)
    assert (end.exit_code, end.rendered, end.kept, end.failed) == (0, 1, 0, 0)
    assert end.result["frames"] == len(end.result["focus_disparity"]) == clips.FRAMES


@pytest.mark.parametrize("output", ["frames", "frame_%03d.png"])
def test_the_size_of_pictures_is_that_of_their_files(
    cli: RunCli, clip: Path, disparity_folder: Path, results: Path, output: str
):
    given = ("--disparity", disparity_folder, *SHARP, "--frames", "0:3")
    outcome = cli("refocus", clip, *given, "-o", results / output, "--json")
    assert outcome.code == 0, outcome.err
    (finished,) = of_kind(stream(outcome.out), ClipFinished)
    files = list(results.rglob("*.png"))
    assert len(files) == 3
    assert finished.bytes == sum(each.stat().st_size for each in files)


def test_equal_recipes_have_one_fingerprint(cli: RunCli, clip: Path, disparity_folder: Path, results: Path):
    def fingerprint(name: str, blur: str) -> str | None:
        given = ("--disparity", disparity_folder, "--focus", "0.9", "--blur", blur, "--frames", "0:2")
        events = stream(cli("refocus", clip, *given, "-o", results / name, "--json").out)
        return of_kind(events, ClipPlanned)[0].recipe

    assert fingerprint("a.mp4", "0") == fingerprint("b.mp4", "0") != fingerprint("c.mp4", "1")


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_remarks_are_events_too(cli: RunCli, clip: Path, disparity_folder: Path, results: Path, quiet: list[str]):
    still = ("--disparity", disparity_folder, *SHARP, "--breathing", "0.5", "--frames", "0:2")
    outcome = cli("refocus", clip, *still, "-o", results / "out.mp4", "--json", *quiet)
    assert outcome.code == 0
    remarks = [each.message for each in of_kind(stream(outcome.out), Remark)]
    assert "breathing 0.5 has no effect, because the focus does not move" in remarks
    assert [line.removeprefix("warning: ") for line in outcome.err.splitlines()] == ([] if quiet else remarks)


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        (["--fokus", "0.9"], ["run_started", "run_failed"]),
        (["--disparity", "nowhere"], ["run_started", "run_planned", "clip_started", "clip_failed", "run_failed"]),
        (["--segment-frames", "9"], ["run_started", "run_failed"]),
    ],
)
def test_a_run_that_fails_says_the_same_as_the_terminal(
    cli: RunCli, clip: Path, results: Path, more: list[str], kinds: list[str]
):
    outcome = cli("refocus", clip, "-o", results / "out.mp4", *SHARP, *more, "--json")
    events = stream(outcome.out)
    assert [name for name in names(events) if name not in ("remark", "clip_planned")] == kinds
    (failed,) = of_kind(events, RunFailed)
    assert failed.exit_code == outcome.code == 2
    assert outcome.err.splitlines()[-1] == f"error: {failed.message}"
    assert {each.message for each in of_kind(events, ClipFailed)} <= {failed.message}


def test_a_defect_is_told(
    cli: RunCli, clip: Path, disparity_folder: Path, results: Path, monkeypatch: pytest.MonkeyPatch
):
    from any2bokeh import refocusing

    def broken(*of: Any, **options: Any) -> None:
        raise RuntimeError("tiles are round")

    monkeypatch.setattr(refocusing, "make_renderer", broken)
    outcome = cli("refocus", clip, "--disparity", disparity_folder, *SHARP, "-o", results / "out.mp4", "--json")
    events = stream(outcome.out)
    (failed,) = of_kind(events, RunFailed)
    assert failed.exit_code == outcome.code == 1
    assert "tiles are round" in failed.message
    assert of_kind(events, ClipFailed) == [ClipFailed(0, failed.message, is_defect=True)]


def test_segments_are_told_and_a_second_run_tells_what_is_kept(
    cli: RunCli, tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
):
    from any2bokeh.segments.sink import SegmentedSink

    clip = clips.write_clip(tmp_path / "clip.mp4", frames=24)
    maps = clips.write_disparity(tmp_path / "maps", stop=24)
    command = ["refocus", clip, "--disparity", maps, *SHARP, "-o", results / "out.mp4"]
    command += ["--resume", "--segment-frames", "8", "--json"]
    usual = SegmentedSink.write

    def write(sink: SegmentedSink, frame: Any, pixels: Any) -> None:
        if frame.index == 20:
            raise KeyboardInterrupt
        usual(sink, frame, pixels)

    with monkeypatch.context() as patched:
        patched.setattr(SegmentedSink, "write", write)
        outcome = cli(*command)
    events = stream(outcome.out)
    (failed,) = of_kind(events, RunFailed)
    assert failed.exit_code == outcome.code == 130
    assert outcome.err.splitlines()[-1] == f"error: {failed.message}"
    borders = [(each.start_frame, each.stop_frame) for each in of_kind(events, SegmentStarted)]
    assert borders == [(0, 8), (8, 16), (16, 24)]
    kept = of_kind(events, SegmentFinished)
    assert [(each.start_frame, each.stop_frame) for each in kept] == borders[:2]
    assert all(each.bytes and each.host for each in kept)
    assert any("--resume goes on" in each.message for each in of_kind(events, Remark))

    events = stream(cli(*command).out)
    (planned,) = of_kind(events, ClipPlanned)
    assert (planned.frames, planned.segments, planned.segments_kept) == (24, 3, 2)
    assert [each.start_frame for each in of_kind(events, SegmentFinished)] == [16]
    assert of_kind(events, FramesDone)[-1].total == 8
    assert of_kind(events, ClipFinished)[0].frames == 24


def test_a_batch_with_a_bad_clip(
    cli: RunCli, tmp_path: Path, disparity_folder: Path, results: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(ONE_PROCESS, "1")
    rushes = tmp_path / "rushes"
    rushes.mkdir()
    for name in ("a", "c"):
        clips.write_clip(rushes / f"{name}.mp4")
    (rushes / "b.mp4").write_text("no film")
    command = ["batch", rushes, "--disparity", disparity_folder, *SHARP, "-o", results, "--json"]
    outcome = cli(*command)
    assert outcome.code == SOME_FAILED
    events = stream(outcome.out)
    (plan,) = of_kind(events, RunPlanned)
    assert [Path(each["input"]).name for each in plan.clips] == ["a.mp4", "b.mp4", "c.mp4"]
    assert [each.clip for each in of_kind(events, ClipFinished)] == [0, 2]
    (failed,) = of_kind(events, ClipFailed)
    assert failed.clip == 1
    assert f"failed: {rushes / 'b.mp4'}: {failed.message}" in outcome.err
    assert [each.clip for each in of_kind(events, ClipPlanned)] == [0, 2]
    (end,) = of_kind(events, RunFinished)
    assert (end.exit_code, end.rendered, end.kept, end.failed) == (3, 2, 0, 1)
    assert end.result == json.loads((results / "report.json").read_text()) | {"report": str(results / "report.json")}

    events = stream(cli(*command).out)
    assert [each.state for each in of_kind(events, ClipFinished)] == ["kept", "kept"]
    assert of_kind(events, ClipPlanned) == of_kind(events, FramesDone) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM that unwinds")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_ends_its_stream(tmp_path: Path, results: Path, number: int, code: int):
    clip = clips.write_clip(tmp_path / "clip.mp4", frames=600, sound=False)
    maps = clips.write_disparity(tmp_path / "maps", stop=1)
    for index in range(1, 600):
        (maps / f"{index:05d}.png").hardlink_to(maps / "00000.png")
    command = [sys.executable, "-m", "any2bokeh", "refocus", clip, "--disparity", maps, "--focus", "0.9", "--blur"]
    job = subprocess.Popen(
        [*map(str, command), "40", "-o", str(results / "out.mp4"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert job.stdout is not None
    lines: list[str] = []
    for line in job.stdout:
        lines.append(line)
        if '"frames_done"' in line:
            break
    job.send_signal(number)
    out, err = job.communicate(timeout=300)
    events = stream("".join(lines) + out)
    (failed,) = of_kind(events, RunFailed)
    assert failed.exit_code == job.returncode == code, err
    assert failed.message == "interrupted; nothing was written"
    assert [each.clip for each in of_kind(events, ClipFailed)] == [0]
    assert list(results.iterdir()) == []


def test_a_reader_that_goes_away_stops_no_render(clip: Path, disparity_folder: Path, results: Path):
    command = [sys.executable, "-m", "any2bokeh", "refocus", clip, "--disparity", disparity_folder, *SHARP]
    job = subprocess.Popen(
        [*map(str, command), "-o", str(results / "out.mp4"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout is not None
    assert job.stdout.readline().startswith('{"event": "run_started"')
    job.stdout.close()
    assert job.stderr is not None
    err = job.stderr.read()
    assert (job.wait(timeout=300), err) == (0, "")
    assert (results / "out.mp4").exists()


def test_frames_are_told_four_times_a_second_at_most(tmp_path: Path):
    path = tmp_path / "events"
    with path.open("w") as file:
        events = EventStream(file)
        report, began = events.frames("rendering"), time.monotonic()
        for done in range(100_001):
            report(done, 100_000)
        elapsed_s = time.monotonic() - began
    told = [read_line(line) for line in path.read_text().splitlines()]
    assert len(told) <= 4 * elapsed_s + 2  # the first and the last
    assert isinstance(told[-1], FramesDone)
    assert told[-1].done == 100_000


def test_the_share_of_a_large_frame_is_told_and_is_no_rate(tmp_path: Path):
    path = tmp_path / "events"
    with path.open("w") as file:
        report = EventStream(file).frames("rendering")
        report(0, 1)
        report.within(0.5)
        report(1, 1)
    told = [read_line(line) for line in path.read_text().splitlines()]
    assert told == [FramesDone("rendering", 0, 1, within=0.5), FramesDone("rendering", 1, 1)]


def test_what_other_libraries_print_is_no_event(clip: Path, results: Path):
    command = ["refocus", clip, "-o", results / "out.mp4", *SHARP, "--disparity", "nowhere", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", _CHATTY, *map(str, command)], check=False, capture_output=True, text=True
    )
    stream(done.stdout)
    assert done.returncode == 2
    assert "loading weights ..." in done.stderr


_CHATTY = """
import os, sys
from any2bokeh.cli import clip_options, main

usual = clip_options.RangeOptions.of

def chatty(self, *of):
    print("loading weights ...")
    os.write(1, b"from a C library")
    return usual(self, *of)

clip_options.RangeOptions.of = chatty
sys.exit(main.run())
"""


def test_lines_of_other_versions():
    event = Remark("a remark", clip=3)
    given = json.loads(line_of(event, number=7, time_s=1.5))
    assert given == {"event": "remark", "schema": 1, "number": 7, "time_s": 1.5, "clip": 3, "message": "a remark"}
    assert read_line(json.dumps(given | {"new": 1})) == event
    assert read_line(json.dumps(given | {"event": "new"})) is None
    for line, told in (
        (json.dumps(given | {"schema": 2}), "schema 2"),
        ("no JSON", "is no event"),
        ("[1]", "is no event"),
        ('{"event": "remark", "schema": 1}', "lacks a field"),
    ):
        with pytest.raises(InputError, match=told):
            read_line(line)


def test_the_page_lists_every_event_and_field():
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", _DOCS.read_text(), flags=re.MULTILINE | re.DOTALL))
    assert {name: set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)) for name, text in sections.items()} == {
        name: {each.name for each in fields(kind)} for name, kind in NAMES.items()
    }
