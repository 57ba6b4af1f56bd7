"""Install the wheel and each extra into clean environments, and print sizes and times: the rows of docs/installing.md.

``python -m scripts.install_sizes [EXTRA...]``, on every Python of this machine; PYTHONS=3.11,3.12 names some of them.
Nothing is locked; torch is what pip finds, so that its size is that of the CPU build only where pip is told of one.
Times are processor time, which other work on the machine hardly stretches; the demo is run without extras.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from scripts.test_install import BUILD, ROOT, built_wheel, found_pythons, run, version_name

MEASURED = ("", "app", "gpu", "remote", "timeline", "cluster", "depth", "diffusion", "train")
# What each extra is for: one module of every package that it names.
IMPORTED = {
    "app": "starlette, uvicorn",
    "gpu": "wgpu",
    "remote": "fsspec",
    "timeline": "opentimelineio, otio_fcp_adapter",
    "cluster": "ray",
    "depth": "torch, transformers, safetensors, huggingface_hub",
    "diffusion": "torch, diffusers, transformers, accelerate, safetensors, huggingface_hub",
    "train": "torch, diffusers, tensorboard",
}


def main(extras: list[str]) -> None:
    pythons = found_pythons()
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(BUILD / "wheel", ignore_errors=True)
    wheel = built_wheel(pythons[min(pythons)])
    print(f"wheel: {wheel.stat().st_size / 1e6:.1f} MB\n", flush=True)
    print("| Python | installed | packages | MB | `import any2bokeh` | `any2bokeh --help` | `any2bokeh demo` |")
    print("|---|---|---|---|---|---|---|", flush=True)
    named = os.environ.get("PYTHONS", "")
    for version, python in sorted(pythons.items()):
        if named and version_name(version) not in named.split(","):
            continue
        for extra in extras:
            print(f"| {version_name(version)} | {row(python, wheel, extra)} |", flush=True)


def row(python: Path, wheel: Path, extra: str) -> str:
    """The cells of one environment, which is removed again; a failure is its row."""
    folder = BUILD / f"sizes-{extra or 'base'}"
    shutil.rmtree(folder, ignore_errors=True)
    name = f"`any2bokeh[{extra}]`" if extra else "`any2bokeh`"
    try:
        run([python, "-m", "venv", folder])
        inside = folder / "bin" / "python"
        before = size_mb(folder)
        pip = [inside, "-m", "pip", "--disable-pip-version-check"]
        run([*pip, "install", "--quiet", "--no-compile", f"{wheel}[{extra}]" if extra else wheel])
        run([*pip, "check"])
        packages = len(run([*pip, "list", "--format", "freeze"]).splitlines()) - 1  # all but pip
        size = size_mb(folder) - before
        if extra:
            run([inside, "-c", f"import {IMPORTED[extra]}"])
        times = [
            quickest(lambda: run([inside, "-c", "import any2bokeh"])),
            quickest(lambda: run([folder / "bin" / "any2bokeh", "--help"])),
        ]
        cells = [name, str(packages), f"{size:.0f}", *(f"{seconds:.2f} s" for seconds in times)]
        if extra:
            return " | ".join([*cells, ""])
        demo = [folder / "bin" / "any2bokeh", "demo", "--quiet", "--overwrite", "-o", folder / "demo"]
        return " | ".join([*cells, f"{cpu_s(lambda: run(demo)):.0f} s"])
    except subprocess.CalledProcessError as error:
        reason = re.sub(r"\s+", " ", error.stdout[-300:]).replace("|", "/")
        return f"{name} | failed: {reason} | | | | "
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def size_mb(folder: Path) -> float:
    """Size of the files of an environment on disk, without what was compiled when it was made."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names if not name.endswith(".pyc"))
    return sum(path.lstat().st_size for path in files) / 1e6


def quickest(task: Callable[[], object]) -> float:
    """Processor time of the quickest of three runs, after one that compiles modules."""
    task()
    return min(cpu_s(task) for _ in range(3))


def cpu_s(task: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    task()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _known(extras: list[str]) -> list[str]:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(IMPORTED) == set(declared) - {"docs", "dev"}, "an extra is not measured"
    return ["" if each == "base" else each for each in extras] or list(MEASURED)


if __name__ == "__main__":
    main(_known(sys.argv[1:]))
