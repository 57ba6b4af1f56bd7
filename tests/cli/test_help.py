"""Pages of help: the common options on one screen, and every option in full."""

import re

import pytest

from any2bokeh.cli.help_entry import entries_of
from any2bokeh.cli.help_page import HELP_ALL
from any2bokeh.cli.option_groups import Commands, Group
from scripts.docs_site.command_reference import commands
from tests.cli.conftest import RunCli

COMMANDS = sorted(commands())
WIDTH = 80
SCREEN_LINES = 52  # refocus has 51, the most of all


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def options_of(name: str) -> set[str]:
    return {spelling for each in commands()[name].params for spelling in each.opts if spelling.startswith("--")}


def said(page: str) -> set[str]:
    """The options that have a line of their own."""
    return {name for line in page.splitlines() for name in re.findall(r"--[\w-]+", _names(line))}


def _names(line: str) -> str:
    return re.split(r"\s{2,}", line.strip())[0] if line.startswith("  -") else ""


@pytest.mark.parametrize("name", COMMANDS)
def test_common_options_fit_a_screen(cli: RunCli, name: str):
    page = cli(name, "--help")
    lines = page.out.splitlines()
    assert (page.code, page.err) == (0, "")
    assert len(lines) <= SCREEN_LINES
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith(f"Usage: any2bokeh {name}")
    assert lines[-1] == f"All options, in full: any2bokeh {name} {HELP_ALL}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_full_help(cli: RunCli, name: str):
    page = cli(name, HELP_ALL)
    assert (page.code, page.err) == (0, "")
    assert said(page.out) | {HELP_ALL} >= options_of(name)
    assert max(map(len, page.out.splitlines())) <= WIDTH


@pytest.mark.parametrize("name", COMMANDS)
def test_a_narrow_terminal_gets_names_above_what_they_mean(cli: RunCli, name: str, monkeypatch: pytest.MonkeyPatch):
    wide = said(cli(name, HELP_ALL).out)
    monkeypatch.setenv("COLUMNS", "40")
    page = cli(name, HELP_ALL).out
    assert said(page) == wide
    words = [line for line in page.splitlines() if " " in line.strip() and not line.startswith("  -")]
    assert max(map(len, words)) <= max(40, *map(len, Group))  # headings are not broken


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (("refocus", "", "-o", "out.mkv", "--focus", "0.5"), "INPUT"),
        (("refocus", "clip.mkv", "-o", "", "--focus", "0.5"), "-o"),
        (("refocus", "clip.mkv", "--overwrite", "", "-o", "out.mkv"), "INPUT"),
        (("refocus", "clip.mkv", "-o", "out.mkv", "--focus", "0.5", "--disparity="), "--disparity"),
        (("refocus", "clip.mkv", "-o", "out.mkv", "--focus", "0.5", "--source-blur", ""), "--source-blur"),
        (("batch", "", "-o", "out"), "INPUT"),
        (("info", "--disparity", "", "clip.mkv"), "--disparity"),
        (("app", ""), "CLIP"),
    ],
)
def test_an_empty_path_is_not_the_working_folder(cli: RunCli, typed: tuple[str, ...], named: str):
    outcome = cli(*typed)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith(f"error: {named} is empty; give ")


def test_full_help_comes_before_what_is_missing(cli: RunCli):
    assert cli("depth").code == 2  # needs INPUT and --output
    assert cli("depth", HELP_ALL).code == 0
    assert cli("refocus", "--blur", "16", HELP_ALL, "clip.mp4").code == 0


def test_rare_options_are_left_to_full_help(cli: RunCli):
    common = said(cli("refocus", "--help").out)
    assert common >= {"--output", "--focus", "--focus-point", "--blur", "--lens", "--disparity", "--device"}
    assert not common & {"--anamorphic-ratio", "--pixel-format", "--disparity-levels", "--window", "--strict"}


def test_options_stand_under_their_headings(cli: RunCli):
    lines = cli("refocus", HELP_ALL).out.splitlines()
    headings = [line for line in lines if line in set(Group)]
    assert headings == [group for group in Group if group in headings]  # in the order of the declaration
    assert len(headings) == len(set(headings)) >= 12
    assert lines.index(Group.LOOK) < lines.index(next(line for line in lines if "--swirl" in line))
    assert Group.OTHER not in headings


def test_what_is_required_is_in_the_usage_and_both_pages(cli: RunCli):
    for option in ("--help", HELP_ALL):
        page = cli("preview", option).out
        assert page.splitlines()[0] == "Usage: any2bokeh preview INPUT -o OUT [OPTIONS]"
        assert re.search(r"^  -o, --output OUT ", page, re.MULTILINE)


def test_defaults_are_told_once(cli: RunCli):
    page = " ".join(cli("refocus", HELP_ALL).out.split())
    assert "(default: layered)" in page
    assert page.count("(default: 16)") == 1
    assert "Follow the subject, or keep the focus where it is in --focus-frame (default: --track)." in page


def test_commands_stand_under_their_headings(cli: RunCli):
    lines = cli("--help").out.splitlines()
    assert [line for line in lines if line in set(Commands)] == list(Commands)
    named = {line.split()[0] for line in lines if re.match(r"  \w", line)}
    assert named >= set(COMMANDS)
    assert len(lines) <= SCREEN_LINES


def test_every_common_sentence_is_short():
    for name, command in commands().items():
        for entry in entries_of(command.shown):
            if entry.brief is not None and entry.group != Group.ARGUMENTS:
                assert len(entry.brief) <= 130, (name, entry.names)
                assert entry.brief.endswith("."), (name, entry.names)
