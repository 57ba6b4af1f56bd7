"""Against clips path-traced through a thin lens by an independent renderer, with the renderer's defaults."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.renderer import LayeredRenderer

# Floors: PSNR and PSNR within 12 px of disparity edges in dB, temporal L1. Reached when this was written:
# 35.94/33.57/.0071, 34.18/31.50/.0077, 40.70/38.16/.0050, 40.60/38.56/.0060.
FLOORS = {
    ("A_cards", "focus_mid"): (35.7, 33.3, 0.0073),
    ("A_cards", "focus_bg"): (34.0, 31.3, 0.0080),
    ("B_slope", "focus_sphere"): (40.4, 37.9, 0.0053),
    ("B_slope", "rack"): (40.3, 38.3, 0.0062),
}


@pytest.mark.parametrize(("scene", "setting"), FLOORS)
def test_path_traced_truth(shared_data, scene, setting):
    folder = shared_data / "thin_lens" / scene
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/thin_lens")
    psnr, edge_psnr, temporal = [], [], []
    before = None
    for picture, truth, disparity in _frames(folder, setting):
        error = (picture - truth) ** 2
        psnr.append(_psnr(error.mean()))
        edge_psnr.append(_psnr(error[_edge_band(disparity)].mean()))
        if before is not None:
            temporal.append(np.abs((picture - before[0]) - (truth - before[1])).mean())
        before = picture, truth
    least_psnr, least_edge_psnr, most_temporal = FLOORS[scene, setting]
    assert np.mean(psnr) >= least_psnr
    assert np.mean(edge_psnr) >= least_edge_psnr
    assert np.mean(temporal) <= most_temporal


def _frames(folder: Path, setting: str) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(rendered, truth, disparity) of each frame; the pictures ``(H, W, 3)`` in [0, 1] rounded to 8 bits."""
    values = json.loads((folder / "meta.json").read_text())["settings"][setting]
    renderer = LayeredRenderer()
    for index, (k, focus) in enumerate(zip(values["K"], values["focus_disparity"], strict=True)):
        pixels = _read(folder / "aif" / f"{index:05d}.png")
        disparity = _read(folder / "disparity" / f"{index:05d}.png", cv2.IMREAD_UNCHANGED).astype(np.float32)
        # K of these clips is in pixels of their own 512 px of width.
        frame = RenderInput(
            np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32), disparity[None], focus, k * 1024 / 512
        )
        picture = np.rint(renderer.render_frame(frame).transpose(1, 2, 0).clip(0, 1) * 255) / 255
        yield picture, _read(folder / f"gt_{setting}" / f"{index:05d}.png"), disparity


def _read(path: Path, mode: int = cv2.IMREAD_COLOR_RGB) -> np.ndarray:
    """Code values of a picture as they are, over their full scale."""
    picture = cv2.imread(str(path), mode)
    assert picture is not None, path
    return picture / (255.0 if picture.dtype == np.uint8 else 65535.0)


def _psnr(mean_squared_error: float) -> float:
    return float(-10 * np.log10(max(mean_squared_error, 1e-10)))


def _edge_band(disparity: np.ndarray) -> np.ndarray:
    kernel = np.ones((3, 3), np.uint8)
    edge = (cv2.dilate(disparity, kernel) - cv2.erode(disparity, kernel)) > 0.03
    return cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) <= 12
