"""The runner: scores, streaming, and methods that do not fit."""

import importlib.util
from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.evaluation import FolderMethod, Networks, RendererMethod, evaluate, open_clips, plain_method
from any2bokeh.frame_treatment import AHEAD
from tests.evaluation.pictures import FRAMES, HEIGHT, WIDTH, picture, write_result


class LookingAhead:
    """Gives back its input, four frames late."""

    window, overlap = 4, 0

    def render(self, inputs):
        waiting = deque()
        for given in inputs:
            waiting.append(given.pixels)
            if len(waiting) == self.window:
                yield waiting.popleft()
        yield from waiting


@pytest.fixture
def clips(thin_lens_folder):
    return open_clips(thin_lens_folder)


def test_what_is_the_truth_scores_full_marks(clips):
    scores = evaluate(clips[:1], [plain_method("source")]).scores["source"]["scene/same"]
    assert scores.psnr_frames_db == [100] * FRAMES
    values = scores.values
    assert (values["psnr_db"], values["psnr_edge_db"], values["rm"], values["temporal_warped"]) == (100, 100, 0, 0)
    assert values["epe_px"] == 0
    assert values["ssim"] == pytest.approx(1)
    assert values["edge_correlation"] == pytest.approx(1)


def test_scores_are_those_of_the_independent_script(clips, thin_lens_folder, tmp_path, shared_data):
    script = shared_data / "score_thin_lens.py"
    spec = importlib.util.spec_from_file_location("score_thin_lens", script)
    assert spec is not None
    assert spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    for clip in clips:
        write_result(tmp_path / "theirs" / clip.name, [picture(20 + t) for t in range(FRAMES)])

    ours = evaluate(clips, [FolderMethod(tmp_path / "theirs")]).scores["theirs"]
    rows = [row for row in scorer.score(str(thin_lens_folder), str(tmp_path / "theirs")) if row["setting"]]
    assert len(rows) == 2
    for row in rows:
        values = ours[f"{row['scene']}/{row['setting']}"].values
        assert values["psnr_db"] == pytest.approx(row["psnr"], abs=1e-4)
        assert values["ssim"] == pytest.approx(row["ssim"], abs=1e-6)
        assert values["psnr_edge_db"] == pytest.approx(row["edge_psnr"], abs=1e-4)
        assert values["rm"] == pytest.approx(row["temporal"], abs=1e-6)


def test_methods_do_not_change_each_others_scores(clips):
    names = ("source", "gather", "scatter")
    together = evaluate(clips, [plain_method(name) for name in names])
    for name in names:
        alone = evaluate(clips, [plain_method(name)])
        for clip in clips:
            assert alone.scores[name][clip.name].values == together.scores[name][clip.name].values


def test_flow_of_a_result_is_found_once_for_all_metrics(clips):
    class Counted:
        name = "RAFT"
        calls = 0

        def __call__(self, before, after):
            Counted.calls += 1
            return np.zeros((*before.shape[:2], 2), np.float32)

    scores = evaluate(clips[:1], [plain_method("source")], networks=Networks(flow=Counted())).scores
    assert {"fd", "epe_px"} <= set(scores["source"]["scene/same"].values)
    assert Counted.calls == 3 * (FRAMES - 1)  # of the source, the truth and the result


def test_frames_are_read_no_further_ahead_than_the_window(clips):
    read = []
    long = replace(clips[0], frame_count=30, read=lambda: _repeated(clips[0], 30, read))
    ahead = []
    evaluate(
        [long],
        [plain_method("source"), RendererMethod("late", lambda transfer: LookingAhead())],
        progress=lambda done, total: ahead.append(len(read) - done // 2),
    )
    assert len(read) == 30
    assert max(ahead) == 4 + AHEAD  # of the engine, and of the plate


def _repeated(clip, count, read):
    frames = list(clip.read())
    for index in range(count):
        read.append(index)
        yield frames[index % len(frames)]


def test_a_late_engine_scores_as_a_prompt_one(clips):
    late = RendererMethod("late", lambda transfer: LookingAhead())
    scores = evaluate(clips, [plain_method("source"), late]).scores
    assert {k: v.values for k, v in scores["late"].items()} == {k: v.values for k, v in scores["source"].items()}


def test_results_are_scored_in_order_and_as_files(clips, tmp_path):
    write_result(tmp_path / "mine" / "scene" / "same", [picture(t) for t in range(FRAMES)])
    scores = evaluate(clips[:1], [FolderMethod(tmp_path / "mine")])
    assert scores.scores["mine"]["scene/same"].values["psnr_db"] == 100
    swapped = [picture(t) for t in (1, 0, 2)]
    write_result(tmp_path / "swapped" / "scene" / "same", swapped)
    frames = evaluate(clips[:1], [FolderMethod(tmp_path / "swapped")]).scores["swapped"]["scene/same"]
    assert frames.psnr_frames_db[2] == 100
    assert max(frames.psnr_frames_db[:2]) < 30


def test_what_is_absent_is_said(clips):
    evaluation = evaluate(clips[:1], [plain_method("source")])
    published = {"fd", "lpips", "fvd", "vfid_i3d", "vfid_resnext"}
    assert set(evaluation.absent) == published
    assert not published & set(evaluation.scores["source"]["scene/same"].values)
    assert evaluation.networks == {"flicker": "DIS", "epe_px": "DIS", "temporal_warped": "DIS"}


class _Means:
    name, metric, kind, window = "means", "fvd", "video", 2

    def __call__(self, frames):
        return np.array([np.mean(frames)], np.float32)


def test_distances_are_of_all_clips(clips):
    networks = Networks(features=(_Means(),))  # type: ignore[arg-type]
    evaluation = evaluate(clips, [plain_method("source")], networks=networks)
    # One window of two frames for each clip: the truth of the second is half as bright.
    same, darker = (np.mean([picture(t) for t in range(2)]) * factor for factor in (1, 0.5))
    spread = abs(same - darker) / np.sqrt(2)
    expected = (same - (same + darker) / 2) ** 2 + spread**2
    assert evaluation.distances["source"]["fvd"] == pytest.approx(expected, rel=0.02)
    assert "fvd" not in evaluation.absent
    alone = evaluate(clips[:1], [plain_method("source")], networks=networks)
    assert alone.distances["source"] == {}
    assert "two or more clips" in alone.absent["fvd"]


@pytest.mark.parametrize(
    ("frames", "size", "said"),
    [
        (FRAMES - 1, (WIDTH, HEIGHT), f"has {FRAMES - 1} frames but the ground truth of scene/same has {FRAMES}"),
        (FRAMES + 1, (WIDTH, HEIGHT), f"has {FRAMES + 1} frames but the ground truth of scene/same has {FRAMES}"),
        (
            FRAMES,
            (WIDTH + 4, HEIGHT),
            f"is {WIDTH + 4}x{HEIGHT} but the ground truth of scene/same is {WIDTH}x{HEIGHT}",
        ),
    ],
)
def test_a_result_that_does_not_fit_is_refused_before_any_is_scored(clips, tmp_path, frames, size, said):
    pictures = [picture(t, width=size[0], height=size[1]) for t in range(frames)]
    write_result(tmp_path / "mine" / "scene" / "same", pictures)
    began = []
    with pytest.raises(InputError, match=said):
        evaluate(clips[:1], [FolderMethod(tmp_path / "mine")], progress=lambda done, total: began.append(done))
    assert began == []


def test_a_missing_result_is_named(clips, tmp_path):
    write_result(tmp_path / "mine" / "scene" / "same", [picture(t) for t in range(FRAMES)])
    with pytest.raises(InputError, match="no result of clip scene/darker"):
        evaluate(clips, [FolderMethod(tmp_path / "mine")])


def test_folders_of_results_that_cannot_be(tmp_path):
    with pytest.raises(InputError, match="there is no folder of results"):
        FolderMethod(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        FolderMethod(tmp_path / "empty")


def test_an_empty_result_of_a_clip_is_named(clips, tmp_path):
    (tmp_path / "mine" / "scene" / "same").mkdir(parents=True)
    with pytest.raises(InputError, match="same is empty"):
        evaluate(clips[:1], [FolderMethod(tmp_path / "mine")])


class Short:
    """An engine that loses the last frame."""

    window, overlap = 1, 0

    def render(self, inputs):
        pixels = [given.pixels for given in inputs]
        yield from pixels[:-1]


def test_an_engine_that_loses_frames_is_found_out(clips):
    with pytest.raises(InputError, match="short ended at frame 2 of scene/same"):
        evaluate(clips[:1], [RendererMethod("short", lambda transfer: Short())])


def test_names_must_differ(clips):
    with pytest.raises(InputError, match="two methods are called source"):
        evaluate(clips, [plain_method("source"), plain_method("source")])
    with pytest.raises(InputError, match="two clips"):
        evaluate([clips[0], clips[0]], [plain_method("source")])
    with pytest.raises(InputError, match="no clips"):
        evaluate([], [plain_method("source")])
    with pytest.raises(InputError, match="nothing to score"):
        evaluate(clips, [])


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="source, gather, scatter or layered"):
        plain_method("magic")
