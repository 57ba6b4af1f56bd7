"""Clips with sound of every kind, and with none where there should be."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.video.native_clips import native_frame

SIZE, RATE_FPS = (64, 48), 24


def tone(count: int, rate_hz: int, channels: int) -> NDArray[np.int16]:
    """``(1, count * channels)`` interleaved: 440 Hz at 0.3, the same in every channel."""
    samples = np.rint(0.3 * 32767 * np.sin(2 * np.pi * 440 * np.arange(count) / rate_hz)).astype(np.int16)
    return np.repeat(samples, channels)[None]


def write_sound_clip(
    path: Path, encoders: list[str], *, layout: str = "stereo", rate_hz: int = 48000, duration_s: float = 1.0
) -> Path:
    """Pictures with a track of sound for each encoder; an encoder ``-`` makes a track without samples."""
    with av.open(str(path), "w") as container:
        encoder = {".mxf": "mpeg2video", ".webm": "libvpx-vp9"}.get(path.suffix, "mpeg4")
        video: Any = container.add_stream(encoder, rate=25 if path.suffix == ".mxf" else RATE_FPS)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        tracks = []
        for name in encoders:
            track: Any = container.add_stream("aac" if name == "-" else name, rate=rate_hz)
            track.layout = layout
            tracks.append(track)
        for index in range(round(RATE_FPS * duration_s)):
            frame = native_frame(index, *SIZE, "yuv420p")
            frame.pts, frame.time_base = index, 1 / Fraction(video.codec_context.framerate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for name, track in zip(encoders, tracks, strict=True):
            if name != "-":
                _write_tone(container, track, rate_hz, layout, duration_s)
    return path


def heard(path: Path, number: int = 0) -> tuple[str, str, int, NDArray[np.float64]]:
    """Codec, layout, rate and the samples of the first channel of one track, in [-1, 1]."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[number]
        context = stream.codec_context
        resampler = av.AudioResampler("flt", "mono" if context.layout.nb_channels == 1 else context.layout)
        parts = []
        for decoded in container.decode(stream):
            for frame in resampler.resample(decoded):
                parts.append(frame.to_ndarray().reshape(-1, context.layout.nb_channels)[:, 0].astype(np.float64))
        return context.name, context.layout.name, context.sample_rate, np.concatenate(parts)


def _write_tone(container: Any, track: Any, rate_hz: int, layout: str, duration_s: float) -> None:
    channels = av.AudioLayout(layout).nb_channels
    samples = tone(round(rate_hz * duration_s), rate_hz, channels).reshape(-1, channels)
    resampler = av.AudioResampler(track.format, layout, rate_hz)
    for begin in range(0, len(samples), 1024):
        block = np.ascontiguousarray(samples[begin : begin + 1024]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, "s16", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, begin, Fraction(1, rate_hz)
        for each in resampler.resample(frame):
            container.mux(track.encode(each))
    container.mux(track.encode(None))
