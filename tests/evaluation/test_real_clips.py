"""Real clips: what is read, what is scored without ground truth, and what is left behind."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from any2bokeh.disparity.edges import edge_estimator
from any2bokeh.errors import InputError
from any2bokeh.evaluation import FolderMethod, Networks, RendererMethod, evaluate, plain_method
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.evaluation.real_clips import mask_point, open_real_clips, subject_of_mask
from any2bokeh.evaluation.report import ReportFolder, as_markdown
from any2bokeh.evaluation.time_slice import MOST_ROWS, TimeSlice
from any2bokeh.source_blur import SourceLens
from tests import clips
from tests.evaluation.pictures import write_png

FRAMES = 3


@pytest.fixture
def folder(tmp_path):
    """A real clip of 3 frames: a near square that moves over a far slope."""
    clip = tmp_path / "clips" / "square"
    clip.mkdir(parents=True)
    clips.write_frames(clip / "frames", frames=FRAMES)
    clips.write_disparity(clip / "disparity", stop=FRAMES)
    clips.write_masks(clip / "mask", frames=FRAMES)
    return tmp_path / "clips"


def test_a_clip_is_read_as_refocus_reads_it(folder):
    (clip,) = open_real_clips(folder, edges=["off"])
    assert (clip.name, clip.frame_count, clip.width, clip.height) == ("square", FRAMES, clips.WIDTH, clips.HEIGHT)
    assert not clip.has_truth
    frames = list(clip.read())
    assert len(frames) == FRAMES
    for index, frame in enumerate(frames):
        assert frame.truth is None
        np.testing.assert_allclose(frame.given.disparity[0], clips.depth_map(index) / 65535, atol=1e-6)
        np.testing.assert_allclose(frame.given.pixels.transpose(1, 2, 0) * 255, clips.picture(index), atol=1e-3)
        np.testing.assert_array_equal(frame.subject, clips.subject_mask(index) > 0)
        assert frame.given.focus_disparity == pytest.approx(0.9, abs=1e-3)  # that of the square
        assert frame.given.blur_strength == 20


def test_there_is_a_clip_for_each_k_and_each_treatment_of_edges(folder):
    found = open_real_clips(
        folder / "square", blur_strengths=[8.0, 16.0], edges=["off", "classical"], plates=["off"], frame_count=1
    )
    assert [(clip.name, clip.frame_count) for clip in found] == [
        ("square/k8/off", 1), ("square/k8/classical", 1), ("square/k16/off", 1), ("square/k16/classical", 1),
    ]  # fmt: skip
    plain, treated = (next(iter(clip.read())) for clip in found[2:])
    treat = edge_estimator("classical")
    assert treat is not None
    np.testing.assert_array_equal(treated.given.disparity, treat(plain.given.disparity, plain.given.pixels).disparity)


def test_there_is_a_clip_for_each_plate(folder):
    found = open_real_clips(folder, plates=["off", "auto"])
    assert [clip.name for clip in found] == ["square/plate-off", "square/plate-auto"]
    off, auto = ([frame.given.hidden is not None for frame in clip.frames()] for clip in found)
    assert off == [False] * FRAMES
    assert auto == [True] * FRAMES  # the square moves


def test_there_is_a_clip_for_each_blur_of_the_source(folder):
    found = open_real_clips(folder, source_blurs=["off", SourceLens(20, 0.9)], frame_count=1)
    assert [clip.name for clip in found] == ["square/source-blur-off", "square/source-blur-20,0.9"]
    off, known = (next(iter(clip.frames())).given for clip in found)
    far = off.disparity < 0.5
    assert (off.disparity[far] < off.focus_disparity).all()
    np.testing.assert_allclose(known.disparity[far], known.focus_disparity, atol=0.02)  # blurred enough already


def test_disparity_is_estimated_where_there_is_none_or_when_asked_for(folder):
    asked = []

    class Flat:
        frame_count = FRAMES

        def frames(self, start=0, stop=None):
            yield from [np.full((1, 6, 8), 0.5, np.float32)] * FRAMES

        def at(self, index):
            return np.full((1, 6, 8), 0.5, np.float32)

    def estimate(source, seed, stop):
        asked.append((seed.frame, seed.point, stop))
        return Flat()

    clip = open_real_clips(folder, estimate=estimate, is_estimated=True, edges=["off"])[0]
    assert [float(frame.given.disparity.max()) for frame in clip.read()] == [0.5] * FRAMES
    (frame, point, stop) = asked[0]
    assert (frame, stop) == (0, FRAMES)
    assert clips.subject_mask(0)[int(point[1] * clips.HEIGHT), int(point[0] * clips.WIDTH)]
    assert list(open_real_clips(folder, estimate=estimate, edges=["off"])[0].read())
    assert len(asked) == 1  # its own disparity is there
    for path in (folder / "square" / "disparity").iterdir():
        path.unlink()
    (folder / "square" / "disparity").rmdir()
    assert list(open_real_clips(folder, estimate=estimate, edges=["off"])[0].read())
    assert len(asked) == 2
    with pytest.raises(InputError, match="no disparity/"):
        open_real_clips(folder)


def test_folders_that_hold_no_real_clips_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        open_real_clips(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"frames/, mask/"):
        open_real_clips(tmp_path)


def test_masks_are_read_at_the_size_of_the_picture():
    label = np.zeros((4, 6), np.float32)
    label[1:3, 2:4] = 1 / 255  # a label map
    assert subject_of_mask(label, (4, 6)).sum() == 4
    assert subject_of_mask(label * 255, (8, 12)).sum() == 16
    assert not subject_of_mask(label * 0, (4, 6)).any()


def test_the_point_of_a_mask_lies_deepest_within_it():
    mask = np.zeros((20, 40), np.bool_)
    mask[0:3, :] = True
    mask[5:16, 10:21] = True
    x, y = mask_point(mask) or (0, 0)
    assert (x * 40, y * 20) == (15.5, 10.5)
    assert mask_point(mask & False) is None


class Veil:
    """Gives its input with less contrast."""

    window, overlap = 1, 0

    def render(self, inputs):
        for given in inputs:
            yield 0.25 + given.pixels * np.float32(0.5)


@pytest.fixture
def evaluation(folder):
    methods = [plain_method("source"), RendererMethod("veil", lambda transfer: Veil())]
    return evaluate(open_real_clips(folder, edges=["off", "classical"]), methods)


def test_scores_need_no_truth(evaluation):
    source, veil = (evaluation.scores[name]["square/off"] for name in ("source", "veil"))
    assert source.psnr_frames_db == []
    for name in ("vepi", "sharpness_kept", "flicker_inside", "flicker_outside", "flicker_outline"):
        assert source.values[name] == pytest.approx(1, abs=1e-4)
        assert name[:7] != "flicker" or source.values[name.replace("flicker", "flicker_added")] == 0
    assert veil.values["vepi"] == pytest.approx(1, abs=0.01)
    assert veil.values["sharpness_kept"] == pytest.approx(0.5, abs=0.01)  # of values rounded to 8 bits
    assert veil.values["flicker_outside"] == pytest.approx(0.5, abs=0.02)
    assert not {"psnr_db", "rm", "epe_px", "fd"} & set(source.values)
    assert evaluation.absent == {"fd": "needs weights of RAFT; give --raft FILE.safetensors"}
    assert evaluation.networks == {"flicker": "DIS"}
    assert evaluation.misplaced["square/off"]["subject_blurred"] == 0


def test_fd_needs_raft(folder):
    class Raft:
        name = "RAFT"

        def __call__(self, before, after):
            flow = np.zeros((*before.shape[:2], 2), np.float32)
            flow[..., 0] = after.mean() - before.mean()
            return flow

    methods = [plain_method("source"), RendererMethod("veil", lambda transfer: Veil())]
    found = evaluate(open_real_clips(folder, edges=["off"]), methods, networks=Networks(flow=Raft()))
    change = np.diff([np.mean(clips.picture(index)) / 255 for index in range(FRAMES)])
    assert found.scores["source"]["square"].values["fd"] == 0
    # Half of the contrast is half of the motion that this one sees, of one component of two.
    assert found.scores["veil"]["square"].values["fd"] == pytest.approx(np.abs(change).mean() / 4, rel=0.05)
    assert found.absent == {}
    assert found.networks["fd"] == "RAFT"


def test_the_report_has_a_row_for_each_treatment_and_strips_over_time(evaluation, folder, tmp_path):
    text = as_markdown(evaluation)
    assert "| source, edges off | 1.0000 | 1.0000 |" in text
    assert "| veil, edges classical |" in text
    assert "PSNR" not in text
    assert "subject blurred" in text
    assert "As published with Any-to-Bokeh: VEPI." in text
    out = tmp_path / "out"
    out.mkdir()
    report = ReportFolder(out)
    methods = [RendererMethod("veil", lambda transfer: Veil())]
    report.write(evaluate(open_real_clips(folder), methods, show=report.show))
    names = {path.name for path in out.iterdir()}
    assert {"strip_square.png", "table.md", "evaluation.json"} <= names
    assert "psnr_frames.svg" not in names
    strip = cv2.imread(str(out / "strip_square.png"))
    assert strip is not None
    label = strip.shape[0] - clips.HEIGHT - FRAMES
    assert strip.shape[1] == 2 * clips.WIDTH  # the source, and the veil
    row = int((clips.subject_mask(0) > 0).sum(axis=1).argmax())
    over_time = strip[label + clips.HEIGHT :, : clips.WIDTH, ::-1]
    np.testing.assert_array_equal(over_time, [clips.picture(index)[row] for index in range(FRAMES)])


def test_slices_of_long_clips_do_not_grow(folder):
    (clip,) = open_real_clips(folder, frame_count=1)
    long = TimeSlice(replace(clip, frame_count=10 * MOST_ROWS + 1))
    frame = SourceFrame(
        source=np.zeros((clip.height, clip.width, 3), np.float32),
        disparity=np.zeros((clip.height, clip.width), np.float32),
        focus_disparity=0.5,
        blur_strength=8.0,
    )
    for _ in range(10 * MOST_ROWS + 1):
        long.add(frame.source, frame)
    assert len(long.picture()) <= MOST_ROWS


def test_results_of_others_must_fit_the_source(folder, tmp_path):
    (tmp_path / "theirs" / "square").mkdir(parents=True)
    write_png(tmp_path / "theirs" / "square" / "00000.png", np.zeros((4, 4, 3), np.float32))
    with pytest.raises(InputError, match="has 1 frames but the source of square has 3"):
        evaluate(open_real_clips(folder), [FolderMethod(tmp_path / "theirs")])
