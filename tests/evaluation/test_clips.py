"""Clips with ground truth are read as they lie on disk."""

import json

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.evaluation import open_clips
from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame, synthetic_clip, treated
from any2bokeh.renderers.base import RenderInput
from any2bokeh.source_blur import SourceLens
from any2bokeh.synthesis import shard
from any2bokeh.synthesis.perturb import Perturbation
from tests.evaluation.pictures import FRAMES, HEIGHT, WIDTH, disparity_map, picture
from tests.source_blur import scenes


def test_a_scene_has_a_clip_for_each_setting(thin_lens_folder):
    clips = open_clips(thin_lens_folder)
    assert [clip.name for clip in clips] == ["scene/same", "scene/darker"]
    assert {(clip.scene, clip.frame_count, clip.width, clip.height) for clip in clips} == {
        ("scene", FRAMES, WIDTH, HEIGHT)
    }
    frames = list(clips[1].read())
    assert len(frames) == FRAMES
    given = frames[2].given
    np.testing.assert_allclose(given.pixels, picture(2).transpose(2, 0, 1), atol=1e-6)
    assert frames[2].truth is not None
    np.testing.assert_allclose(frames[2].truth, picture(2).transpose(2, 0, 1) / 2, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(given.disparity[0], disparity_map(), atol=1 / 65535)
    # Their K is in pixels of their own frames.
    assert given.blur_strength == pytest.approx(1.5 * 1024 / WIDTH)
    assert given.focus_disparity == 0.8


def test_one_scene_is_a_folder_of_clips_too(thin_lens_folder):
    assert len(open_clips(thin_lens_folder / "scene")) == 2


def test_shards_say_what_they_are(shard_folder):
    clips = open_clips(shard_folder)
    assert [(clip.name, clip.transfer, clip.frame_count) for clip in clips] == [("000", "none", 3), ("001", "none", 3)]
    frames = list(clips[1].read())
    np.testing.assert_allclose(frames[0].given.pixels, picture(10).transpose(2, 0, 1), atol=0.5 / 255)
    assert frames[0].truth is not None
    np.testing.assert_allclose(frames[0].truth, picture(12).transpose(2, 0, 1), atol=0.5 / 255)
    assert (frames[0].given.blur_strength, frames[0].given.focus_disparity) == (16, 0.8)


def test_perturbed_disparity_is_told_and_the_true_one_kept(shard_folder):
    path = shard_folder / "000.safetensors"

    def make(start, stop):
        return shard.read(path, start, stop)

    strong = Perturbation(1.0, elastic_px=200, elastic_scale_px=100, morphology_px=100)
    clip = synthetic_clip("a", make, frame_count=3, size=(WIDTH, HEIGHT), transfer="none", perturbation=strong, seed=3)
    first, again = list(clip.read()), list(clip.read())
    assert any(np.any(frame.given.disparity != frame.disparity) for frame in first)
    for frame, same in zip(first, again, strict=True):
        np.testing.assert_allclose(frame.disparity[0], disparity_map(), atol=1 / 65535)
        np.testing.assert_array_equal(frame.given.disparity, same.given.disparity)


def test_a_clip_is_read_in_parts(shard_folder):
    path = shard_folder / "000.safetensors"
    asked = []

    def make(start, stop):
        asked.append((start, stop))
        whole = shard.read(path)
        return whole.window(start % 3, start % 3 + 1)

    clip = synthetic_clip("long", make, frame_count=20, size=(WIDTH, HEIGHT), transfer="none")
    next(clip.read())
    assert asked == [(0, 8)]


def test_renderers_are_told_what_refocus_tells_them():
    """Edges are treated, and frames are told what those around them saw, unless asked otherwise."""
    post, ground = np.zeros((3, HEIGHT, WIDTH), np.float32), np.random.default_rng(1).random((3, HEIGHT, WIDTH))

    def read():
        for index in range(4):
            at = np.arange(WIDTH) - 4 * index
            is_post = (at >= 8) & (at < 20)
            pixels = np.where(is_post, post, ground).astype(np.float32)
            disparity = cv2.GaussianBlur(np.where(is_post, 0.9, 0.1)[None].repeat(HEIGHT, 0), (0, 0), 2)
            given = RenderInput(pixels, disparity.astype(np.float32)[None], 0.1, 120.0)
            yield EvaluationFrame(given, pixels, given.disparity)

    clip = EvaluationClip("post", "post", 4, WIDTH, HEIGHT, read)
    plain, told = treated([clip], edges=["off"], plates=["off"])[0], list(clip.frames())
    for raw, off, auto in zip(read(), plain.frames(), told, strict=True):
        assert (off.given.hidden, off.given.bands) == (None, None)
        np.testing.assert_array_equal(off.given.disparity, raw.given.disparity)
        assert auto.given.hidden is not None
        assert auto.given.bands is not None
        np.testing.assert_array_equal(auto.disparity, raw.disparity)  # the best that is known stays
    assert len(list(clip.shortened(2).frames())) == 2


def test_a_shortened_clip_has_the_first_frames(thin_lens_folder):
    whole = open_clips(thin_lens_folder)[0]
    short = whole.shortened(2)
    assert short.frame_count == 2
    assert len(list(short.read())) == 2
    assert whole.shortened(99) is whole


@pytest.mark.parametrize("content", ["nothing", "empty", "other"])
def test_a_folder_without_clips_is_refused(tmp_path, content):
    folder = tmp_path / "clips"
    if content != "nothing":
        folder.mkdir()
    if content == "other":
        (folder / "notes.txt").write_text("none")
    with pytest.raises(InputError, match=str(folder)):
        open_clips(folder)


def test_pictures_that_are_missing_are_counted(thin_lens_folder):
    (thin_lens_folder / "scene" / "gt_darker" / "00001.png").unlink()
    with pytest.raises(InputError, match=r"gt_darker has 2 pictures but meta\.json has 3"):
        open_clips(thin_lens_folder)
    for file in (thin_lens_folder / "scene" / "gt_darker").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="gt_darker holds no pictures"):
        open_clips(thin_lens_folder)


def test_a_truth_of_another_size_is_refused(thin_lens_folder):
    about = json.loads((thin_lens_folder / "scene" / "meta.json").read_text())
    about["width"] = WIDTH + 2
    (thin_lens_folder / "scene" / "meta.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=f"is {WIDTH}x{HEIGHT}"):
        next(open_clips(thin_lens_folder)[0].read())


@pytest.mark.parametrize("missing", ["width", "settings"])
def test_a_description_without_what_is_needed_is_refused(thin_lens_folder, missing):
    file = thin_lens_folder / "scene" / "meta.json"
    about = json.loads(file.read_text())
    del about[missing]
    file.write_text(json.dumps(about))
    with pytest.raises(InputError, match="lacks"):
        open_clips(thin_lens_folder)


def test_the_lens_of_the_source_is_told_or_estimated():
    pixels, disparity = scenes.through(10, 0.1)
    given = RenderInput(pixels, disparity, 0.1, 20)
    height, width = scenes.SIZE
    clip = EvaluationClip("a", "a", 1, width, height, lambda: iter([EvaluationFrame(given, pixels, disparity)]))
    blurs = ["off", "auto", SourceLens(20, 0.1)]
    found = treated([clip], edges=["off"], plates=["off"], source_blurs=blurs)
    assert [one.conditions["source blur"] for one in found] == ["off", "auto", "20,0.1"]
    off, auto, known = (next(one.frames()).given.disparity for one in found)
    np.testing.assert_array_equal(off, disparity)
    far = disparity > 0.8  # from the focus
    assert (auto[far] < off[far]).all()
    np.testing.assert_array_equal(known, np.full_like(known, 0.1))
