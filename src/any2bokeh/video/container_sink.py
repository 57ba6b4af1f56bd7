"""A video file."""

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.color import result_coding
from any2bokeh.video.encoding import Encoding, VideoCodec, choose_codec, choose_pixel_format
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import ColorTags, VideoInfo
from any2bokeh.video.opening import file_url
from any2bokeh.video.pending_output import PendingOutput, check_target, write_failure
from any2bokeh.video.pixel_layout import canonical_layout
from any2bokeh.video.samples import Samples, SampleWriter
from any2bokeh.video.sink import VideoSink
from any2bokeh.video.sound import SoundTracks

_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
# Written by muxers about the file that they make; untrue of any other.
_FILE_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
_RANGES = {None: 0, False: 1, True: 2}
# FF_QP2LAMBDA: FFmpeg's unit of a quantiser.
_LAMBDA = 118
# The sound may lie this far ahead of the pictures in the file, so that a muxer never waits for it.
_SOUND_LEAD_S = Fraction(1, 2)


class ContainerSink(VideoSink):
    """Writes one video file; see ``VideoSink``."""

    def __init__(
        self, path: Path, info: VideoInfo, encoding: Encoding, *, start: int, stop: int | None, overwrite: bool
    ) -> None:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give another file name")
        check_target(path, info.path, overwrite=overwrite)
        codec = choose_codec(encoding, info, path.suffix.lower())
        pixel_format = choose_pixel_format(codec, encoding, info)
        video_format = av.VideoFormat(pixel_format)
        bits = max(component.bits for component in video_format.components)
        coding, self._tags = result_coding(
            info, canonical_layout(pixel_format, bits, is_rgb=video_format.is_rgb).family
        )

        if info.sample_aspect != 1 and path.suffix.lower() in (".mkv", ".webm") and codec.name not in ("h264", "hevc"):
            # Only H.264 and HEVC carry it themselves, and the Matroska muxer takes it from where PyAV cannot put it.
            others = [f"write {extension}" for extension in codec.extensions if extension in (".mp4", ".mov")]
            raise InputError(
                f"{path} cannot hold the pixel aspect {info.sample_aspect} of {info.path} with codec {codec.name}; "
                f"{' or '.join([*others, 'choose codec h264 (lossless at quality 0) and write .mkv'])}"
            )
        self.path = path
        self._info = info
        self._trimmed = start > 0 or (stop is not None and stop < info.frame_count)
        self._origin_s: Fraction | None = None
        self._end_s = Fraction(0)
        self._last_pts: int | None = None
        self._durations: dict[int, int] = {}
        self._writer = SampleWriter(pixel_format, coding)
        self._pending = PendingOutput.file(path)
        try:
            self._open(codec, encoding, pixel_format, self._tags)
        except BaseException as error:
            self._pending.discard()
            if isinstance(error, OSError):
                raise write_failure(path, error) from None
            raise

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""
        if self._origin_s is None:
            self._origin_s = frame.time_s if self._trimmed else self._info.origin_s
            self._sound.begin(self._origin_s)
        picture = self._picture(frame, pixels)
        picture.pts = self._time_stamp(frame)
        picture.time_base = self._info.time_base
        # ProRes takes its tags from the pictures, the other codecs from the context.
        picture.color_primaries, picture.color_trc = self._tags.primaries, self._tags.transfer
        picture.colorspace, picture.color_range = self._tags.matrix, _RANGES[self._tags.full_range]
        self._durations[picture.pts] = round(frame.duration_s / self._info.time_base)
        self._end_s = frame.time_s + frame.duration_s
        try:
            self._sound.write_until(frame.time_s + _SOUND_LEAD_S if not self._trimmed else self._end_s)
            self._mux(self._stream.encode(picture))
        except OSError as error:
            raise write_failure(self.path, error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See ``VideoSink``."""
        try:
            if kind is None:
                self._finish()
        except OSError as failure:
            raise write_failure(self.path, failure) from None
        finally:
            self._abandon()

    def _open(self, codec: VideoCodec, encoding: Encoding, pixel_format: str, tags: ColorTags) -> None:
        """Open encoder and file, so that whatever does not fit is told before any frame is rendered."""
        for recode in (False, True):
            self._container = self._opened(codec, encoding, pixel_format, tags)
            self._sound = SoundTracks(
                self._container, self._info.path, encoding.audio, self._trimmed, self._info.clock_shifts_s
            )
            has_sound = bool(self._info.audio) and self._sound.add_tracks(recode=recode)
            try:
                self._container.start_encoding()
                return
            except av.error.FFmpegError as error:
                self._sound.close()
                if isinstance(error, OSError):
                    raise
                # Some containers refuse a sound codec only now.
                if recode or not has_sound or encoding.audio == "copy":
                    size = f"{self._info.width}x{self._info.height}"
                    raise InputError(
                        f"codec {codec.name} cannot be written to {self.path} as {pixel_format} of {size} with preset "
                        f"{encoding.preset or codec.default_preset} ({error.strerror}); choose another codec or preset"
                    ) from None

    def _opened(self, codec: VideoCodec, encoding: Encoding, pixel_format: str, tags: ColorTags) -> OutputContainer:
        info = self._info
        extension = self.path.suffix.lower()
        container = av.open(
            file_url(self._pending.temporary),
            "w",
            format=_FORMATS[extension],
            container_options=_container_options(extension, info.time_base),
        )
        container.metadata.update({k: v for k, v in info.metadata.items() if k.lower() not in _FILE_TAGS})
        stream: Any = container.add_stream(codec.encoder, rate=info.fps)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = info.width, info.height, pixel_format
        context.time_base = info.time_base
        context.sample_aspect_ratio = info.sample_aspect
        if codec.name == "hevc" and extension in (".mp4", ".mov"):
            context.codec_tag = "hvc1"  # the one of HEVC's two tags that Apple's players know
        context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
        context.color_range = _RANGES[tags.full_range]
        threads = encoding.threads or max(1, (os.cpu_count() or 2) // 2)
        context.thread_count = threads
        context.options = _encoder_options(codec, encoding, threads, pixel_format, info.width, info.height)
        self._stream = stream
        return container

    def _picture(self, frame: Frame, pixels: NDArray[np.float32]) -> av.VideoFrame:
        native = frame.native if isinstance(frame.native, Samples) else None
        if pixels.shape != (3, self._info.height, self._info.width):
            raise ValueError(f"pixels are {pixels.shape}, not (3, {self._info.height}, {self._info.width})")
        if native is not None and pixels is frame.pixels:
            untouched = self._writer.untouched(native)
            if untouched is not None:
                return untouched
        if self._info.is_sequence:
            image: Any = frame.native
            return self._writer.encoded(image.srgb(pixels), pixels, None)
        return self._writer.encoded(pixels, frame.pixels, native)

    def _time_stamp(self, frame: Frame) -> int:
        assert self._origin_s is not None
        pts = round((frame.time_s - self._origin_s) / self._info.time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            # Broken streams repeat a time stamp; encoders want them to rise, and every frame is kept.
            pts = self._last_pts + 1
        self._last_pts = pts
        return pts

    def _mux(self, packets: list[Packet]) -> None:
        for packet in packets:
            # Encoders forget durations, and without one the last frame of a clip is not shown.
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            if duration:
                packet.duration = duration
            self._container.mux(packet)

    def _finish(self) -> None:
        if self._origin_s is None:
            raise InputError(f"no frame was written to {self.path}; choose a range with at least one frame")
        self._mux(self._stream.encode(None))
        self._sound.write_until(self._end_s if self._trimmed else None)
        self._sound.finish()
        self._container.close()
        self._pending.publish()

    def _abandon(self) -> None:
        self._sound.close()
        try:
            self._container.close()
        except (OSError, av.error.FFmpegError):
            # The failure that led here has been, or is being, reported.
            pass
        finally:
            self._pending.discard()


def _container_options(extension: str, time_base: Fraction) -> dict[str, str]:
    if extension not in (".mp4", ".mov"):
        return {}
    # The index first, so that the file plays while it loads; and a clock of the whole file that is fine enough for
    # the tracks' own, since it is what a late start of pictures or sound is counted in (1 ms unless told).
    clock = time_base.denominator * -(-1000 // time_base.denominator)
    return {"movflags": "+faststart", "movie_timescale": str(min(clock, 2**31 - 1))}


def _encoder_options(
    codec: VideoCodec, encoding: Encoding, threads: int, pixel_format: str, width: int, height: int
) -> dict[str, str]:
    quality = codec.default_quality if encoding.quality is None else encoding.quality
    preset = encoding.preset or codec.default_preset or ""
    if codec.name == "h264":
        # At the rates of visually lossless video, CABAC is a quarter of the fast preset's time for 5% of its size.
        fast = {} if encoding.preset else {"x264-params": "cabac=0"}
        return {"preset": preset, "crf": str(quality), **fast}
    if codec.name == "hevc":
        # x265 has a thread pool of its own, which would take the whole machine. Its vector code writes past its buffers
        # in pictures smaller than its largest block of 64 px: glibc's heap checks show it at small widths, and heights
        # below that gave a broken stream now and then. Twice that is a margin; pictures so small cost nothing.
        plain = ":asm=0" if min(width, height) < 128 else ""
        parameters = f"log-level=none:pools={threads}:frame-threads=1{plain}"
        return {"preset": preset, "crf": str(quality), "x265-params": parameters}
    if codec.name == "vp9":
        return {"crf": str(quality), "b": "0", "deadline": "realtime", "cpu-used": preset, "row-mt": "1"}
    if codec.name == "prores":
        profile = "4444" if "444" in pixel_format and not encoding.preset else preset
        # A fixed quantiser: the search for a fixed rate takes most of the encoder's time.
        return {"profile": profile, "vendor": "apl0", "flags": "+qscale", "global_quality": str(quality * _LAMBDA)}
    return {"level": "3", "slicecrc": "1"}
