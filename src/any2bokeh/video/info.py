"""What a source is."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from any2bokeh.optics.frame_size import require_frame_size

Transfer = Literal["srgb", "linear", "pq", "hlg"]
Scan = Literal["progressive", "interlaced", "deinterlaced", "fields"]


@dataclass(frozen=True, slots=True)
class ColorTags:
    """Colour description in the code points of ITU-T H.273, as containers and codecs carry them; 2 = unspecified.

    ``full_range`` is None where the source does not say.
    """

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool | None = None


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """One sound track."""

    codec: str
    sample_rate: int
    channels: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a source is.

    Attributes:
        path: the file, folder or glob pattern.
        width, height: displayed size in pixels, rotation applied, pixel aspect not applied.
        fps: average rate; the frames themselves carry exact times, so variable rates are kept.
        frame_count: how many frames ``VideoSource.frames`` gives: what the decoder makes of the file, as far as can be
            told without decoding all of it. See ``Frame.is_past_end`` for a file that turns out to hold fewer.
        bit_depth: of one sample: 8, 10, 12, 16; 16 for half and 32 for float EXR.
        transfer: what the pixels mean: ``srgb`` stands for every display-referred gamma curve (sRGB, BT.709, BT.601).
        color: the tags as they stand in the source.
        sample_aspect: width of a pixel over its height, as displayed.
        rotation_deg: clockwise turn (0, 90, 180, 270) that the source asked for; it is already applied.
        scan: ``interlaced`` frames are woven of two fields, ``deinterlaced`` were; single ``fields`` are frames of half
            the height.
        time_base: the unit of the source's time stamps, in seconds.
        start_time_s: presentation time of the first frame.
        origin_s: what becomes 0 of a result: the first frame, or the sound where it begins before; 0 where they begin
            within a second of it.
        clock_shifts_s: what to take from a stamp after the first, second.. jump of the file's clock; frames have it
            taken off already.
        dropped_frames: places of frames that were dropped when the file was made (AVI), counted with those that are
            there: (2,) where the third of four is missing.
        duration_s: from the first frame's presentation to the end of the last one's, as well as the source tells.
        codec, container, pixel_format: FFmpeg's names; the file type for images.
        is_sequence: images instead of a container.
        is_float: floating point samples (EXR).
        audio: the sound tracks.

    Raises:
        InputError: a side is longer than ``MAX_SIDE_PX``.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    frame_count: int
    bit_depth: int
    transfer: Transfer = "srgb"
    color: ColorTags = ColorTags()
    sample_aspect: Fraction = Fraction(1)
    rotation_deg: int = 0
    scan: Scan = "progressive"
    time_base: Fraction = Fraction(1, 24)
    start_time_s: Fraction = Fraction(0)
    origin_s: Fraction = Fraction(0)
    clock_shifts_s: tuple[Fraction, ...] = ()
    dropped_frames: tuple[int, ...] = ()
    duration_s: Fraction = Fraction(0)
    codec: str = ""
    container: str = ""
    pixel_format: str = ""
    is_sequence: bool = False
    is_float: bool = False
    audio: tuple[AudioInfo, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_frame_size(str(self.path), self.width, self.height)
