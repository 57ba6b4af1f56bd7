"""Tiny clips with every property that a video can have, made from known native samples."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from any2bokeh.video.samples import whole_plane

WIDTH, HEIGHT, FRAMES = 48, 32, 9


def native_frame(index: int, width: int, height: int, pixel_format: str, *, noise: bool = False) -> av.VideoFrame:
    """A frame whose planes are known: slopes that move with ``index``, or noise."""
    frame = av.VideoFrame(width, height, pixel_format)
    bits = max(component.bits for component in frame.format.components)
    top = (1 << bits) - 1
    random = np.random.default_rng(index)
    for number in range(len(frame.planes)):
        plane: Any = frame.planes[number]
        samples = whole_plane(frame, number, bits)
        rows, columns = np.mgrid[0 : plane.height, 0 : plane.width]
        slope = (rows / plane.height * (number + 1) / 3 + columns / plane.width) / 2
        is_chroma = number > 0 and not frame.format.is_rgb
        # Chroma near its middle: colours that RGB can hold.
        values = 0.45 + 0.1 * slope + 0.003 * index if is_chroma else 0.25 + 0.4 * slope + 0.02 * index
        if noise:
            values = random.random(slope.shape)
        samples[:, : plane.width] = np.rint(values * top)
    return frame


def write_clip(
    path: Path,
    *,
    encoder: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    frames: int = FRAMES,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 24),
    rate: Fraction = Fraction(24),
    rotation_deg: float = 0,
    sample_aspect: Fraction | None = None,
    tags: tuple[int, int, int, int] | None = None,
    options: dict[str, str] | None = None,
    sound: str | None = None,
    noise: bool = False,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode ``native_frame`` pictures.

    Args:
        pts: time stamps in ``time_base``; 0, 1, 2.. unless given.
        rotation_deg: counter-clockwise, as FFmpeg's display matrices count.
        tags: primaries, transfer, matrix (H.273) and range (1 limited, 2 full).
        sound: encoder of a sound track as long as the pictures.
    """
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        container.metadata["title"] = "a clip"
        stream: Any = container.add_stream(encoder, rate=rate, options=options or {})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = *size, pixel_format
        context.time_base = time_base
        context.thread_count = 1
        if tags is not None:
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        if sample_aspect is not None:
            context.sample_aspect_ratio = sample_aspect
        if rotation_deg:
            stream.set_display_rotation(rotation_deg)
        track = add_sound(container, sound) if sound else None
        stamps = list(pts) if pts is not None else list(range(frames))
        for index, stamp in enumerate(stamps):
            frame = native_frame(index, *size, pixel_format, noise=noise)
            frame.pts, frame.time_base = stamp, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track is not None:
            write_tone(container, track, float((stamps[-1] + 1) * time_base))
    return path


def add_sound(container: Any, encoder: str) -> Any:
    """A mono sound track at 48 kHz."""
    track = container.add_stream(encoder, rate=48000)
    track.layout = "mono"
    return track


def write_tone(container: Any, track: Any, duration_s: float) -> None:
    """440 Hz for ``duration_s``."""
    block = 960 if "opus" in track.codec_context.name else 1024
    for begin in range(0, int(48000 * duration_s), block):
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(begin, begin + block) / 48000)
        if track.format.name.startswith("s16"):
            samples: NDArray = (tone * 32767).astype(np.int16)[None]
        elif track.format.name.startswith("u8"):
            samples = (tone * 127 + 128).astype(np.uint8)[None]
        else:
            samples = tone.astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format=track.format.name, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, begin, Fraction(1, 48000)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def planes_of(path: Path) -> list[list[NDArray]]:
    """The native planes of every frame of a video, as FFmpeg decodes it."""
    with av.open(str(path)) as container:
        return [frame_planes(frame) for frame in container.decode(video=0)]


def frame_planes(frame: av.VideoFrame) -> list[NDArray]:
    """The planes of one frame, without padding."""
    bits = max(component.bits for component in frame.format.components)
    return [
        whole_plane(frame, number, bits)[:, : cast_any(frame.planes[number]).width].copy()
        for number in range(len(frame.planes))
    ]


def cast_any(value: object) -> Any:
    """Drops the type of what PyAV's stubs leave out."""
    return value


def times_of(path: Path) -> list[Fraction]:
    """Presentation times of the frames of a video."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]  # type: ignore[operator]


def sound_of(path: Path) -> list[tuple[bytes, Fraction]]:
    """Every sound packet of a video, and when it begins."""
    with av.open(str(path)) as container:
        return [
            (bytes(packet), packet.pts * packet.time_base)  # type: ignore[operator]
            for packet in container.demux(audio=0)
            if packet.size
        ]
