"""What a measurement was made on and with."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from any2bokeh.renderers.layered.workers import available_cores


@dataclass(frozen=True, slots=True)
class Machine:
    """What a measurement was made on and with.

    Attributes:
        cpu: model of the processor.
        cores: how many this process may use.
        load: runnable threads on the machine in the minute before; above 0 the wall-clock times are too high. None
            where the system does not say.
        python: version.
        versions: of the packages that do the work.
        commit: of this repository, ``+`` behind it when files have changed; ``unknown`` outside a checkout.
    """

    cpu: str
    cores: int
    load: float | None
    python: str
    versions: dict[str, str]
    commit: str

    @classmethod
    def here(cls) -> "Machine":
        """The machine and the checkout of this process."""
        packages = ("any2bokeh", "numpy", "numba", "llvmlite", "av", "opencv-python-headless")
        return cls(
            cpu=_cpu_model(),
            cores=available_cores(),
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            python=platform.python_version(),
            versions={name: version(name) for name in packages},
            commit=_commit(),
        )

    def report(self) -> str:
        """In three lines."""
        packages = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        load = "unknown" if self.load is None else f"{self.load:.1f}"
        return (
            f"{self.cpu}, {self.cores} cores, load before the run {load}\n"
            f"Python {self.python}, {packages}\ncommit {self.commit}"
        )


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
