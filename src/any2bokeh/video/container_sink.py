"""A video file."""

import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.pending_output import PendingOutput, check_target, write_failure
from any2bokeh.video.alpha import Alpha, alpha_bits
from any2bokeh.video.codes import quantised
from any2bokeh.video.color import result_coding, source_coding
from any2bokeh.video.companions import Companions
from any2bokeh.video.encoder_options import encoder_options, told_rate
from any2bokeh.video.encoding import Encoding, VideoCodec, choose_codec, choose_pixel_format, written_size
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.losses import losses
from any2bokeh.video.media_file import file_url
from any2bokeh.video.part import Part
from any2bokeh.video.pixel_layout import canonical_layout
from any2bokeh.video.samples import Samples, SampleWriter
from any2bokeh.video.sink import VideoSink
from any2bokeh.video.sound import SoundTracks
from any2bokeh.video.tags import needs_free_keys

_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_RANGES = {None: 0, False: 1, True: 2}
# The sound may lie this far ahead of the pictures in the file, so that a muxer never waits for it.
_SOUND_LEAD_S = Fraction(1, 2)


class ContainerSink(VideoSink):
    """Writes one video file; see ``VideoSink``."""

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        encoding: Encoding,
        *,
        part: Part,
        overwrite: bool,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give another file name")
        check_target(path, info.path, overwrite=overwrite)
        codec = choose_codec(encoding, info, path.suffix.lower())
        pixel_format = choose_pixel_format(codec, encoding, info, path.suffix.lower())
        video_format = av.VideoFormat(pixel_format)
        bits = max(component.bits for component in video_format.components)
        family = canonical_layout(pixel_format, bits, is_rgb=video_format.is_rgb).family
        # Decoders take all of ProRes for limited range, whatever the file says.
        coding, self._tags = result_coding(info, family, is_limited=codec.name == "prores")
        self._has_same_range = family == "rgb" or coding.full_range == source_coding(info).full_range

        if info.sample_aspect != 1 and path.suffix.lower() in (".mkv", ".webm") and codec.name not in ("h264", "hevc"):
            # Only H.264 and HEVC carry it themselves, and the Matroska muxer takes it from where PyAV cannot put it.
            others = [f"write {extension}" for extension in codec.extensions if extension in (".mp4", ".mov")]
            raise InputError(
                f"{path} cannot hold the pixel aspect {info.sample_aspect} of {info.path} with codec {codec.name}; "
                f"{' or '.join([*others, 'choose codec h264 (lossless at quality 0) and write .mkv'])}"
            )
        self.path = path
        self._info = info
        self._notice = notice or (lambda remark: None)
        self._part = part
        self._trimmed = not part.is_whole
        self._origin_s: Fraction | None = None
        self._end_s = Fraction(0)
        self._last_pts: int | None = None
        self._durations: dict[int, int] = {}
        self._size = written_size(codec, pixel_format, info)
        self._writer = SampleWriter(pixel_format, coding, self._size)
        self._pending = PendingOutput.file(path)
        try:
            self._open(codec, encoding, pixel_format)
        except BaseException as error:
            self._pending.discard()
            if isinstance(error, OSError):
                raise write_failure(path, error) from None
            raise
        is_asked_for = encoding.codec != "auto" or encoding.pixel_format is not None
        for remark in [
            *losses(path, info, codec, pixel_format, self._size, is_asked_for=is_asked_for),
            *self._sound.remarks,
            *self._companions.remarks,
        ]:
            self._notice(remark)

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""
        if self._origin_s is None:
            self._origin_s = frame.time_s if self._trimmed else self._info.origin_s
            self._sound.begin(self._origin_s)
            self._companions.begin()
        picture = self._picture(frame, pixels)
        picture.pts = self._time_stamp(frame)
        picture.time_base = self._info.time_base
        # ProRes takes its tags from the pictures, the other codecs from the context.
        picture.color_primaries, picture.color_trc = self._tags.primaries, self._tags.transfer
        picture.colorspace, picture.color_range = self._tags.matrix, _RANGES[self._tags.full_range]
        self._durations[picture.pts] = round(frame.duration_s / self._info.time_base)
        self._end_s = frame.time_s + frame.duration_s
        try:
            ahead_s = frame.time_s + _SOUND_LEAD_S if not self._trimmed else self._end_s
            self._sound.write_until(ahead_s)
            self._companions.write_until(ahead_s)
            self._mux(self._stream.encode(picture))
        except OSError as error:
            raise write_failure(self.path, error) from None
        except (av.error.InvalidDataError, av.error.ArgumentError) as error:
            raise _damaged_sound(self.path, error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See ``VideoSink``."""
        try:
            if kind is None:
                self._finish()
        except OSError as failure:
            raise write_failure(self.path, failure) from None
        except (av.error.InvalidDataError, av.error.ArgumentError) as failure:
            raise _damaged_sound(self.path, failure) from None
        finally:
            self._abandon()

    def _open(self, codec: VideoCodec, encoding: Encoding, pixel_format: str) -> None:
        """Open encoder and file, so that whatever does not fit is told before any frame is rendered."""
        extension = self.path.suffix.lower()
        self._companions = Companions(self._info, self._part, extension)
        self._container = av.open(
            file_url(self._pending.temporary),
            "w",
            format=_FORMATS[extension],
            container_options=_container_options(extension, self._info.time_base, self._companions.tags),
        )
        self._stream = self._video_stream(codec, encoding, pixel_format)
        self._sound = SoundTracks(
            self._container, self._info.path, encoding.sound, self._trimmed, self._info.clock_shifts_s
        )
        if self._info.audio:
            self._sound.add_tracks()
        elif encoding.sound in ("copy", "aac"):
            self._sound.remarks.append(f"{self._info.path} has no sound; --sound {encoding.sound} changes nothing")
        self._companions.add_to(self._container, self._stream)
        try:
            self._container.start_encoding()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            # Sound and subtitles were tried by themselves: it is the pictures.
            raise InputError(
                f"codec {codec.name} cannot be written to {self.path} as {pixel_format} of "
                f"{self._size[0]}x{self._size[1]} with preset {encoding.preset or codec.default_preset} "
                f"({error.strerror}); choose another codec or preset"
            ) from None

    def _video_stream(self, codec: VideoCodec, encoding: Encoding, pixel_format: str) -> Any:
        info, tags = self._info, self._tags
        stream: Any = self._container.add_stream(codec.encoder, rate=told_rate(info))
        context = stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = pixel_format
        context.time_base = info.time_base
        context.sample_aspect_ratio = info.sample_aspect
        if codec.name == "hevc" and self.path.suffix.lower() in (".mp4", ".mov"):
            context.codec_tag = "hvc1"  # the one of HEVC's two tags that Apple's players know
        context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
        context.color_range = _RANGES[tags.full_range]
        threads = encoding.threads or max(1, (os.cpu_count() or 2) // 2)
        context.thread_count = threads
        parameters = self._companions.encoder_parameters(codec.name, pixel_format)
        if codec.name == "h264" and tags.full_range is False:
            # x264 leaves a limited range out, where nothing else is told of the pictures, but not beside this.
            parameters["videoformat"] = "component"
        frame_count = self._part.stop - self._part.start
        context.options = encoder_options(codec, encoding, threads, pixel_format, self._size, frame_count, parameters)
        if codec.name == "vp9" and alpha_bits(pixel_format):
            stream.metadata["alpha_mode"] = "1"
        return stream

    def _picture(self, frame: Frame, pixels: NDArray[np.float32]) -> av.VideoFrame:
        native = frame.native if isinstance(frame.native, Samples) else None
        if pixels.shape != (3, self._info.height, self._info.width):
            raise ValueError(f"pixels are {pixels.shape}, not (3, {self._info.height}, {self._info.width})")
        index = frame.index
        if native is not None and not self._has_same_range:
            return self._writer.encoded(pixels, frame.pixels, None, alpha=native.alpha, index=index)
        if native is not None and pixels is frame.pixels:
            untouched = self._writer.untouched(native)
            if untouched is not None:
                return untouched
        if self._info.is_sequence:
            image: Any = frame.native
            own = frame.pixels
            if frame.alpha is None or not alpha_bits(self._writer.pixel_format):
                codes = image.srgb(pixels)
                return self._writer.encoded(codes, codes if pixels is own else image.srgb(own), None, index=index)
            codes = image.srgb(image.straight(pixels, frame.alpha))
            before = codes if pixels is own else image.srgb(image.straight(own, frame.alpha))
            alpha = Alpha(quantised(frame.alpha[0], 16), 16)
            return self._writer.encoded(codes, before, None, alpha=alpha, index=index)
        return self._writer.encoded(pixels, frame.pixels, native, index=index)

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
        rest_s = self._end_s if self._trimmed else None
        self._sound.write_until(rest_s)
        self._companions.write_until(rest_s)
        told = len(self._sound.remarks)
        self._sound.finish()
        self._container.close()
        self._pending.publish()
        for remark in self._sound.remarks[told:]:
            self._notice(remark)

    def _abandon(self) -> None:
        self._companions.close()
        self._sound.close()
        try:
            self._container.close()
        except (OSError, av.error.FFmpegError):
            # The failure that led here has been, or is being, reported.
            pass
        finally:
            self._pending.discard()


def _container_options(extension: str, time_base: Fraction, tags: Mapping[str, str]) -> dict[str, str]:
    if extension not in (".mp4", ".mov"):
        return {}
    # The index first, so that the file plays while it loads; and a clock of the whole file that is fine enough for
    # the tracks' own, since it is what a late start of pictures or sound is counted in (1 ms unless told).
    clock = time_base.denominator * -(-1000 // time_base.denominator)
    free_keys = "+use_metadata_tags" if needs_free_keys(tags) else ""
    return {"movflags": f"+faststart{free_keys}", "movie_timescale": str(min(clock, 2**31 - 1))}


def _damaged_sound(path: Path, error: av.error.FFmpegError) -> InputError:
    """What was copied cannot be written as it is: the pictures are our own."""
    return InputError(
        f"cannot write {path}: the sound or subtitles of the input are damaged ({error.strerror}); pass --sound aac to "
        f"convert the sound, or --sound none"
    )
