"""What goes along with pictures and sound: subtitles, chapters, time code, tags, HDR metadata."""

from fractions import Fraction
from typing import Any

import av.error
from av.container import OutputContainer
from av.sidedata.sidedata import Type as SideDataType

from any2bokeh.video.chapters import chapters_of
from any2bokeh.video.chroma_location import NAMES, chroma_location_of
from any2bokeh.video.container_times import video_stream
from any2bokeh.video.encoder_options import told_rate
from any2bokeh.video.hdr import HdrMetadata
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.leftovers import carry_attachments, left_out
from any2bokeh.video.media_file import open_container
from any2bokeh.video.part import Part
from any2bokeh.video.pixel_layout import planar_layout
from any2bokeh.video.sound import keep_labels
from any2bokeh.video.subtitles import Subtitles
from any2bokeh.video.tags import result_tags
from any2bokeh.video.timecode import Timecode, timecode_of


class Companions:
    """Carries them from a source to one result. Images have none.

    Attributes:
        remarks: what is to be told of what is converted or left out.
        tags: of the result.
    """

    def __init__(self, info: VideoInfo, part: Part, extension: str) -> None:
        self.remarks: list[str] = []
        self.tags = result_tags(info.metadata, extension)
        self._info = info
        self._part = part
        self._extension = extension
        self._hdr = HdrMetadata()
        self._chroma_location: int | None = None
        self._has_captions = False
        self._subtitles: Subtitles | None = None
        if not info.is_sequence:
            self._look_at_first_frame()

    def encoder_parameters(self, codec: str, pixel_format: str) -> dict[str, str]:
        """What the encoder of a codec is told; what it cannot be told is remarked upon."""
        parameters = self._hdr.encoder_parameters(codec)
        lost = list(self._hdr.left_out(codec))
        layout = planar_layout(pixel_format)
        if self._chroma_location and layout is not None and layout.subsampling == (1, 1):
            if codec in ("h264", "hevc"):
                parameters["chromaloc"] = str(self._chroma_location)
            else:
                lost.append(f"chroma location ({NAMES[self._chroma_location]})")
        if self._has_captions:
            lost.append("closed captions within the pictures")
        if lost:
            self.remarks.append(
                f"of {self._info.path}, {', '.join(lost)} {'is' if len(lost) == 1 else 'are'} left out, "
                f"because they cannot be written with {codec}"
            )
        return parameters

    def add_to(self, container: OutputContainer, stream: Any) -> None:
        """Write into a container what stands in its header, and make its subtitle tracks."""
        container.metadata.update(self.tags)
        if self._info.is_sequence:
            return
        with open_container(self._info.path) as source:
            video = video_stream(source, self._info.path)
            keep_labels(video, stream)
            chapters = chapters_of(source, self._part)
            if chapters:
                container.set_chapters(chapters)
            self._add_timecode(source, video, container, stream)
            self._subtitles = Subtitles(container, self._info.path, self._part)
            self._subtitles.add_tracks()
            self.remarks += self._subtitles.remarks
            attachments = carry_attachments(source, container)
            self.remarks += left_out(source, video, self._info.path, attachments=attachments)

    def begin(self) -> None:
        """Start reading subtitles."""
        if self._subtitles is not None:
            self._subtitles.begin()

    def write_until(self, time_s: Fraction | None) -> None:
        """Write the subtitles that begin before ``time_s`` of the source's clock; None = all that are left."""
        if self._subtitles is not None:
            self._subtitles.write_until(time_s)

    def close(self) -> None:
        """Let go of the source; may be called twice."""
        if self._subtitles is not None:
            self._subtitles.close()

    def _look_at_first_frame(self) -> None:
        with open_container(self._info.path) as source:
            stream = video_stream(source, self._info.path)
            try:
                frame = next(source.decode(stream))
            except (av.error.FFmpegError, StopIteration):
                return
            self._hdr = HdrMetadata.of(frame)
            held: Any = frame.side_data
            self._has_captions = held.get(SideDataType.A53_CC) is not None
            self._chroma_location = chroma_location_of(stream)

    def _add_timecode(self, source: Any, video: Any, container: OutputContainer, stream: Any) -> None:
        label = timecode_of(source, video)
        if label is None:
            return
        info, part = self._info, self._part
        rate = told_rate(info)
        timecode = Timecode.parsed(label, rate)
        if timecode is None:
            self.remarks.append(
                f"time code {label} of {info.path} is left out: it does not fit {float(rate):g} frames a second"
            )
            return
        advanced = timecode.advanced(round((part.begin_s - info.start_time_s) * rate))
        place = stream if self._extension in (".mp4", ".mov") else container
        place.metadata["timecode"] = str(advanced)
