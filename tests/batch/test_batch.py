"""``any2bokeh batch``: folder trees, patterns and manifests, bad clips, and what a second start does."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any2bokeh.batch.finding import batch_items
from any2bokeh.batch.manifest import manifest_items
from any2bokeh.cli.batch import ONE_PROCESS, SOME_FAILED
from any2bokeh.cli.main import run
from any2bokeh.errors import InputError
from tests import clips

SHARP = ("--focus", "0.9", "--blur", "0", "--disparity", "maps/{folder}/{stem}")


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Tests of the process that clips are rendered in are in test_apart.py; starting it takes seconds.
    monkeypatch.setenv(ONE_PROCESS, "1")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """``rushes/a.mp4``, ``rushes/day 1/b.mkv``, and their maps in ``maps``."""
    (tmp_path / "rushes" / "day 1").mkdir(parents=True)
    (tmp_path / "maps" / "day 1").mkdir(parents=True)
    clips.write_clip(tmp_path / "rushes" / "a.mp4")
    clips.write_clip(tmp_path / "rushes" / "day 1" / "b.mkv")
    clips.write_disparity(tmp_path / "maps" / "a")
    clips.write_disparity(tmp_path / "maps" / "day 1" / "b")
    return tmp_path / "rushes"


def batch(*more: str) -> int:
    return run(["batch", *more])


def report(path: str = "out/report.json") -> dict[str, Any]:
    return json.loads(Path(path).read_text())


def states(path: str = "out/report.json") -> dict[str, str]:
    return {Path(each["clip"]).name: each["state"] for each in report(path)["clips"]}


def files(folder: str = "out") -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in Path(folder).rglob("*") if each.is_file())


def test_results_keep_the_places_of_their_clips(tree: Path, capsys: pytest.CaptureFixture[str]):
    assert batch("rushes", "-o", "out", *SHARP) == 0
    assert files() == ["a.mp4", "a.mp4.made.json", "day 1/b.mkv", "day 1/b.mkv.made.json", "report.json"]
    said = capsys.readouterr().out
    assert "clip 2 of 2: rushes/day 1/b.mkv" in said
    assert "rendering 12 frames" in said
    assert "2 rendered, 0 finished already, 0 failed; see out/report.json" in said
    facts = report()
    assert [each["frames"] for each in facts["clips"]] == [12, 12]
    assert (facts["rendered"], facts["kept"], facts["failed"]) == (2, 0, 0)


def test_a_second_start_does_only_what_is_not_finished(tree: Path):
    assert batch("rushes", "-o", "out", "--quiet", *SHARP) == 0
    before = {name: Path("out", name).stat().st_mtime_ns for name in ("a.mp4", "day 1/b.mkv")}
    os.utime(tree / "a.mp4", ns=(0, 0))  # touched, not changed
    assert batch("rushes", "-o", "out", "--quiet", *SHARP) == 0
    assert states() == {"a.mp4": "kept", "b.mkv": "kept"}
    assert {name: Path("out", name).stat().st_mtime_ns for name in before} == before
    # Another recipe, another input and another result are made again; a result that someone changed is not replaced.
    clips.write_clip(tree / "a.mp4", frames=12, sound=False)
    assert batch("rushes", "-o", "out", "--quiet", *SHARP) == 0
    assert states() == {"a.mp4": "rendered", "b.mkv": "kept"}
    assert batch("rushes", "-o", "out", "--quiet", *SHARP, "--grain", "1") == 0
    assert states() == {"a.mp4": "rendered", "b.mkv": "rendered"}
    Path("out", "a.mp4").write_bytes(b"a cut of mine")
    assert batch("rushes", "-o", "out", "--quiet", *SHARP, "--grain", "1") == SOME_FAILED
    assert states() == {"a.mp4": "failed", "b.mkv": "kept"}
    assert "no batch has made it as it is" in report()["clips"][0]["message"]
    assert Path("out", "a.mp4").read_bytes() == b"a cut of mine"
    Path("out", "day 1", "b.mkv").unlink()
    assert batch("rushes", "-o", "out", "--quiet", *SHARP, "--grain", "1", "--overwrite") == 0
    assert states() == {"a.mp4": "rendered", "b.mkv": "rendered"}


def test_an_interrupted_clip_goes_on(tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from any2bokeh.segments.sink import SegmentedSink

    clips.write_clip(tree / "a.mp4", frames=24)
    clips.write_disparity(Path("maps/a2"), stop=24)
    Path("maps/a2").rename("maps/a-24")
    Path("maps/a").rename("maps/a-12")
    Path("maps/a-24").rename("maps/a")
    usual, seen = SegmentedSink.write, list[int]()

    def write(sink: SegmentedSink, frame: Any, pixels: Any) -> None:
        seen.append(frame.index)
        if frame.index == 20 and seen.count(20) == 1:
            raise KeyboardInterrupt
        usual(sink, frame, pixels)

    monkeypatch.setattr(SegmentedSink, "write", write)
    assert batch("rushes", "-o", "out", *SHARP, "--segment-frames", "8") == 130
    assert not Path("out/a.mp4").exists()
    seen.clear()
    seen.append(20)
    assert batch("rushes", "-o", "out", *SHARP, "--segment-frames", "8") == 0
    assert seen[1:9] == list(range(16, 24))
    assert "2 of 3 segments are there already" in capsys.readouterr().err
    assert [name for name in files() if "parts" in name] == []


def test_a_kill_just_after_a_result_got_its_name_is_known(tree: Path, monkeypatch: pytest.MonkeyPatch):
    from any2bokeh.batch.record import Record

    with monkeypatch.context() as patched:
        patched.setattr(Record, "finish", lambda record, made_of, frames: None)  # where the kill comes
        assert batch("rushes", "-o", "out", "--quiet", *SHARP) == 0
    assert batch("rushes", "-o", "out", "--quiet", *SHARP) == 0
    assert states() == {"a.mp4": "kept", "b.mkv": "kept"}


def test_a_render_that_replaces_its_own_result_goes_on_after_a_kill(tree: Path, monkeypatch: pytest.MonkeyPatch):
    """With another recipe; killed while it renders, and between the name of the result and the end of the segments."""
    from any2bokeh.batch.record import Record
    from any2bokeh.segments.parts import Parts
    from any2bokeh.segments.sink import SegmentedSink

    def stop(*of: Any) -> None:
        raise KeyboardInterrupt

    def fail(*of: Any) -> None:
        raise RuntimeError

    other = (*SHARP, "--grain", "1")
    assert batch("rushes/a.mp4", "-o", "out", *SHARP) == 2  # one clip is no batch
    assert batch("rushes", "-o", "out", "--quiet", *SHARP) == 0
    with monkeypatch.context() as patched:
        patched.setattr(SegmentedSink, "write", stop)
        assert batch("rushes", "-o", "out", "--quiet", *other) == 130
    with monkeypatch.context() as patched:
        patched.setattr(Parts, "_remove", stop)
        patched.setattr(Record, "give_up", lambda record: None)
        assert batch("rushes", "-o", "out", "--quiet", *other) == 130
    assert Path("out/a.mp4.parts").exists()
    assert batch("rushes", "-o", "out", "--quiet", *other) == 0
    assert states() == {"a.mp4": "rendered", "b.mkv": "rendered"}
    assert not [name for name in files() if "parts" in name]
    assert batch("rushes", "-o", "out", "--quiet", *other) == 0
    assert states() == {"a.mp4": "kept", "b.mkv": "kept"}
    # A failure leaves what was noted of the result before.
    with monkeypatch.context() as patched:
        patched.setattr(Parts, "shot", fail)
        assert batch("rushes", "-o", "out", "--quiet", *SHARP) == SOME_FAILED
    assert batch("rushes", "-o", "out", "--quiet", *other) == 0
    assert states() == {"a.mp4": "kept", "b.mkv": "kept"}


def bad_clips(tree: Path) -> dict[str, str]:
    """Clips that cannot be rendered, each in a way of its own, with a part of what is told."""
    good = (tree / "a.mp4").read_bytes()

    def maps(name: str, frames: int = 12) -> Path:
        return clips.write_disparity(Path("maps") / name, stop=frames)

    def video(name: str) -> Path:
        path = tree / f"{name}.mp4"
        path.write_bytes(good)
        return path

    (tree / "empty.mp4").write_bytes(b"")
    (tree / "text.mp4").write_text("not a video at all")
    (tree / "short.mp4").write_bytes(good[: len(good) // 2])
    (tree / "noise.mkv").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 20)
    video("no-maps")
    video("few-maps")
    maps("few-maps", 7)
    video("bad-map")
    (maps("bad-map") / "00004.png").write_bytes(b"no picture")
    video("colour")
    clips.write_frames(Path("maps/colour"))
    video("aspect")
    clips.write_disparity(Path("maps/aspect"), width=48, height=64)
    (tree / "dangling.mp4").symlink_to(tree / "nowhere.mp4")
    video("taken")
    maps("taken")
    Path("out").mkdir()
    Path("out/taken.mp4").write_text("of someone else")
    (tree / "mixed").mkdir()
    for name in ("1.png", "2.jpg"):
        (tree / "mixed" / name).write_bytes(b"")
    return {
        "empty.mp4": "is empty (0 bytes)",
        "text.mp4": "",
        "short.mp4": "",
        "noise.mkv": "",
        "no-maps.mp4": "does not exist",
        "few-maps.mp4": "7 frames",
        "bad-map.mp4": "00004",
        "colour.mp4": "colour",
        "aspect.mp4": "aspect",
        "dangling.mp4": "",
        "taken.mp4": "exists already",
        "mixed": "mixes .jpg and .png",
    }


def test_bad_clips_stop_none_of_the_others(tree: Path, capsys: pytest.CaptureFixture[str]):
    bad = bad_clips(tree)
    assert len(bad) == 12
    assert batch("rushes", "-o", "out", *SHARP) == SOME_FAILED
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert states() == dict.fromkeys(bad, "failed") | {"a.mp4": "rendered", "b.mkv": "rendered"}
    for each in report()["clips"]:
        part = bad.get(Path(each["clip"]).name)
        if part is not None:
            assert part in each["message"], each
            assert not each["is_defect"], each
            assert f"failed: {each['clip']}: " in told.err
    assert files() == [
        *("a.mp4", "a.mp4.made.json", "day 1/b.mkv", "day 1/b.mkv.made.json", "report.json", "taken.mp4"),
    ]
    assert batch("rushes", "-o", "out", "--quiet", *SHARP) == SOME_FAILED
    assert states() == dict.fromkeys(bad, "failed") | {"a.mp4": "kept", "b.mkv": "kept"}
    assert Path("out/taken.mp4").read_text() == "of someone else"


@pytest.mark.slow
def test_of_two_hundred_clips_twelve_are_bad(tree: Path):
    bad = bad_clips(tree)
    for number in range(186):  # and the two of the tree
        place = Path(f"day {number % 7}", f"{number:03d}")
        (tree / place).parent.mkdir(exist_ok=True)
        (Path("maps") / place).parent.mkdir(exist_ok=True)
        clips.write_clip(tree / f"{place}.mp4", frames=8 + number % 3)
        clips.write_disparity(Path("maps") / place, stop=8 + number % 3)
    blurred = (*SHARP[:3], "120", *SHARP[4:])
    for state in ("rendered", "kept"):
        assert batch("rushes", "-o", "out", "--quiet", *blurred) == SOME_FAILED
        facts = report()
        assert (len(facts["clips"]), facts[state], facts["failed"]) == (200, 188, 12)
        assert {Path(each["clip"]).name for each in facts["clips"] if each["state"] == "failed"} == set(bad)
    assert not [name for name in files() if "parts" in name]


def test_a_manifest_says_what_each_clip_gets(tree: Path):
    rows = [
        {"clip": "rushes/a.mp4", "output": "out/one.mkv", "disparity": "maps/a", "focus": _constant(0.9, 0)},
        {
            "clip": "rushes/a.mp4",
            "output": "out/two.mkv",
            "disparity": "maps/a",
            "focus": _constant(0.9, 30),
            "frames": "2:7",
        },
        {"clip": "rushes/a.mp4", "output": "out/three.mkv", "disparity": "maps/a", "look.cat_eye": 9.0},
        {"clip": "rushes/a.mp4", "output": "out/one.mkv", "disparity": "maps/a"},
        {"clip": "rushes/a.mp4", "output": "out/five.mkv", "disparety": "maps/a"},
        {"output": "out/six.mkv"},
    ]
    lines = [json.dumps(row) for row in rows]
    Path("clips.jsonl").write_text("\n".join([*lines, "{broken", "", "[1]"]))
    assert batch("clips.jsonl", "--quiet", "--focus", "0.5", "--blur", "4", "--codec", "ffv1") == SOME_FAILED
    facts = report("report.json")["clips"]
    assert [each["state"] for each in facts] == ["rendered", "rendered", *["failed"] * 6]
    assert facts[1]["frames"] == 5
    for each, part in zip(
        facts[2:],
        [
            "cat eye is 9; give a number from 0 to 1",
            "is that of rushes/a.mp4, too",
            "unknown key 'disparety'",
            "clips.jsonl line 6: clip is missing",
            "clips.jsonl line 7: malformed JSON at column 2",
            "clips.jsonl line 9: it is [1]",
        ],
        strict=True,
    ):
        assert part in each["message"]
    # The first is sharp, though all others get a blur of 4.
    for ours, theirs in zip(clips.decoded(Path("out/one.mkv")), clips.decoded(tree / "a.mp4"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_table_says_the_same(tree: Path):
    with Path("clips.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["clip", "output", "disparity", "blur", "focus", "look.cat_eye", "frames"])
        table.writerow(["rushes/a.mp4", "one.mkv", "maps/a", "0", json.dumps({"auto": {}}), "0.3", "0:4"])
        table.writerow(["rushes/day 1/b.mkv", "", "maps/day 1/b", "", "", "", "8:"])
        table.writerow(["rushes/a.mp4", "three.mkv", "maps/a", "lots", "", "", ""])
    assert batch("clips.csv", "-o", "out", "--quiet", "--focus", "0.5", "--blur", "0") == SOME_FAILED
    facts = report()["clips"]
    assert [each["state"] for each in facts] == ["rendered", "rendered", "failed"]
    assert [each["frames"] for each in facts] == [4, 4, 0]
    assert [Path(each["output"]).name for each in facts] == ["one.mkv", "b.mkv", "three.mkv"]
    assert "clips.csv line 4: blur: it is 'lots'; give a finite number" in facts[2]["message"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("film,output\na,b\n", "has the columns film, output; one must be clip"),
        ("clip,clip\na,b\n", "has two columns clip"),
        ("clip\n", "lists no clip"),
        ('clip\n"a', "is no CSV"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, text: str, told: str):
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        manifest_items(tmp_path / "clips.csv", tmp_path, lambda clip: clip.name)


def test_what_is_a_clip_of_a_tree(tree: Path):
    clips.write_frames(tree / "shot")
    (tree / "day 1" / "still.png").write_bytes(b"")
    (tree / "notes.txt").write_text("")
    (tree / ".hidden.mp4").write_text("")
    (tree / "c.avi").write_text("")
    (tree / "out").mkdir()
    (tree / "out" / "a.mp4").write_text("")
    items = batch_items("rushes", Path("rushes/out"))
    assert [item.output.as_posix() for item in items] == [
        *("rushes/out/a.mp4", "rushes/out/c.mp4", "rushes/out/day 1/b.mkv", "rushes/out/shot"),
    ]
    items = batch_items("rushes/**/*.mkv", Path("out"), result_format="webm")
    assert [(item.clip.as_posix(), item.output.as_posix()) for item in items] == [
        ("rushes/day 1/b.mkv", "out/day 1/b.webm")
    ]
    (tree / "c.mp4").write_text("")
    problems = [item.problem for item in batch_items("rushes", Path("out")) if item.clip.stem == "c"]
    assert problems == [None, "output out/c.mp4 is that of rushes/c.avi, too; give each clip one of its own"]


@pytest.mark.parametrize(
    ("given", "output", "told"),
    [
        ("nowhere", "out", "nowhere does not exist"),
        ("rushes", None, "no folder for the results"),
        ("rushes", "rushes", "is the folder of the clips"),
        ("maps/*.mov", "out", "no clip is in"),
        ("rushes/a.mp4", "out", "any2bokeh refocus renders one clip"),
    ],
)
def test_what_is_no_batch_is_told(tree: Path, given: str, output: str | None, told: str):
    with pytest.raises(InputError, match=told):
        batch_items(given, None if output is None else Path(output))


def test_a_dry_run_tells_and_renders_nothing(tree: Path, capsys: pytest.CaptureFixture[str]):
    assert batch("rushes/*.mp4", "-o", "out", "--quiet", *SHARP[:4], "--disparity", "maps/{stem}") == 0
    (tree / "bad.mp4").write_bytes(b"")
    before = files()
    command = ["rushes", "-o", "out", *SHARP[:4], "--disparity", "maps/{stem}", "--dry-run"]
    assert batch(*command) == 0
    said = capsys.readouterr().out
    assert "rushes/a.mp4: finished already" in said
    assert "rushes/bad.mp4 is empty (0 bytes)" in said
    assert "day 1/b.mkv: 12 frames, about 0.000 GB; missing: maps/b" in said
    assert "1 of 3 clips would be rendered, 12 frames; the results take about" in said
    assert files() == before
    assert batch(*command, "--json") == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert [each["would"] for each in facts["clips"]] == ["keep", "fail", "render"]
    assert facts["bytes"] == facts["clips"][2]["bytes"] > 0


def test_names_that_are_no_text_are_told_as_they_are(tree: Path, capfd: pytest.CaptureFixture[str]):
    name = os.fsdecode(b"caf\xe9.mp4")
    try:
        (tree / name).write_bytes((tree / "a.mp4").read_bytes())
    except OSError:
        pytest.skip("this file system takes no such name")
    assert batch("rushes/*.mp4", "-o", "out", "--focus", "0.9", "--blur", "0", "--disparity", "maps/a", "--json") == 0
    assert states() == {"a.mp4": "rendered", name: "rendered"}
    assert (Path("out") / name).exists()


def test_a_defect_in_one_clip_is_told_as_such(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from any2bokeh.batch import running

    usual: Callable[..., Any] = running.refocus

    def refocus(source: Any, *more: Any, **options: Any) -> Any:
        if source.info.path.name == "a.mp4":
            raise RuntimeError("tiles are round")
        return usual(source, *more, **options)

    monkeypatch.setattr(running, "refocus", refocus)
    assert batch("rushes", "-o", "out", "--json", *SHARP) == SOME_FAILED
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[-1])["failed"] == 1
    assert "a defect of any2bokeh (RuntimeError: tiles are round)" in told.err
    assert "Traceback" in report()["clips"][0]["message"]
    assert states() == {"a.mp4": "failed", "b.mkv": "rendered"}


def _constant(focus_disparity: float, blur_strength: float) -> dict[str, Any]:
    keyframe = {"frame": 0, "focus_disparity": focus_disparity, "blur_strength": blur_strength}
    return {"script": {"version": 1, "keyframes": [keyframe]}}
