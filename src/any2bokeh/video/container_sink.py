"""A video file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.pending_output import PendingOutput, check_target, write_failure
from any2bokeh.video.companions import Companions
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.losses import losses
from any2bokeh.video.media_file import file_url
from any2bokeh.video.part import Part
from any2bokeh.video.picture_encoder import PictureEncoder
from any2bokeh.video.segment_pictures import PictureSegment, joined_packets
from any2bokeh.video.sink import SegmentSink, VideoSink
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
        self._encoder = PictureEncoder(path, info, encoding, part)
        self.path = path
        self._info = info
        self._notice = notice or (lambda remark: None)
        self._part = part
        self._encoding = encoding
        self._trimmed = not part.is_whole
        self._is_joined = False
        self._origin_s: Fraction | None = None
        self._end_s = Fraction(0)
        self._pending = PendingOutput.file(path)
        try:
            self._open(encoding)
        except BaseException as error:
            self._pending.discard()
            if isinstance(error, OSError):
                raise write_failure(path, error) from None
            raise
        is_asked_for = encoding.codec != "auto" or encoding.pixel_format is not None
        for remark in [
            *losses(
                path,
                info,
                self._encoder.codec,
                self._encoder.pixel_format,
                self._encoder.size,
                is_asked_for=is_asked_for,
            ),
            *self._sound.remarks,
            *self._companions.remarks,
        ]:
            self._notice(remark)

    def write(self, frame: Frame, pixels: NDArray[np.float32]) -> None:
        """See ``VideoSink.write``."""
        if self._origin_s is None:
            self._begin(self._origin(frame.time_s))
        assert self._origin_s is not None
        with self._told():
            self._write_around(frame.time_s, frame.time_s + frame.duration_s)
            for packet in self._encoder.packets(frame, pixels, self._origin_s):
                self._container.mux(packet)

    @property
    def temporary(self) -> Path:
        """See ``VideoSink``."""
        return self._pending.temporary

    def segment(self, folder: Path, *, before: int, first_s: Fraction) -> SegmentSink:
        """See ``VideoSink.segment``; an encoder of its own begins and ends with the segment."""
        encoder = PictureEncoder(self.path, self._info, self._encoding, self._part)
        return PictureSegment(folder, encoder, self._parameters, self._origin(first_s))

    def join(self, folders: Iterable[Path], *, first_s: Fraction) -> None:
        """See ``VideoSink.join``; sound and the like are written now."""
        origin_s, base = self._origin(first_s), self._info.time_base
        self._is_joined = True
        self._begin(origin_s)
        stream = self._encoder.stream
        with self._told():
            for joined in joined_packets(folders, base, stream.codec_context.extradata):
                self._write_around(origin_s + joined.shown_at * base, origin_s + joined.shown_until * base)
                joined.packet.stream = stream
                self._container.mux(joined.packet)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See ``VideoSink``."""
        try:
            if kind is None:
                with self._told():
                    self._finish()
        finally:
            self._abandon()

    def _open(self, encoding: Encoding) -> None:
        """Open encoder and file, so that whatever does not fit is told before any frame is rendered."""
        extension = self.path.suffix.lower()
        self._companions = Companions(self._info, self._part, extension)
        self._container = av.open(
            file_url(self._pending.temporary),
            "w",
            format=_FORMATS[extension],
            container_options=_container_options(extension, self._info.time_base, self._companions.tags),
        )
        encoder = self._encoder
        self._parameters = self._companions.encoder_parameters(encoder.codec.name, encoder.pixel_format)
        stream = encoder.add_to(self._container, dict(self._parameters))
        self._sound = SoundTracks(
            self._container, self._info.path, encoding.sound, self._trimmed, self._info.clock_shifts_s
        )
        if self._info.audio:
            self._sound.add_tracks()
        elif encoding.sound in ("copy", "aac"):
            self._sound.remarks.append(f"{self._info.path} has no sound; --sound {encoding.sound} changes nothing")
        self._companions.add_to(self._container, stream)
        try:
            self._container.start_encoding()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            # Sound and subtitles were tried by themselves: it is the pictures.
            raise InputError(
                f"codec {encoder.codec.name} cannot be written to {self.path} as {encoder.pixel_format} of "
                f"{encoder.size[0]}x{encoder.size[1]} with preset {encoding.preset or encoder.codec.default_preset} "
                f"({error.strerror}); choose another codec or preset"
            ) from None

    def _origin(self, first_s: Fraction) -> Fraction:
        """What the result's clock calls 0, on the source's: where the first frame is shown in a part."""
        return first_s if self._trimmed else self._info.origin_s

    def _begin(self, origin_s: Fraction) -> None:
        self._origin_s = origin_s
        self._sound.begin(origin_s)
        self._companions.begin()

    def _write_around(self, time_s: Fraction, end_s: Fraction) -> None:
        """Write the sound and the subtitles that go with a picture which is shown from ``time_s`` to ``end_s``."""
        self._end_s = end_s
        ahead_s = time_s + _SOUND_LEAD_S if not self._trimmed else self._end_s
        self._sound.write_until(ahead_s)
        self._companions.write_until(ahead_s)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures to write as the user sees them."""
        try:
            yield
        except OSError as error:
            raise write_failure(self.path, error) from None
        except (av.error.InvalidDataError, av.error.ArgumentError) as error:
            raise _damaged_sound(self.path, error) from None

    def _finish(self) -> None:
        if self._origin_s is None:
            raise InputError(f"no frame was written to {self.path}; choose a range with at least one frame")
        for packet in [] if self._is_joined else self._encoder.rest():
            self._container.mux(packet)
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
