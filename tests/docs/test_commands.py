"""Every command that the pages show: the parser takes it, and those that need nothing but files and seconds are run."""

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from any2bokeh.cli.main import run
from scripts.docs_site.command_reference import commands
from tests.docs.markdown import PAGES, ROOT, blocks, code_spans, name_of

# Why a command is not run here. All are held against the parser; each of these is run elsewhere, at a size of its own.
NOT_RUN = {
    "any2bokeh demo": "tests/cli/test_demo.py",
    "any2bokeh app": "a server; tests/app",
    "--project": "needs a project of the studio; tests/app/test_saving.py",
    "any2bokeh batch": "a folder of clips; tests/batch",
    "any2bokeh convert": "needs published weights; tests/renderers/diffusion",
    "any2bokeh synth": "hundreds of clips; tests/cli/test_synth.py",
    "any2bokeh train": "minutes to weeks; tests/cli/test_train.py",
    "any2bokeh evaluate": "a folder of clips; tests/cli/test_evaluate.py",
    "any2bokeh models get": "needs a network; tests/cli/test_models.py",
    "any2bokeh models check": "needs a model, or a minute; tests/cli/test_models.py",
    "--focus-text": "needs a grounding model; tests/cli/test_track.py",
    "--depth-model FOLDER": "needs a model; tests/cli/test_depth.py",
    "--engine diffusion": "needs weights; tests/cli/test_refocus.py",
}
# Options of other programs that pages name within a line.
_OTHER_OPTIONS = {"--only", "--quality", "--tiny", "--threads", "--out", "--memory"}  # python -m benchmarks

_PROGRAM = re.compile(
    r"^\s*(?:torchrun\b.*?-m any2bokeh|docker run\b.*? any2bokeh any2bokeh|python3? -m any2bokeh|any2bokeh)(?=\s|$)"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command line of a page.

    Attributes:
        page, line: where it stands.
        words: after the name of the program.
    """

    page: str
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: any2bokeh {shlex.join(self.words)}"

    @property
    def reason_not_to_run(self) -> str | None:
        text = f"any2bokeh {' '.join(self.words)}"
        return next((reason for part, reason in NOT_RUN.items() if part in text), None)


def shown_commands(path: Path) -> Iterator[Shown]:
    """The command lines in the fenced blocks of a page."""
    for block in blocks(path):
        if block.language not in ("", "sh", "bash", "shell", "console"):
            continue
        lines = block.text.split("\n")
        for offset, line in enumerate(lines):
            while line.endswith("\\"):
                line = line[:-1] + lines.pop(offset + 1)
            match = _PROGRAM.search(line)
            if match:
                yield Shown(block.page, block.line + offset, _words(line[match.end() :]))


def _words(text: str) -> tuple[str, ...]:
    """Words of a shell's line up to its comment; a variable that stands alone is left out, others are 1."""
    words = shlex.split(text, comments=True)
    for end in ("&", "|", ">", "&&", ";"):
        if end in words:
            words = words[: words.index(end)]
    return tuple(re.sub(r"\$\w+", "1", word) for word in words if not re.fullmatch(r"\$FROM", word))


ALL = [shown for path in PAGES for shown in shown_commands(path)]
TO_RUN = list({shown.words: shown for shown in ALL if shown.reason_not_to_run is None}.values())


def command_of(words: tuple[str, ...]) -> tuple[Any, list[str]]:
    """The command that words begin with, and the rest of them."""
    known = commands()
    for count in (2, 1):
        if " ".join(words[:count]) in known:
            return known[" ".join(words[:count])], list(words[count:])
    raise AssertionError(f"there is no command {words[0]!r}; there are {', '.join(known)}")


def option_names() -> set[str]:
    names = {"--help", "--version", "--install-completion", "--show-completion"}
    for command in commands().values():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                names |= {*parameter.opts, *parameter.secondary_opts}
    return names


def test_what_is_not_run_here_is_run_elsewhere():
    for reason in NOT_RUN.values():
        places = re.findall(r"tests/[\w/.]+", reason)
        assert places, reason
        assert all((ROOT / place).exists() for place in places), reason


def test_pages_show_commands():
    assert {shown.words[0] for shown in ALL if shown.words} >= {"refocus", "preview", "info", "depth", "track", "train"}
    assert len(TO_RUN) >= 15


@pytest.mark.parametrize("shown", ALL, ids=str)
def test_parser_takes_what_is_shown(shown: Shown):
    if not shown.words or shown.words == ("--help",):
        return
    command, arguments = command_of(shown.words)
    with suppress(typer.Exit):  # --schema is answered at once
        command.make_context(shown.words[0], arguments)  # raises a usage error that names the option or the value


@pytest.mark.parametrize("path", [ROOT / "README.md", *(ROOT / "docs").glob("*.md")], ids=name_of)
def test_options_and_commands_within_a_line_exist(path: Path):
    known, names = option_names(), set(commands())
    unknown = []
    for span in code_spans(path):
        if re.match(r"(pip|hf|make|pytest|python|torchrun|docker)\b", span):
            continue
        unknown += [word for word in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", span) if word not in known]
        told = re.match(r"any2bokeh ([a-z][\w-]*)", span)
        if told and told[1] not in names:
            unknown.append(span)
    assert set(unknown) - _OTHER_OPTIONS == set()


@pytest.mark.parametrize("page", sorted({shown.page for shown in TO_RUN}))
def test_commands_run_as_shown(
    page: str, folder_of_a_user: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """In the order of the page, in one folder, so that one may read what another wrote."""
    monkeypatch.chdir(folder_of_a_user)
    done: dict[tuple[str, ...], int] = {}
    for shown in (shown for shown in ALL if shown.page == page):
        if shown.reason_not_to_run is not None or shown.words in done:
            continue
        target = _target(shown.words)
        if target is not None and target.exists():
            _remove(target)
        done[shown.words] = run(shown.words)
        assert done[shown.words] == 0, f"{shown}\n{capfd.readouterr().err}"
        assert target is None or target.exists(), f"{shown} wrote nothing"


def _target(words: tuple[str, ...]) -> Path | None:
    for flag in ("-o", "--output"):
        if flag in words:
            return Path(words[words.index(flag) + 1])
    return None


def _remove(target: Path) -> None:
    """What a command before has written under the same name."""
    if target.is_dir() and not target.is_symlink():
        for file in target.iterdir():
            file.unlink()
        target.rmdir()
    else:
        target.unlink()
