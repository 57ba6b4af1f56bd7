"""Install the wheel as a user's pip does, on every Python of this machine, and use it.

``make test-install``. Nothing is locked: each environment gets the newest packages that the ranges in pyproject.toml
allow, and one more on the oldest Python gets the lowest ones. In each the demo runs, and a clip with sound becomes an
.mp4 and a folder of pictures. One line is printed for each environment.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "test-install"
LOWEST_PYTHON, NAMED_PYTHONS = (3, 11), range(11, 20)
JOBS = 2

MAKE = """
import sys
from pathlib import Path
from tests import clips

folder = Path(sys.argv[1])
clips.write_clip(folder / "clip.mp4")
clips.write_disparity(folder / "disparity")
"""

CHECK = """
import sys
from pathlib import Path
from tests import clips

folder = Path(sys.argv[1])
assert len(clips.decoded(folder / "out.mp4")) == clips.FRAMES, "frames are missing"
assert clips.sound_packets(folder / "out.mp4") == clips.sound_packets(folder / "clip.mp4"), "the sound is another"
assert len(list((folder / "pictures").glob("*.png"))) == clips.FRAMES, "pictures are missing"
"""


@dataclass(frozen=True)
class Environment:
    """One environment to try: a Python, and what pip is told beside the wheel."""

    name: str
    python: Path
    pins: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return BUILD / self.name.replace(" ", "-")


def main() -> int:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    pythons = found_pythons()
    wheel = built_wheel(pythons[min(pythons)])
    environments = [Environment(version_name(version), python) for version, python in sorted(pythons.items())]
    oldest = min(pythons)
    environments.append(Environment(f"{version_name(oldest)} lowest", pythons[oldest], lowest_pins()))
    with ThreadPoolExecutor(JOBS) as pool:
        passed = list(pool.map(lambda environment: told(environment, wheel), environments))
    print(f"test-install: {sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


def found_pythons() -> dict[tuple[int, int], Path]:
    """The Pythons of this machine that any2bokeh runs on, one of each minor version."""
    names = [sys.executable, "python3", *(f"python3.{minor}" for minor in NAMED_PYTHONS)]
    candidates = [shutil.which(name) for name in names]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += [str(path) for path in sorted(pyenv.glob("versions/*/bin/python"))]
    found: dict[tuple[int, int], Path] = {}
    for candidate in filter(None, candidates):
        version = version_of(candidate)
        if version is not None and version >= LOWEST_PYTHON:
            found.setdefault(version, Path(candidate))
    return found


def version_of(python: str) -> tuple[int, int] | None:
    """Major and minor version; None for what does not run or cannot make environments."""
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)


def version_name(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def built_wheel(python: Path) -> Path:
    command = [python, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*command, "--wheel-dir", BUILD / "wheel", ROOT])
    (wheel,) = (BUILD / "wheel").glob("any2bokeh-*.whl")
    return wheel


def lowest_pins() -> tuple[str, ...]:
    """The lower end of each range that a base install declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    matches = [re.fullmatch(r"([\w.-]+)>=([\d.]+)(,.*)?", requirement) for requirement in project["dependencies"]]
    return tuple(f"{match[1]}=={match[2]}" for match in matches if match)


def told(environment: Environment, wheel: Path) -> bool:
    """Try an environment and print how it went."""
    start_s = time.monotonic()
    try:
        installed = install(environment, wheel)
        use(environment)
    except subprocess.CalledProcessError as error:
        command = " ".join(str(part) for part in error.cmd)
        print(f"test-install: Python {environment.name} FAILED at: {command[:200]}\n{error.stdout[-3000:]}", flush=True)
        return False
    taken_s = time.monotonic() - start_s
    print(f"test-install: Python {environment.name} passed in {taken_s:.0f} s: {installed}", flush=True)
    return True


def install(environment: Environment, wheel: Path) -> str:
    """Make the environment; returns what pip chose."""
    run([environment.python, "-m", "venv", environment.folder])
    python = environment.folder / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "--quiet", wheel, *environment.pins])
    run([*pip, "check"])
    frozen = run([*pip, "list", "--format", "freeze"])
    declared = {re.split(r"[>=<]", pin, maxsplit=1)[0].lower() for pin in lowest_pins()}
    chosen = [line for line in frozen.splitlines() if line.split("==")[0].lower() in declared]
    return ", ".join(line.replace("==", " ") for line in chosen)


def use(environment: Environment) -> None:
    """Run the demo and one clip through the installed command."""
    python, command = environment.folder / "bin" / "python", environment.folder / "bin" / "any2bokeh"
    folder = environment.folder / "use"
    folder.mkdir()
    run([command, "--help"])
    run([python, "-c", MAKE, folder], import_tests=True)
    refocus = [command, "refocus", folder / "clip.mp4", "--disparity", folder / "disparity", "--focus", "0.5"]
    run([*refocus, "--blur", "8", "-o", folder / "out.mp4"])
    run([*refocus, "--blur", "8", "-o", folder / "pictures"])
    run([python, "-c", CHECK, folder], import_tests=True)
    run([command, "demo", "--quiet", "-o", folder / "demo"])


def run(command: Sequence[str | Path], *, import_tests: bool = False) -> str:
    """Run a command away from the checkout, so that only what is installed is imported; returns its output.

    Raises:
        subprocess.CalledProcessError: it failed; carries its output.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NUMBA_"))}
    if import_tests:
        environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        command,
        cwd=BUILD.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
