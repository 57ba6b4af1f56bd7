"""The figures are those of the data's own scoring script."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import quality, scenes

SCRIPT = scenes.THIN_LENS_FOLDER.parent / "score_thin_lens.py"


def noise(seed: int, frames: int = 3) -> list[quality.Picture]:
    """Smooth pictures, so that SSIM lies well inside its range."""
    generator = np.random.default_rng(seed)
    return [np.asarray(cv2.GaussianBlur(generator.random((40, 56, 3)), (0, 0), 2), np.float64) for _ in range(frames)]


def test_identical_pictures_score_best():
    maps = [np.tile(np.linspace(0, 1, 56, dtype=np.float32), (40, 1))] * 3
    best = quality.score("scene", "method", noise(0), noise(0), maps)
    assert (best.psnr_db, best.edge_psnr_db, best.temporal) == (100, 100, 0)
    assert best.ssim == pytest.approx(1)


def test_figures_of_a_known_error():
    truth = noise(0)
    maps = [np.zeros((40, 56), np.float32)] * 3
    for disparity in maps:
        disparity[:, 28:] = 1
    pictures = [picture + offset for picture, offset in zip(truth, (0.1, 0.2, 0.1), strict=True)]
    found = quality.score("scene", "method", pictures, truth, maps)
    # 20 dB for 0.1, 13.98 dB for 0.2; the error changes by 0.1 from each frame to the next.
    assert found.psnr_db == pytest.approx((20 + 13.979 + 20) / 3, abs=1e-3)
    assert found.edge_psnr_db == pytest.approx(found.psnr_db)
    assert found.temporal == pytest.approx(0.1)


@pytest.mark.skipif(not SCRIPT.is_file(), reason="the path-traced clips are not beside this checkout")
def test_agrees_with_the_script_of_the_data(tmp_path: Path):
    spec = importlib.util.spec_from_file_location("score_thin_lens", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = _first_frames(tmp_path / "set", clip="A_cards", frames=2)
    for index in range(2):
        target = tmp_path / "source" / "A_cards" / "focus_bg" / f"{index:05d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((folder / "A_cards" / "aif" / f"{index:05d}.png").read_bytes())
    theirs = next(row for row in script.score(str(folder), str(tmp_path / "source")) if row["scene"] == "A_cards")
    ours = next(
        score
        for score in quality.measure(folder, frames=2, threads=1)
        if (score.scene, score.method) == ("A_cards focus_bg", "source")
    )
    for figure, name in (
        ("psnr_db", "psnr"),
        ("ssim", "ssim"),
        ("edge_psnr_db", "edge_psnr"),
        ("temporal", "temporal"),
    ):
        assert getattr(ours, figure) == pytest.approx(theirs[name], rel=1e-12), figure


def _first_frames(folder: Path, *, clip: str, frames: int) -> Path:
    """A copy of one clip with just its first frames."""
    import json

    source = scenes.THIN_LENS_FOLDER / clip
    about = json.loads((source / "meta.json").read_text())
    for lens in about["settings"].values():
        for track in lens:
            lens[track] = lens[track][:frames]
    (folder / clip).mkdir(parents=True)
    (folder / clip / "meta.json").write_text(json.dumps(about))
    for part in sorted(source.iterdir()):
        if part.is_dir():
            (folder / clip / part.name).mkdir()
            for index in range(frames):
                name = f"{part.name}/{index:05d}.png"
                (folder / clip / name).write_bytes((source / name).read_bytes())
    return folder
