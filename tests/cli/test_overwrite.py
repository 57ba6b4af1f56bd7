"""What a run reads is never its output, whatever it is called by; and two runs do not write one output."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from any2bokeh.errors import InputError
from tests import clips
from tests.cli.conftest import RunCli

FOCUS = ["--focus", "0.9", "--blur", "16"]


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a clip, and what runs read besides."""
    folder = tmp_path / "place"
    folder.mkdir()
    clips.write_clip(folder / "clip.mp4")
    clips.write_frames(folder / "frames")
    clips.write_disparity(folder / "maps")
    clips.write_masks(folder / "mask")
    maps = np.stack([clips.depth_map(index) for index in range(clips.FRAMES)])
    np.save(folder / "maps.npy", maps)
    script = {"version": 1, "keyframes": [{"frame": 0, "mask": "mask", "blur_strength": 8}]}
    (folder / "focus.json").write_text(json.dumps(script))
    (folder / "lenses.toml").write_text('["my lens"]\nf_number = 2\nfocal_length_mm = 50\n')
    clips.write_frames(folder / "iris", frames=1)
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def linked(place: Path) -> str:
    (place / "elsewhere").symlink_to("maps")
    return "elsewhere"


def hard_linked(place: Path) -> str:
    (place / "copy").mkdir()
    for path in (place / "maps").iterdir():
        os.link(path, place / "copy" / path.name)
    return "copy"


def spelt_otherwise(place: Path) -> str:
    return "frames/../maps"


READ: dict[str, tuple[list[str], str | Callable[[Path], str]]] = {
    "the clip": (["clip.mp4", "--disparity", "maps", *FOCUS], "clip.mp4"),
    "the frames": (["frames", "--disparity", "maps", *FOCUS], "frames"),
    "the frames of a pattern": (["frames/*.png", "--disparity", "maps", *FOCUS], "frames"),
    "the disparity": (["clip.mp4", "--disparity", "maps", *FOCUS], "maps"),
    "the disparity through a link": (["clip.mp4", "--disparity", "maps", *FOCUS], linked),
    "the disparity through hard links": (["clip.mp4", "--disparity", "maps", *FOCUS], hard_linked),
    "the disparity by another spelling": (["clip.mp4", "--disparity", "maps", *FOCUS], spelt_otherwise),
    "the masks": (["clip.mp4", "--disparity", "maps", "--focus-mask", "mask"], "mask"),
    "the masks of a script": (["clip.mp4", "--disparity", "maps", "--focus-script", "focus.json"], "mask"),
    "an iris": (["clip.mp4", "--disparity", "maps", *FOCUS, "--aperture-image", "iris/00000.png"], "iris"),
    "the AOVs over the disparity": (
        ["clip.mp4", "--disparity", "maps", *FOCUS, "--aov", "coc", "--aov-output", "maps"],
        "out.mp4",
    ),
    "the AOVs over the masks": (
        ["clip.mp4", "--disparity", "maps", "--focus-mask", "mask", "--aov", "coc", "--aov-output", "mask"],
        "out.mp4",
    ),
    "the AOVs over the result": (
        ["clip.mp4", "--disparity", "maps", *FOCUS, "--aov", "coc", "--aov-output", "new"],
        "new",
    ),
}


@pytest.mark.parametrize("case", READ)
def test_refocus_keeps_what_it_reads(cli: RunCli, place: Path, monkeypatch: pytest.MonkeyPatch, case: str):
    arguments, output = READ[case]
    monkeypatch.chdir(place)
    name = output if isinstance(output, str) else output(place)
    before = everything_in(place)
    outcome = cli("refocus", *arguments, "-o", name, "--overwrite")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1), outcome
    assert outcome.err.startswith("error: ")
    assert everything_in(place) == before


def test_a_disparity_video_is_kept(cli: RunCli, place: Path):
    grey = clips.write_clip(place / "grey.mkv", codec="ffv1", pixel_format="gray", sound=False)
    before = grey.read_bytes()
    outcome = cli("refocus", place / "clip.mp4", "--disparity", grey, *FOCUS, "-o", grey, "--overwrite")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert grey.read_bytes() == before


OTHERS: dict[str, list[str]] = {
    "depth over the frames": ["depth", "frames", "--depth-model", "rough", "-o", "frames"],
    "track over its disparity": ["track", "clip.mp4", "--disparity", "maps.npy", "--focus", "auto", "-o", "focus.json",
                                 "--masks", "frames/../maps.npy"],
    "mattes over the disparity": ["track", "clip.mp4", "--disparity", "maps", "--focus", "auto", "-o", "new.json",
                                  "--masks", "maps"],
    "preview over a map": ["preview", "clip.mp4", "--disparity", "maps", *FOCUS, "-o", "maps/00003.png"],
    "preview among the frames": ["preview", "frames", "--disparity", "maps", *FOCUS, "-o", "frames/shown.png"],
    "preview over the iris": ["preview", "clip.mp4", "--disparity", "maps", *FOCUS, "--aperture-image",
                              "iris/00000.png", "-o", "iris/00000.png"],
    "synth over its pictures": ["synth", "frames", "--source", "frames"],
    "convert over its model": ["convert", "place", "place"],
    "evaluate over its clips": ["evaluate", "maps", "-o", "maps"],
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_other_commands_keep_what_they_read(cli: RunCli, place: Path, monkeypatch: pytest.MonkeyPatch, case: str):
    monkeypatch.chdir(place)
    (place / "place").mkdir()
    (place / "place" / "config.json").write_text("{}")
    before = everything_in(place)
    outcome = cli(*OTHERS[case], "--overwrite")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1), outcome
    assert everything_in(place) == before


def test_an_output_beside_what_is_read_is_fine(cli: RunCli, place: Path):
    (place / "maps" / "old.mp4").write_bytes(b"an earlier result")
    outcome = cli(
        *["refocus", place / "clip.mp4", "--disparity", place / "maps.npy", *FOCUS, "-o", place / "maps" / "old.mp4"],
        "--overwrite",
    )
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_linked_output_is_written_where_it_points(cli: RunCli, place: Path, is_there: bool):
    (place / "disk").mkdir()
    link = place / "out.mp4"
    link.symlink_to("disk/film.mp4")
    if is_there:
        (place / "disk" / "film.mp4").write_bytes(b"an earlier result")
    outcome = cli("refocus", place / "clip.mp4", "--disparity", place / "maps", *FOCUS, "-o", link, "--overwrite")
    assert outcome.code == 0, outcome.err
    assert link.is_symlink()
    assert len(clips.decoded(place / "disk" / "film.mp4")) == clips.FRAMES
    assert names_in(place / "disk") == ["film.mp4"]


def test_a_link_in_a_circle_is_one_line(cli: RunCli, place: Path):
    (place / "out.mp4").symlink_to("out.mp4")
    outcome = cli("refocus", place / "clip.mp4", "--disparity", place / "maps", *FOCUS, "-o", place / "out.mp4")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


def test_the_longest_name_that_a_disk_takes(cli: RunCli, place: Path):
    longest = place / ("ä" * 125 + "x.mp4")
    assert len(os.fsencode(longest.name)) == 255
    for name, code in ((longest, 0), (place / ("x" + longest.name), 2)):
        outcome = cli("refocus", place / "clip.mp4", "--disparity", place / "maps", *FOCUS, "-o", name)
        assert outcome.code == code, outcome.err
        assert len(outcome.err.splitlines()) == (1 if code else 0)
    assert longest.is_file()


# Two runs, and what a killed one leaves

_HOLD = """
import sys, time
from pathlib import Path
from any2bokeh.pending_output import PendingOutput
pending = getattr(PendingOutput, sys.argv[1])(Path(sys.argv[2]))
if sys.argv[1] == "file":
    pending.temporary.write_bytes(b"half a film")
else:
    (pending.temporary / "00000.png").write_bytes(b"half a picture")
print("holding", flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize(("kind", "name"), [("file", "out.mp4"), ("folder", "out"), ("folder", "there")])
def test_the_second_run_is_told_and_what_a_killed_one_left_is_swept(
    cli: RunCli, place: Path, results: Path, kind: str, name: str
):
    if name == "there":
        (results / name).mkdir()
    with subprocess.Popen([sys.executable, "-c", _HOLD, kind, str(results / name)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"holding\n"
        held = sorted(map(str, results.rglob("*")))
        arguments = ["refocus", place / "clip.mp4", "--disparity", place / "maps", *FOCUS, "--overwrite"]
        outcome = cli(*arguments, "-o", results / name)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
        assert f"process {other.pid}" in outcome.err
        assert cli(*arguments, "-o", results / "another.mp4").code == 0
        (results / "another.mp4").unlink()
        assert sorted(map(str, results.rglob("*"))) == held, "what another run writes is not swept"
        other.kill()
    assert cli(*arguments, "-o", results / name).code == 0
    assert [path.name for path in results.iterdir()] == [name]
    assert not list(results.rglob(".*"))


def test_runs_into_one_folder_do_not_wait_for_each_other(results: Path, monkeypatch: pytest.MonkeyPatch):
    from any2bokeh import claim
    from any2bokeh.pending_output import PendingOutput, check_target

    pauses: list[float] = []
    monkeypatch.setattr(claim, "time", SimpleNamespace(sleep=pauses.append))
    held = [PendingOutput.file(results / "a.mp4"), PendingOutput.folder(results / "b")]
    check_target(results / "c.mp4", results / "clip.mp4", overwrite=False)
    held.append(PendingOutput.file(results / "c.mp4"))
    assert not pauses
    with pytest.raises(InputError, match="being written by another run"):
        check_target(results / "a.mp4", results / "clip.mp4", overwrite=False)
    assert len(pauses) == 3, "it was asked for again, in case that it was held for a moment"
    for each in held:
        each.discard()


def test_what_another_host_writes_is_not_swept(cli: RunCli, place: Path, results: Path):
    from any2bokeh.claim import claim_path

    claim_path(results, "out.mp4").write_text("another-host 1\n")
    before = everything_in(results)
    arguments = ["refocus", place / "clip.mp4", "--disparity", place / "maps", *FOCUS, "--overwrite"]
    outcome = cli(*arguments, "-o", results / "out.mp4")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "another-host" in outcome.err
    assert cli(*arguments, "-o", results / "new.mp4").code == 0
    (results / "new.mp4").unlink()
    assert everything_in(results) == before


def test_only_what_goes_by_a_claim_is_swept(cli: RunCli, place: Path, results: Path):
    (results / ".any2bokeh-.lock").touch()
    (results / ".any2bokeh-0123456789abcdef.lock").touch()  # dead: nobody has locked it
    for name in (".film.0123456789abcdef.part.mp4", "film.0123456789abcdef.mp4", ".film.mp4"):
        (results / name).touch()
    assert cli("refocus", place / "clip.mp4", "--disparity", place / "maps", *FOCUS, "-o", results / "o.mp4").code == 0
    assert names_in(results) == [".any2bokeh-.lock", ".film.mp4", "film.0123456789abcdef.mp4", "o.mp4"]


def test_a_killed_estimate_is_swept_from_the_cache(place: Path, own_cache: Path):
    from any2bokeh.disparity.cache import DisparityCache

    code = (
        "import sys, time; from any2bokeh.disparity.cache import DisparityCache;"
        "entry = DisparityCache().begin({'clip': 1}, frame_count=3); print('holding', flush=True); time.sleep(100)"
    )
    folder = own_cache / "any2bokeh" / "disparity"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"holding\n"
        held = names_in(folder)
        with DisparityCache().begin({"clip": 1}, frame_count=3):
            assert set(held) < set(names_in(folder)), "an estimate that is being made is not swept"
        other.kill()
    assert names_in(folder) == held
    with DisparityCache().begin({"clip": 2}, frame_count=3):
        assert not set(held) & set(names_in(folder))
    assert names_in(folder) == []
    shutil.rmtree(folder)
