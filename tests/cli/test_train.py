"""``any2bokeh train``: what it refuses, in one line. Whole runs are tested in tests/training."""

from pathlib import Path

import pytest

from tests.cli.conftest import RunCli


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("papr",), "config papr is neither paper, compact, compact-cpu, debug nor a TOML file"),
        (("debug", "--stage", "7"), "config debug has no stage 7; it has 0, 1, 2, 3, or take all"),
        (("debug", "--data", "nowhere"), "there is no folder nowhere"),
        (("debug", "--samples", "nowhere"), "there is no folder nowhere"),
        (("debug", "--state-every", "0"), "state_every is 0"),
        (("debug", "--resume"), "holds no state to resume"),
        (("debug", "--stage", "1"), "stage 1 goes on from the weights of stage 0"),
        (("debug", "--start-from", "nowhere"), "nowhere is neither a folder nor a hub id"),
        (("paper", "--device", "cpu", "--stage", "3"), "stage 3 goes on from the weights of stage 2"),
    ],
)
def test_bad_input_is_told_in_one_line(
    cli: RunCli, results: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(results)
    outcome = cli("train", *arguments, "--quiet")
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert not list(results.iterdir())


def test_an_empty_folder_of_clips_is_told_in_one_line(cli: RunCli, results: Path) -> None:
    empty = results / "clips"
    empty.mkdir()
    outcome = cli("train", "debug", "--data", empty, "--out", results / "run")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {empty} holds no clips")
    assert not (results / "run").exists()
