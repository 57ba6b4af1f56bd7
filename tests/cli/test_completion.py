"""Completion in shells: each has its script, and lines are completed as the shell asks, through the environment."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from any2bokeh.cli.main import app, run
from any2bokeh.disparity.estimators.registry import KNOWN_MODELS
from any2bokeh.optics.catalogue import lenses

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
COMMANDS = {command.name for command in app.registered_commands}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What a shell is answered when it asks to complete the last of some words."""

    def answer(shell: str, *words: str, action: str = "get-args") -> list[str]:
        line = " ".join(("any2bokeh", *words))
        asked = {
            "_ANY2BOKEH_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words)),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
            "_TYPER_COMPLETE_FISH_ACTION": action,
        }
        for name, value in asked.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["any2bokeh"])
        with pytest.raises(SystemExit) as ended:
            run()
        assert ended.value.code == 0
        return capsys.readouterr().out.splitlines()

    return answer


def words_of(shell: str, lines: list[str]) -> set[str]:
    """The words of an answer, without what is shown beside them."""
    if shell == "zsh":  # _arguments '*: :(("refocus":"what it does"
        return {line.removeprefix("_arguments '*: :((").split('"')[1] for line in lines}
    end = {"fish": "\t", "powershell": ":::", "pwsh": ":::"}.get(shell)
    return {line.split(end)[0] if end else line for line in lines}


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_ANY2BOKEH_COMPLETE", f"source_{shell}")
    with pytest.raises(SystemExit) as ended:
        run([])
    assert ended.value.code == 0
    script = capsys.readouterr().out
    assert f"complete_{'powershell' if shell == 'pwsh' else shell}" in script
    assert "_ANY2BOKEH_COMPLETE" in script


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_and_options_are_completed(shell: str, answered) -> None:
    assert words_of(shell, answered(shell, "ref")) == {"refocus"}
    assert words_of(shell, answered(shell, "")) == COMMANDS
    assert words_of(shell, answered(shell, "refocus", "--focal")) == {"--focal-length-mm"}


@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_lenses_are_completed(shell: str, answered) -> None:
    assert words_of(shell, answered(shell, "refocus", "clip.mp4", "--lens", "")) == set(lenses())
    first = next(iter(lenses()))
    assert first in words_of(shell, answered(shell, "preview", "clip.mp4", "--lens", first[:3]))
    assert answered(shell, "refocus", "--lens", "no-such") in ([], ["_files"], [""])


def test_lenses_of_a_file_are_completed_and_a_missing_file_stops_nothing(tmp_path: Path, answered) -> None:
    own = tmp_path / "own.toml"
    own.write_text('["my-50"]\nf_number = 2\nfocal_length_mm = 50\n')
    assert answered("bash", "refocus", "--lens-file", str(own), "--lens", "my") == ["my-50"]
    assert set(answered("bash", "refocus", "--lens-file", str(tmp_path / "no.toml"), "--lens", "")) == set(lenses())


@pytest.mark.parametrize("command", ["refocus", "depth", "app", "evaluate"])
def test_names_of_depth_models_are_completed(command: str, answered) -> None:
    known = {"auto", "rough", *(model.short_name for model in KNOWN_MODELS)}
    assert set(answered("bash", command, "--depth-model", "")) == known
    assert set(answered("bash", command, "--depth-model", "video")) == {"video-small", "video-large"}


def test_choices_are_completed(answered) -> None:
    assert answered("bash", "refocus", "--engine", "") == ["layered", "diffusion"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """``any2bokeh`` in a folder of its own."""
    path = tmp_path / "any2bokeh"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m any2bokeh "$@"\n')
    path.chmod(0o755)
    return path


def needs(shell: str) -> pytest.MarkDecorator:
    is_missing = os.name == "nt" or shutil.which(shell) is None
    return pytest.mark.skipif(is_missing, reason=f"needs {shell} on a Unix")


@needs("bash")
def test_bash_completes_a_line(program: Path) -> None:
    lines = (
        f'eval "$(_ANY2BOKEH_COMPLETE=source_bash "{program}")"',
        "complete -p any2bokeh",
        "COMP_WORDS=(any2bokeh refocus --lens '') COMP_CWORD=3",
        f'_any2bokeh_completion "{program}"',
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)], capture_output=True, text=True, env=os.environ, check=True
    )
    registered, *offered = done.stdout.splitlines()
    assert registered == "complete -o default -F _any2bokeh_completion any2bokeh"
    assert set(offered) == set(lenses())


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_rare_options_are_completed_too(answered, shell: str) -> None:
    assert words_of(shell, answered(shell, "refocus", "--anam")) == {"--anamorphic-ratio"}
    assert words_of(shell, answered(shell, "refocus", "--help")) == {"--help", "--help-all"}


@needs("fish")
def test_fish_completes_a_line(program: Path) -> None:
    lines = (
        "_ANY2BOKEH_COMPLETE=source_fish any2bokeh | source",
        'complete -C "any2bokeh refocus --lens "',
    )
    environment = os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(program.parent),
    }
    done = subprocess.run(
        ["fish", "--no-config", "-c", "\n".join(lines)], capture_output=True, text=True, env=environment, check=True
    )
    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == set(lenses())


@pytest.mark.slow
@needs("zsh")
def test_zsh_completes_a_line(program: Path) -> None:
    """A tabulator is pressed in a terminal: completion works nowhere else."""
    import pty

    environment = os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "ZDOTDIR": str(program.parent),
        "TERM": "dumb",
        "COLUMNS": "200",
    }
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
    try:
        # The quotes keep what is typed, which the terminal repeats, from being what is waited for.
        typed = (
            'autoload -Uz compinit; compinit -u -D; eval "$(_ANY2BOKEH_COMPLETE=source_zsh any2bokeh)"; echo rea""dy\n'
        )
        _typed(terminal, typed, "ready")
        # A word that only one choice begins with is written out, with the space after it.
        _typed(terminal, "any2bokeh refocus --engine lay\t", "--engine layered ")
        _typed(terminal, "--lens phone-m\t", "--lens phone-main ")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def _typed(terminal: int, text: str, expected: str, *, seconds: float = 120) -> None:
    """Type into a terminal, and wait until it shows something."""
    os.write(terminal, text.encode())
    shown, end = "", time.monotonic() + seconds
    while expected not in shown:
        assert time.monotonic() < end, f"the terminal shows {shown!r}"
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
