"""Tiny clips with ground truth, in the layouts that are read."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.synthesis import SyntheticClip, shard
from tests.evaluation.pictures import FRAMES, HEIGHT, WIDTH, disparity_map, picture, write_png


@pytest.fixture
def thin_lens_folder(tmp_path: Path) -> Path:
    """One scene of 3 frames with two settings. The truth of ``same`` is its source, that of ``darker`` half of it."""
    scene = tmp_path / "clips" / "scene"
    for kind in ("aif", "disparity", "gt_same", "gt_darker"):
        (scene / kind).mkdir(parents=True)
    for t in range(FRAMES):
        source = picture(t)
        write_png(scene / "aif" / f"{t:05d}.png", source)
        write_png(scene / "gt_same" / f"{t:05d}.png", source)
        write_png(scene / "gt_darker" / f"{t:05d}.png", source / np.float32(2))
        codes = np.rint(disparity_map() * 65535).astype(np.uint16)
        cv2.imwrite(str(scene / "disparity" / f"{t:05d}.png"), codes)
    lens = {"K": [1.5] * FRAMES, "focus_disparity": [0.8] * FRAMES}
    about = {"width": WIDTH, "height": HEIGHT, "settings": {"same": lens, "darker": lens}}
    (scene / "meta.json").write_text(json.dumps(about))
    return tmp_path / "clips"


@pytest.fixture
def shard_folder(tmp_path: Path) -> Path:
    """Two clips of 3 frames as shards, blurred in code values."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for index in range(2):
        frames = np.ascontiguousarray([picture(10 * index + t).transpose(2, 0, 1) for t in range(FRAMES)])
        disparity = np.broadcast_to(disparity_map(), (FRAMES, 1, HEIGHT, WIDTH)).copy()
        clip = SyntheticClip(
            frames,
            disparity,
            (disparity > 0.5).astype(np.float32),
            np.full(FRAMES, 0.8),
            np.full(FRAMES, 8.0 + 8 * index),
            frames[::-1].copy(),
            {"transfer": "none"},
        )
        shard.write(folder / f"{index:03d}.safetensors", clip)
    return folder
