"""The command line, run in the test's own process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.cli.main import run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the command line said."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The one object that --json prints; of commands that print events, that of the last."""
        last = json.loads(self.out.splitlines()[-1])
        return last["result"] if last.get("event") == "run_finished" else last


RunCli = Callable[..., Outcome]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> RunCli:
    """Run ``any2bokeh`` with arguments; standard output and error are caught at the file descriptors, C code's too."""

    def run_cli(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Outcome(code, said.out, said.err)

    return run_cli


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An empty folder for what a command writes."""
    folder = tmp_path / "results"
    folder.mkdir()
    return folder
