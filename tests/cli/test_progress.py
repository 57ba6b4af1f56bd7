"""What a job tells of its progress."""

import pytest

from any2bokeh.cli import progress


def test_lines_tell_of_a_large_frame(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    with progress.progress_report(quiet=False, doing="rendering {total} frames") as report:
        report(0, 2)
        report.within(0.25)
        report(1, 2)
        report.within(0.5)
        report.within(1.0)
        report(2, 2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["rendering 2 frames", "0/2 frames, 25% of the next", "1/2 frames, 50% of the next"]
    assert lines[3].startswith("2/2 frames")
    assert len(lines) == 4


def test_a_quiet_job_tells_nothing(capsys: pytest.CaptureFixture[str]):
    with progress.progress_report(quiet=True) as report:
        report(0, 1)
        report.within(0.5)
        report(1, 1)
    assert capsys.readouterr() == ("", "")
