"""Tiny clips for tests, made on the spot."""

import tempfile
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FRAMES, FPS = 64, 48, 12, 24


def picture(index: int, *, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Frame ``index`` of a moving pattern, ``(H, W, 3)`` RGB, no two frames alike."""
    rows, columns = np.mgrid[0:height, 0:width]
    pattern = np.stack([columns * 4 + index * 9, rows * 5 + index * 5, (columns + rows) * 3 - index * 7], axis=2)
    checks = ((columns + index) // 8 + rows // 8) % 2 * 60
    return ((pattern % 180) + checks[..., None]).astype(np.uint8)


def depth_map(index: int, *, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint16]:
    """16-bit disparity of frame ``index``, ``(H, W)``: a near square that moves over a far slope."""
    disparity = np.tile(np.linspace(0.1, 0.4, width), (height, 1))
    left = (4 + 2 * index) % (width // 2)
    disparity[height // 4 : 3 * height // 4, left : left + width // 3] = 0.9
    return np.rint(disparity * 65535).astype(np.uint16)


def subject_mask(index: int, *, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """255 where the square of ``depth_map`` is."""
    return np.where(depth_map(index, width=width, height=height) > 0.8 * 65535, 255, 0).astype(np.uint8)


def write_clip(
    path: Path,
    *,
    frames: int = FRAMES,
    width: int = WIDTH,
    height: int = HEIGHT,
    fps: int = FPS,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    sound: bool = True,
    options: dict[str, str] | None = None,
) -> Path:
    """A video of ``picture`` frames, with a tone; encoded once in a process."""
    given = tuple(sorted((options or {}).items()))
    path.write_bytes(_encoded(path.suffix, frames, width, height, fps, codec, pixel_format, sound, given))
    return path


@lru_cache(maxsize=64)
def _encoded(
    suffix: str,
    frames: int,
    width: int,
    height: int,
    fps: int,
    codec: str,
    pixel_format: str,
    sound: bool,
    options: tuple[tuple[str, str], ...],
) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"clip{suffix}"
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=fps, options=dict(options))
            video.width, video.height, video.pix_fmt = width, height, pixel_format  # type: ignore[attr-defined]
            audio = container.add_stream("aac", rate=48000) if sound else None
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(picture(index, width=width, height=height), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, fps)
                container.mux(video.encode(frame))  # type: ignore[attr-defined]
            container.mux(video.encode(None))  # type: ignore[attr-defined]
            if audio is not None:
                for packet_start in range(0, 48000 * frames // fps, 1024):
                    times = np.arange(packet_start, packet_start + 1024) / 48000
                    tone = (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)[None]
                    samples = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                    samples.sample_rate, samples.pts, samples.time_base = 48000, packet_start, Fraction(1, 48000)
                    container.mux(audio.encode(samples))  # type: ignore[attr-defined]
                container.mux(audio.encode(None))  # type: ignore[attr-defined]
        return path.read_bytes()


def write_frames(folder: Path, *, frames: int = FRAMES) -> Path:
    """A folder of 8-bit PNG ``picture`` frames."""
    folder.mkdir()
    for index in range(frames):
        (folder / f"{index:05d}.png").write_bytes(_frame_png(index))
    return folder


def write_disparity(
    folder: Path, *, start: int = 0, stop: int = FRAMES, width: int = WIDTH, height: int = HEIGHT
) -> Path:
    """A folder of 16-bit PNG ``depth_map`` frames."""
    folder.mkdir()
    for index in range(start, stop):
        (folder / f"{index:05d}.png").write_bytes(_disparity_png(index, width, height))
    return folder


def write_masks(folder: Path, *, frames: int = FRAMES, width: int = WIDTH, height: int = HEIGHT) -> Path:
    """A folder of 8-bit PNG ``subject_mask`` frames."""
    folder.mkdir()
    for index in range(frames):
        (folder / f"{index:05d}.png").write_bytes(_mask_png(index, width, height))
    return folder


def decoded(path: Path) -> list[NDArray[np.generic]]:
    """Every frame of a video as FFmpeg decodes it, in its own pixel format."""
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray()) for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[bytes]:
    """Every sound packet of a video."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@lru_cache(maxsize=256)
def _frame_png(index: int) -> bytes:
    return _png(cv2.cvtColor(picture(index), cv2.COLOR_RGB2BGR))


@lru_cache(maxsize=256)
def _disparity_png(index: int, width: int, height: int) -> bytes:
    return _png(depth_map(index, width=width, height=height))


@lru_cache(maxsize=256)
def _mask_png(index: int, width: int, height: int) -> bytes:
    return _png(subject_mask(index, width=width, height=height))


def _write(path: Path, samples: cv2.typing.MatLike) -> None:
    path.write_bytes(_png(samples))


def _png(samples: cv2.typing.MatLike) -> bytes:
    done, encoded = cv2.imencode(".png", samples)
    assert done
    return encoded.tobytes()
