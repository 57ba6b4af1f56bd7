"""A grey video, read at its full bit depth."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

if TYPE_CHECKING:
    import av.container
    import av.video

# Formats whose first plane is luma alone; in the p0xx ones the bits sit in the high end of each sample.
_LUMA_PLANE = re.compile(r"(gray|yuv[aj]?4\d\dp|nv(?=12|16|21|24)|p[024](?=1))(\d+)?(le|be)?")

# Lossy codecs leave some chroma in a grey picture; a colour map has much of it, and nearly everywhere.
_CHROMA_TOLERANCE = 0.08
_CHROMA_SHARE = 0.01
_CHANNEL_TOLERANCE = 0.03

# Frames that are decoded and dropped, rather than seeking, to get ahead.
_STEP_AHEAD = 32
# Frames that are looked at before alpha is held to say nothing: a subject may enter late.
_ALPHA_LOOKS = 48
# FFmpeg's own decoders of these leave alpha out; libvpx decodes it.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


class GreyVideo:
    """Luma of a video's frames, ``(h, w)`` in [0, 1].

    Limited range (16 to 235 at 8 bits) is widened to full; values outside it are clipped. A video that does not say
    is taken as limited where it is YUV and as full where it is grey. A rotation tag is applied.

    Attributes:
        title: what messages call it.
        frame_count: frames that a player would show.
        numbers: None; frames are counted from 0.
        normalised: True; values are in [0, 1].
        full_scale: largest code of a sample; None where the range is limited.
        holds_depth: False; a video does not say.
        is_cut_out: whether values are those of the alpha channel; of masks only.

    Raises:
        InputError: not a video, no frames, a video that ends early, or one in colour.
    """

    numbers = None
    normalised = True
    holds_depth = False

    def __init__(self, path: Path, *, noun: str, colour: Literal["refuse", "brightest"] = "refuse") -> None:
        self.title = f"{noun} video"
        self._path = path
        self._noun = noun
        self._colour = colour
        self._times, self._is_counted = self._frame_times()
        self.frame_count = len(self._times)
        if not self.frame_count:
            raise InputError(f"{self.title} {path} has no frames")
        self._reading: tuple[int, Iterator[NDArray[np.float32]]] | None = None
        self.is_cut_out = False
        self.is_cut_out = colour == "brightest" and self._alpha_says_something()

    @property
    def full_scale(self) -> float | None:
        """See above; the first frame is decoded to find it."""
        return self._full_scale

    @cached_property
    def _full_scale(self) -> float | None:
        frame = next(self._decoded(0))
        layout = _LUMA_PLANE.fullmatch(frame.format.name)
        if layout is not None and not _is_full_range(frame, layout):
            return None
        return float(_full_scale(frame)) if layout is not None else 65535.0

    def at(self, index: int) -> NDArray[np.float32]:
        """One frame; steps ahead are cheap, steps back seek."""
        if self._reading is None or not 0 <= index - self._reading[0] <= _STEP_AHEAD:
            self._reading = (index, self.frames(index, self.frame_count))
        following, frames = self._reading
        for _ in range(following, index):
            next(frames)
        self._reading = (index + 1, frames)
        return next(frames)

    def frames(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Frames ``start`` to ``stop`` in order."""
        index = start
        for index, frame in enumerate(self._decoded(start), start):
            if index >= stop:
                return
            yield self._grey(frame, index)
        if index + 1 < stop:
            raise InputError(f"{self.title} {self._path} ends after frame {index}; export it again")

    def label(self, index: int) -> str:
        """What messages call one frame."""
        return f"{self._path.name} frame {index}"

    def first_missing(self) -> tuple[int, str]:
        """Position and name of the frame after the last."""
        return self.frame_count, f"frame {self.frame_count}"

    def close(self) -> None:
        """Stop reading; it is opened again when it is needed."""
        self._reading = None

    def _frame_times(self) -> tuple[list[int], bool]:
        """Presentation times in order; and whether pictures must be counted, since their own stamps do not tell."""
        from any2bokeh.video.container_times import frame_times
        from any2bokeh.video.reading import Reading

        with self._opened(), _errors_told(self._path):
            found = frame_times(self._path, Reading(strict=True))
        return found.times, found.in_order

    def _decoded(self, start: int) -> Iterator["av.VideoFrame"]:
        """Frames from ``start`` on."""
        target = self._times[start] if start and not self._is_counted else None
        with self._opened() as container, _errors_told(self._path):
            stream = container.streams.video[0]
            # No decoder threads: closing a half-read video with them hangs where a program logs through PyAV.
            stream.thread_count = 1
            if target is not None:
                container.seek(target, stream=stream, backward=True)
            for position, frame in enumerate(self._frames_of(container)):
                is_before = position < start if target is None else frame.pts is not None and frame.pts < target
                if not is_before:
                    yield frame

    def _frames_of(self, container: "av.container.InputContainer") -> Iterator["av.VideoFrame"]:
        import av

        stream = container.streams.video[0]
        decoder = _ALPHA_DECODERS.get(stream.codec_context.name)
        has_alpha = stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE")) == "1"
        if not (self._colour == "brightest" and has_alpha and decoder in av.codecs_available):
            yield from container.decode(stream)
            return
        context = cast("av.VideoCodecContext", av.CodecContext.create(decoder, "r"))
        context.thread_count = 1
        for packet in container.demux(stream):
            for frame in context.decode(packet if packet.size else None):
                frame.time_base = frame.time_base or stream.time_base
                yield frame

    def _alpha_says_something(self) -> bool:
        for _, frame in zip(range(_ALPHA_LOOKS), self._decoded(0), strict=False):
            alpha = _alpha(frame)
            if alpha is None:
                return False
            if alpha.min() < alpha.max():
                return True
        return False

    def _opened(self) -> "av.container.InputContainer":
        from any2bokeh.video.media_file import open_input

        with _errors_told(self._path):
            container = open_input(self._path)
            if container.streams.video:
                return container
            container.close()
        raise InputError(f"{self.title} {self._path} has no pictures; give a grey video")

    def _grey(self, frame: "av.VideoFrame", index: int) -> NDArray[np.float32]:
        layout = _LUMA_PLANE.fullmatch(frame.format.name)
        alpha = _alpha(frame) if self.is_cut_out else None
        if alpha is not None:
            grey = alpha
        elif layout is None or (self._colour == "brightest" and not layout[1].startswith("gray")):
            grey = self._grey_of_channels(frame, index)
        else:
            if self._colour == "refuse":
                self._require_neutral_chroma(frame, index)
            grey = _luma(frame, is_full_range=_is_full_range(frame, layout))
        turns = round(frame.rotation / 90) % 4  # degrees counter-clockwise that show the frame upright
        return np.ascontiguousarray(np.rot90(grey, turns)) if turns else grey

    def _grey_of_channels(self, frame: "av.VideoFrame", index: int) -> NDArray[np.float32]:
        channels = frame.to_ndarray(format="rgb48le")  # (h, w, 3)
        if self._colour == "refuse":
            spread = (channels.max(axis=2).astype(np.int32) - channels.min(axis=2)) / 65535
            if np.mean(spread > _CHANNEL_TOLERANCE) > _CHROMA_SHARE:
                raise self._in_colour(index)
        grey = channels[..., 1] if self._colour == "refuse" else channels.max(axis=2)
        return np.divide(grey, np.float32(65535), dtype=np.float32)

    def _require_neutral_chroma(self, frame: "av.VideoFrame", index: int) -> None:
        for plane in range(1, len(frame.planes)):
            if plane < len(frame.format.components) and frame.format.components[plane].is_alpha:
                continue
            chroma = _samples(frame, plane)[::4, ::4].astype(np.float32) / _full_scale(frame)
            if np.mean(np.abs(chroma - 0.5) > _CHROMA_TOLERANCE) > _CHROMA_SHARE:
                raise self._in_colour(index)

    def _in_colour(self, index: int) -> InputError:
        return InputError(
            f"{self._noun} {self.label(index)} is in colour, perhaps a colour map for viewing; "
            f"export grey {self._noun} instead"
        )


def _alpha(frame: "av.VideoFrame") -> NDArray[np.float32] | None:
    """How far each pixel is covered, ``(h, w)`` in [0, 1]; None where the format has no alpha."""
    if not any(component.is_alpha for component in frame.format.components):
        return None
    return np.divide(frame.to_ndarray(format="rgba64le")[..., 3], np.float32(65535), dtype=np.float32)


def _is_full_range(frame: "av.VideoFrame", layout: re.Match[str]) -> bool:
    return layout[1].startswith(("gray", "yuvj")) or int(frame.color_range) == 2


def _luma(frame: "av.VideoFrame", *, is_full_range: bool) -> NDArray[np.float32]:
    luma = _samples(frame, 0).astype(np.float32) / np.float32(_full_scale(frame))
    if is_full_range:
        return luma
    # 16 and 235 of 8 bits, whatever the depth: levels are 2**(bits - 8) times these
    unit = (_full_scale(frame) + 1) / 256 / _full_scale(frame)
    return np.clip((luma - np.float32(16 * unit)) / np.float32(219 * unit), 0, 1)


def _samples(frame: "av.VideoFrame", number: int) -> NDArray[np.generic]:
    """One plane, without the padding of its lines; a plane of interleaved chroma comes as it lies."""
    plane = frame.planes[number]
    bits = frame.format.components[0].bits
    dtype = np.dtype(np.uint8) if bits == 8 else np.dtype(">u2" if frame.format.name.endswith("be") else "<u2")
    lines = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    lines = lines[:, : plane.width]
    return lines >> (16 - bits) if frame.format.name.startswith("p") else lines


def _full_scale(frame: "av.VideoFrame") -> int:
    return 2 ** frame.format.components[0].bits - 1


@contextmanager
def _errors_told(path: Path) -> Iterator[None]:
    """Tell the user of what FFmpeg cannot read."""
    import av.error

    try:
        yield
    except av.error.FFmpegError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give a grey video or a folder of pictures") from error
