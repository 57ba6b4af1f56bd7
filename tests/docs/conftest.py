"""A folder as the pages suppose it: a clip under the names that they use, and what belongs to it."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests import clips
from tests.video.exr_files import Part, write_parts

FRAMES, FPS = 17, 10
"""Of the clips: 1.7 s, so that `--time 1.5` shows one."""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under the names that the pages use: a clip as file and frames, its disparity in every form, masks, a script."""
    folder = tmp_path_factory.mktemp("commands")
    for name in ("clip.mp4", "in.mp4"):
        clips.write_clip(folder / name, frames=FRAMES, fps=FPS)
    clips.write_clip(folder / "clip.mkv", frames=FRAMES, fps=FPS)
    clips.write_frames(folder / "frames", frames=FRAMES)
    for name in ("disparity", "maps-given", "depth"):
        clips.write_disparity(folder / name, stop=FRAMES)
    maps = np.stack([clips.depth_map(index) for index in range(FRAMES)])
    np.savez(folder / "maps.npz", maps.astype(np.float32) / 65535)
    _write_depth(folder)
    clips.write_masks(folder / "subject", frames=FRAMES)
    _write_grey_video(folder / "depth.mkv", maps)
    (folder / "rack.json").write_text(
        '{"version": 1, "keyframes": [{"frame": 0, "point": [0.4, 0.5], "blur_strength": 24},'
        ' {"frame": 14, "point": [0.7, 0.4], "transition_s": 0.6}]}'
    )
    return folder


@pytest.fixture
def folder_of_a_user(prepared: Path, tmp_path: Path) -> Path:
    """A folder to work in, with all of `prepared`."""
    for entry in prepared.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def _write_depth(folder: Path) -> None:
    """Metres in EXR as renderers write them, and millimetres in 16-bit PNG as depth cameras do."""
    for name in ("depth_exr", "realsense"):
        (folder / name).mkdir()
    for index in range(FRAMES):
        depth_m = np.float32(65535) / clips.depth_map(index)[..., None].astype(np.float32)
        write_parts(folder / "depth_exr" / f"{index:05d}.exr", Part(depth_m, ("Z",), kind="float"))
        millimetres = np.rint(1000 * depth_m[..., 0]).astype(np.uint16)
        assert cv2.imwrite(str(folder / "realsense" / f"{index:05d}.png"), millimetres)


def _write_grey_video(path: Path, maps: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = maps.shape[2], maps.shape[1], "gray16le"  # type: ignore[attr-defined]
        for values in maps:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(values, format="gray16le")))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]
