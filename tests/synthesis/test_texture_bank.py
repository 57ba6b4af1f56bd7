"""The stock of textures: pieces of any size, in the colours that are asked for, and photographs where there are any."""

import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.synthesis import texture_bank
from any2bokeh.synthesis.photographs import free_photographs
from any2bokeh.synthesis.texture_bank import TextureBank, Tint

SIZE = (48, 80)


def test_pieces_are_light_of_the_size_asked_for():
    bank = TextureBank(np.random.default_rng(0), SIZE)
    for _ in range(8):
        piece = bank.piece()
        assert piece.shape == (*SIZE, 3)
        assert piece.dtype == np.float32
        assert piece.min() >= 0
        assert piece.max() <= 1


def test_a_tinted_piece_resembles_what_it_is_to_be_taken_for():
    bank = TextureBank(np.random.default_rng(1), SIZE)
    tint = Tint(np.array([0.6, 0.4, 0.2]), np.array([0.05, 0.05, 0.05]))
    off = [np.abs(srgb_encode(bank.piece(tint)).mean(axis=(0, 1)) - tint.mean).max() for _ in range(8)]
    # Means are drawn 0.045 about those of the tint. Worst seen: 0.08.
    assert max(off) < 0.15


@pytest.mark.parametrize("kind", [texture_bank.spectrum, texture_bank.gradient, texture_bank.patchwork])
def test_textures_are_code_values(kind):
    for seed in range(4):
        code = kind(np.random.default_rng(seed), SIZE)
        assert code.shape == (*SIZE, 3)
        assert code.dtype == np.float32
        assert code.min() >= 0
        assert code.max() <= 1


def test_photographs_are_shown():
    red = np.zeros((60, 90, 3), np.uint8)
    red[..., 0] = 200
    bank = TextureBank(np.random.default_rng(2), SIZE, [red])
    tint = Tint(np.array([0.7, 0.1, 0.1]), np.zeros(3))
    flat = [np.ptp(bank.piece(tint), axis=(0, 1)).max() < 0.02 for _ in range(30)]
    assert 5 < sum(flat) < 30


def test_those_of_an_installed_package_are_found_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "skimage" / "data").mkdir(parents=True)
    (tmp_path / "skimage" / "__init__.py").write_text("raise ImportError('its own requirements are missing')")
    picture = np.full((8, 12, 3), (10, 20, 200), np.uint8)  # blue, green, red
    for name in ("coffee.png", "ihc.png"):
        cv2.imwrite(str(tmp_path / "skimage" / "data" / name), picture)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    [found] = free_photographs()
    np.testing.assert_array_equal(found, picture[..., ::-1])
    monkeypatch.setattr("any2bokeh.synthesis.photographs.find_spec", lambda name: None)
    assert free_photographs() == []
