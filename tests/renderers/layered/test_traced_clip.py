"""Against the clip in tests/traced, ray traced through a thin lens by our own synthesis (scripts/traced_clip.py).

``any2bokeh evaluate tests/traced -o OUT`` prints the same figures.
"""

import re
from pathlib import Path

import pytest

from any2bokeh.evaluation import Evaluation, evaluate, open_clips, plain_method

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "traced"

# Of `layered`: least PSNR and least PSNR within 12 px of disparity edges in dB, and most of the relation metric.
# Reached when this was written, edges treated and with a plate: 35.41/34.13/.0066, 36.95/36.16/.0098.
FLOORS = {"scene/far": (35.2, 33.9, 0.0069), "scene/rack": (36.7, 35.9, 0.0101)}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(open_clips(FOLDER), [plain_method(name) for name in ("source", "gather", "scatter", "layered")])


@pytest.mark.parametrize("clip", FLOORS)
def test_floors_of_the_layered_engine(evaluation: Evaluation, clip: str):
    values = evaluation.scores["layered"][clip].values
    least_psnr_db, least_psnr_edge_db, most_rm = FLOORS[clip]
    assert values["psnr_db"] >= least_psnr_db
    assert values["psnr_edge_db"] >= least_psnr_edge_db
    assert values["rm"] <= most_rm


def test_the_readme_has_these_figures(evaluation: Evaluation):
    """Those of the baselines, too: a mistake in one of them would flatter the engine."""
    table = (ROOT / "README.md").read_text().partition("-o scores")[2]
    for method, row in {"source": "no blur", "gather": "gather", "scatter": "scatter"}.items():
        shown = re.search(rf"^\| {row} \| ([\d.]+) \| ([\d.]+) \|$", table, re.MULTILINE)
        assert shown is not None, row
        scored = [evaluation.scores[method][clip].values["psnr_db"] for clip in ("scene/far", "scene/rack")]
        assert scored == pytest.approx([float(figure) for figure in shown.groups()], abs=0.06)  # they have one decimal
    ours = re.search(r"^\| \*\*any2bokeh, layered\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\* \|$", table, re.MULTILINE)
    assert ours is not None
    scored = [evaluation.scores["layered"][clip].values["psnr_db"] for clip in ("scene/far", "scene/rack")]
    assert scored == pytest.approx([float(figure) for figure in ours.groups()], abs=0.06)


def test_the_clip_is_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1 << 20
