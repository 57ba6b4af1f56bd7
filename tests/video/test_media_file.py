"""Opening containers: tags in any encoding, in pictures, sound and grey videos alike."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from any2bokeh.disparity.grey_video import GreyVideo
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.video import open_source
from any2bokeh.video.media_file import open_input
from tests import clips


def tagged(path: Path) -> Path:
    """A clip with a title in Latin-1, as old cameras and editors write it."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "cafX one"
        stream = container.add_stream("mpeg4", clips.FPS)
        stream.width, stream.height, stream.pix_fmt = clips.WIDTH, clips.HEIGHT, "yuv420p"
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(clips.picture(index)[..., 0], format="gray")
            frame.pts, frame.time_base = index, Fraction(1, clips.FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"cafX one", b"caf\xe9 one"))
    return path


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.avi"])
def test_tags_that_are_not_utf_8_stop_nothing(tmp_path: Path, name: str) -> None:
    path = tagged(tmp_path / name)
    with open_input(path) as container:
        title = container.metadata.get("title", container.metadata.get("TITLE", ""))
    assert (title[:3], title[-4:]) == ("caf", " one")
    assert open_source(path).info.frame_count == 3
    assert GreyVideo(path, noun="disparity").at(0).shape == (clips.HEIGHT, clips.WIDTH)
    out = tmp_path / "out.mkv"
    refocus(path, out, Recipe(focus=FocusScript.constant(0.5, 0.0), disparity=path))
    with open_input(out) as container:
        kept = container.metadata.get("title", container.metadata.get("TITLE", ""))
    assert (kept[:3], kept[-4:]) == ("caf", " one")
