"""The page that a maintainer's check of the published models writes, from models with random weights."""

import re
from pathlib import Path

import pytest

from any2bokeh.disparity.estimators.registry import DEFAULT_MODEL
from scripts.check_published_models import PAGE, main
from tests.disparity.estimators.test_choice import hub_home

__all__ = ["hub_home"]

pytest.importorskip("transformers", reason="needs the depth extra")


def test_what_works_and_what_does_not_stand_on_the_page(hub_home: Path, tmp_path: Path):
    from tests.disparity.estimators.models import write_hub_cache

    write_hub_cache(hub_home, DEFAULT_MODEL.hub_id, card="---\nlicense: apache-2.0\n---\n")
    page = tmp_path / "page.md"
    assert main(["small", "dpt", "base", "--page", str(page)]) == 1
    small, dpt, base = [line for line in page.read_text().splitlines() if line.startswith("| `")]
    assert re.match(r"\| `small` \| yes: relative disparity .* s a frame \| apache-2\.0 \|$", small)
    assert "no: depth model Intel/dpt-large is not on this machine" in dpt
    assert "cc-by-nc-4.0" in base


def test_a_name_that_is_not_published_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["compact", "--page", str(tmp_path / "page.md")])
    assert "no published model compact" in capsys.readouterr().err


def test_the_page_says_whether_anybody_has_run_it():
    page = PAGE.read_text(encoding="utf-8")
    assert ("Nobody has run it so far" in page) != bool(re.search(r"^Checked on \d{4}-", page, re.MULTILINE))
