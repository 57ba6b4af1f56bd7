"""Damaged files of every kind: the run ends well or in one line, and leaves nothing half-written."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import clips

QUICK, ALL = 24, 300
HANGS_AFTER_S = 300
"""No run takes a hundredth of it; a machine that does other things too may take long to compile the kernels."""
HARMS = ("flip", "truncate", "zero", "splice")

# A run for each line of arguments on standard input, in one process: what is imported is imported once.
_RUNS = """
import faulthandler, json, sys
from pathlib import Path
from any2bokeh.cli.main import run
for line in sys.stdin:
    faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)  # in C code, too
    try:
        code = run(json.loads(line))
    except BaseException as error:
        code = repr(error)
    faulthandler.cancel_dump_traceback_later()
    print("\\n" + json.dumps({"code": code}), flush=True)
    print("\\n--end--", file=sys.stderr, flush=True)
""".replace("HANGS_AFTER_S", str(HANGS_AFTER_S))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of every kind."""
    folder = tmp_path_factory.mktemp("sound")
    clips.write_clip(folder / "clip.mp4")
    clips.write_clip(folder / "clip.mkv")
    clips.write_clip(folder / "clip.webm", codec="libvpx-vp9", sound=False)
    clips.write_clip(folder / "clip.ts")
    clips.write_clip(folder / "clip.avi", sound=False)
    clips.write_frames(folder / "png")
    clips.write_disparity(folder / "maps")
    (folder / "exr").mkdir()
    from any2bokeh.video.image import write_exr

    for index in range(clips.FRAMES):
        light = clips.picture(index).astype(np.float32) / np.float32(255)
        write_exr(folder / "exr" / f"{index:05d}.exr", light)
    (folder / "layers").mkdir()
    names = [f"{layer}.{channel}" for layer in ("Combined", "Diffuse") for channel in "RGB"]
    for index in range(clips.FRAMES):
        light = clips.picture(index).astype(np.float32) / np.float32(255)
        write_exr(folder / "layers" / f"{index:05d}.exr", np.concatenate([light, light / 2], axis=2), channels=names)
    maps = np.stack([clips.depth_map(index) for index in range(clips.FRAMES)])
    np.save(folder / "maps.npy", maps)
    np.savez(folder / "maps.npz", disparity=maps)
    keyframes = [{"frame": 0, "point": [0.25, 0.5], "blur_strength": 8}, {"frame": 8, "focus_disparity": 0.2}]
    (folder / "focus.json").write_text(json.dumps({"version": 1, "fps": 24, "keyframes": keyframes}, indent=1))
    return folder


KINDS: dict[str, tuple[str, list[str]]] = {
    "mp4": ("clip.mp4", ["clip.mp4", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "mkv": ("clip.mkv", ["clip.mkv", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "webm": ("clip.webm", ["clip.webm", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "ts": ("clip.ts", ["clip.ts", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "avi": ("clip.avi", ["clip.avi", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "layers": ("layers/00003.exr", ["layers", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "png": ("png/00003.png", ["png", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "exr": ("exr/00003.exr", ["exr", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "map": ("maps/00003.png", ["clip.mp4", "--disparity", "maps", "--focus", "0.9", "--blur", "8"]),
    "npy": ("maps.npy", ["clip.mp4", "--disparity", "maps.npy", "--focus", "0.9", "--blur", "8"]),
    "npz": ("maps.npz", ["clip.mp4", "--disparity", "maps.npz", "--focus", "0.9", "--blur", "8"]),
    "script": ("focus.json", ["clip.mp4", "--disparity", "maps", "--focus-script", "focus.json"]),
}


def harmed(data: bytes, harm: str, random: np.random.Generator) -> bytes:
    """Bytes with a fault: the same for the same state of ``random``."""
    spoilt = np.frombuffer(data, np.uint8).copy()
    size = len(spoilt)
    at, length = int(random.integers(size)), 1 + int(random.integers(max(1, size // 4)))
    match harm:
        case "flip":
            for place in random.integers(size, size=1 + int(random.integers(8))):
                spoilt[place] ^= 1 << int(random.integers(8))
        case "truncate":
            spoilt = spoilt[:at]
        case "zero":
            spoilt[at : at + length] = 0
        case _:
            source = int(random.integers(size))
            piece = spoilt[source : source + length].copy()
            spoilt = np.concatenate([spoilt[:at], piece, spoilt[at + (length if random.random() < 0.5 else 0) :]])
    return spoilt.tobytes()


def cases(count: int) -> list[tuple[int, str, str]]:
    """Seed, kind and harm of each case, the kinds in turn."""
    kinds = list(KINDS)
    return [(seed, kinds[seed % len(kinds)], HARMS[(seed // len(kinds)) % len(HARMS)]) for seed in range(count)]


def check(sound: Path, folder: Path, chosen: list[tuple[int, str, str]]) -> None:
    """Run every case, and name all that went wrong."""
    process = subprocess.Popen(
        [sys.executable, "-c", _RUNS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr").open("w+"),
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said = (folder / "stderr").open()
    wrong: list[str] = []
    ended: Counter[str] = Counter()
    for seed, kind, harm in chosen:
        place, results = folder / f"{seed}", folder / f"{seed}-results"
        _copy(sound, place)
        results.mkdir()
        name, arguments = KINDS[kind]
        target = place / name
        target.write_bytes(harmed(target.read_bytes(), harm, np.random.default_rng(seed)))
        paths = [str(place / each) if (place / each).exists() else each for each in arguments]
        output = results / ("out" if kind in ("exr", "layers") else "out.mkv")
        process.stdin.write(json.dumps(["refocus", *paths, "-o", str(output), "--quiet"]) + "\n")
        process.stdin.flush()
        told = _result(process)
        ended["no answer" if told is None else f"exit {told['code']}"] += 1
        lines = _lines(said) if told is not None else []
        names = sorted(path.name for path in results.iterdir())
        whole = [output.name] if told is not None and told["code"] == 0 else []
        is_well = told is not None and told["code"] in (0, 2) and names == whole
        if not is_well or (told is not None and told["code"] == 2 and len(lines) != 1):
            wrong.append(f"seed {seed}, {harm} of {name}: {told}, {names}, {lines[-3:]}")
        if told is None:
            break
    process.stdin.close()
    process.kill()
    process.wait()
    assert not wrong, "\n".join([f"{len(wrong)} of {len(chosen)}", *wrong])
    # Harm that every run survives, or that none does, would test little.
    assert ended.keys() == {"exit 0", "exit 2"}


def _result(process: "subprocess.Popen[str]") -> dict[str, Any] | None:
    """What a run came to; None where the process has died."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith('{"code"'):
            return json.loads(line)
    return None


def _lines(said: object) -> list[str]:
    """What a run printed on standard error."""
    lines: list[str] = []
    while True:
        line = said.readline()  # type: ignore[attr-defined]
        if line.strip() == "--end--":
            return lines
        if line.strip():
            lines.append(line.rstrip("\n"))


def _copy(sound: Path, place: Path) -> None:
    import shutil

    shutil.copytree(sound, place)


def test_quick_corruptions(sound: Path, tmp_path: Path):
    every = ALL // QUICK
    check(sound, tmp_path, cases(ALL)[1::every][:QUICK])


@pytest.mark.slow
def test_all_corruptions(sound: Path, tmp_path: Path):
    check(sound, tmp_path, cases(ALL))
