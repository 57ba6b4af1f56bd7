"""Detectors find what their networks say, at any size, through OpenCV's own code, and only where their files are."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.models.onnx_file import OnnxFile
from any2bokeh.subject.detection import faces, people
from any2bokeh.subject.detection.at_hand import announcement, detector_of, detectors_at_hand
from any2bokeh.subject.detection.faces import YUNET, FaceDetector
from any2bokeh.subject.detection.people import HUMANSEG, PersonSegmenter
from tests.subject.detection.at_hand import put_in_cache, tiny_detectors
from tests.subject.detection.tiny_onnx import FACE_COLOUR, PERSON_COLOUR, write_humanseg, write_yunet

__all__ = ["tiny_detectors"]


@pytest.mark.parametrize(("height", "width"), [(360, 640), (640, 360), (90, 160), (1440, 2560), (77, 131)])
def test_a_face_is_found_where_it_is_at_any_size(tmp_path: Path, height: int, width: int):
    detect = FaceDetector(write_yunet(tmp_path / "yunet.onnx", side_px=32))
    longer = max(height, width)
    x, y = 96 * longer // 640, 128 * longer // 640  # on the network's grid of 32 px
    side = 32 * longer // 640
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[y : y + side + 2, x : x + side + 2] = FACE_COLOUR
    [found] = detect(picture)
    assert found.kind == "face"
    assert found.score > 0.7
    corners = np.array([found.box.x0 * width, found.box.y0 * height, found.box.x1 * width, found.box.y1 * height])
    # Two pixels of a picture of 131 that is enlarged to 640; worst seen 1.4.
    np.testing.assert_allclose(corners, [x, y, x + side, y + side], atol=2)
    assert found.contains((x + side / 2) / width, (y + side / 2) / height)
    assert not found.contains(0.99, 0.99)


def test_red_is_red(tmp_path: Path):
    # OpenCV takes blue first, and the colours of the tiny network tell if they are swapped; so do the people's.
    detect = FaceDetector(write_yunet(tmp_path / "yunet.onnx", colours=(0, -1, 2)))
    picture = np.full((640, 640, 3), 90, np.uint8)
    picture[96:128, 96:128] = (200, 0, 0)
    assert len(detect(picture)) == 1
    assert detect(np.ascontiguousarray(picture[..., ::-1])) == []


def test_people_are_found_with_their_mask_largest_first(tmp_path: Path):
    detect = PersonSegmenter(write_humanseg(tmp_path / "humanseg.onnx"))
    picture = np.full((108, 192, 3), 90, np.uint8)
    picture[10:40, 10:30] = PERSON_COLOUR
    picture[20:100, 100:150] = PERSON_COLOUR
    picture[104:106, 4:6] = PERSON_COLOUR  # a speck
    large, small = detect(picture)
    assert (large.kind, small.kind) == ("person", "person")
    assert large.mask is not None
    expected = np.zeros((108, 192), bool)
    expected[20:100, 100:150] = True
    assert (large.mask & expected).sum() / (large.mask | expected).sum() > 0.95
    assert large.contains(125 / 192, 60 / 108)
    assert not large.contains(20 / 192, 25 / 108)
    assert (small.box.x0, small.box.x1) == pytest.approx((10 / 192, 30 / 192), abs=0.01)


def test_nothing_is_found_in_a_plain_picture(tmp_path: Path):
    plain = np.full((50, 70, 3), 90, np.uint8)
    assert FaceDetector(write_yunet(tmp_path / "yunet.onnx"))(plain) == []
    assert PersonSegmenter(write_humanseg(tmp_path / "humanseg.onnx"))(plain) == []


def test_without_files_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert detectors_at_hand() == ()
    assert announcement(()) is None


@pytest.mark.usefixtures("tiny_detectors")
def test_what_is_in_the_hubs_cache_is_taken():
    found = detectors_at_hand()
    assert [each.kind for each in found] == ["face", "person"]
    assert announcement(found) == (
        "--focus auto prefers faces (YuNet) and people (PP-HumanSeg); --detect off leaves them out"
    )
    assert detectors_at_hand("off") == ()


@pytest.mark.parametrize("published", [YUNET, HUMANSEG])
def test_a_damaged_file_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, published: OnnxFile
):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    put_in_cache(tmp_path, published, b"half of it")
    with pytest.raises(InputError, match=rf"^model {published.name} .* any2bokeh models get {published.name}$"):
        detectors_at_hand()


def test_a_whole_file_that_is_no_network_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    content = b"no network"
    for module, name in ((faces, "YUNET"), (people, "HUMANSEG")):
        published = replace(getattr(module, name), sha256=sha256(content).hexdigest())
        monkeypatch.setattr(module, name, published)
        put_in_cache(tmp_path, published, content)
    with pytest.raises(InputError, match=r"^model faces .* does not load in OpenCV"):
        detector_of("face")
    with pytest.raises(InputError, match=r"^model people .* does not load in OpenCV"):
        detector_of("person")
