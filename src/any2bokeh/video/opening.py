"""Opening what holds frames: which source reads a path, and which sink writes one."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from any2bokeh.errors import InputError
from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame_numbers import NamePattern, result_stems
from any2bokeh.video.part import Part
from any2bokeh.video.pipe import is_pipe, standard_output
from any2bokeh.video.reading import Reading
from any2bokeh.video.sink import VideoSink
from any2bokeh.video.source import VideoSource

CONTAINER_EXTENSIONS = (".mp4", ".mov", ".mkv", ".webm")


def open_source(
    path: str | Path, *, fps: float | Fraction | str | None = None, reading: Reading | None = None
) -> VideoSource:
    """Open a video file, a folder of images, a pattern of images, or one image.

    Args:
        path: what to read. Images are taken in natural order (``frame9`` before ``frame10``). A pattern is a glob
            (``shot.*.exr``) or has a place for the number (``shot.####.exr``, ``shot.%04d.exr``).
        fps: rate of an image sequence, what EXR files say or 24 unless given, or of a video stream without a clock
            (.h264, .h265, .m2v), what it says or 25 unless given; not allowed for a video with time stamps of its own.
        reading: what is read, what is done with damage and gaps, and with interlaced video; None = the defaults of
            ``Reading``.

    Raises:
        InputError: missing, empty, not a video, no frames, unreadable.
    """
    source = _opened(path, fps, reading)
    source.fps_given, source.reading = fps, reading
    return source


def _opened(path: str | Path, fps: float | Fraction | str | None, reading: Reading | None) -> VideoSource:
    from any2bokeh.video.sequence import animation_in, find_sequence

    images = find_sequence(path)
    animation = None if images is None else animation_in(images)
    if images is not None and animation is None:
        from any2bokeh.video.sequence_source import SequenceSource

        return SequenceSource(Path(path), images, fps=rate_of(fps), reading=reading)
    if reading is not None and reading.layer is not None:
        raise InputError(f"{path} has no layers; --layer ({reading.layer}) is for EXR: leave it out")
    if animation == "webp":
        from any2bokeh.video.webp_animation import WebpAnimation

        assert images is not None
        if fps is not None:
            raise InputError(
                f"{path} states how long each frame is shown; fps ({fps}) is for images that do not: leave it out"
            )
        return WebpAnimation(images[0])
    from any2bokeh.video.container_source import ContainerSource

    return ContainerSource(Path(path) if images is None else images[0], fps=rate_of(fps), reading=reading)


def open_sink(
    path: str | Path,
    source: VideoSource,
    *,
    encoding: Encoding | None = None,
    start: int = 0,
    stop: int | None = None,
    overwrite: bool = False,
    notice: Callable[[str], None] | None = None,
) -> VideoSink:
    """Make ready to write the frames ``start <= index < stop`` of ``source``.

    Args:
        path: a file whose extension says the container (.mp4 .mov .mkv .webm), a folder for numbered images, or a
            pattern of their names (``shot.####.exr``, ``shot.%04d.png``); ``-`` is standard output, as YUV4MPEG2, or
            with codec ``rawvideo`` as raw frames.
        encoding: see ``Encoding``; None = its defaults.
        start, stop: the range that will be written; the sound is trimmed to it.
        overwrite: replace an existing result, once the new one is complete.
        notice: called with one-line remarks: when the sink is opened, on what is converted or left out; at its end, on
            what turned out damaged.

    Raises:
        InputError: before any frame is written, if the result exists, cannot be written, or if the codec cannot
            hold what the source needs.
    """
    target = Path(path)
    encoding = encoding or Encoding()
    if is_pipe(target):
        from any2bokeh.video.raw_frames import RawSink
        from any2bokeh.video.y4m_sink import Y4mSink

        sink = RawSink if encoding.codec == "rawvideo" else Y4mSink
        return sink(standard_output(), source.info, encoding, part=Part.of(source, start, stop), notice=notice)
    extension = target.suffix.lower()
    if extension in CONTAINER_EXTENSIONS:
        from any2bokeh.video.container_sink import ContainerSink

        part = Part.of(source, start, stop)
        return ContainerSink(target, source.info, encoding, part=part, overwrite=overwrite, notice=notice)
    pattern = None if target.is_dir() else NamePattern.of(target)
    if extension and pattern is None and not target.is_dir():
        allowed = ", ".join(CONTAINER_EXTENSIONS)
        raise InputError(
            f"cannot write {path}: {extension} is not one of {allowed}; or give a folder for numbered images, or a "
            f"pattern such as {target.with_name('####.png')}"
        )
    from any2bokeh.video.sequence_sink import SequenceSink

    stems = frame_stems(path, source, start=start, stop=stop)
    return SequenceSink(target, source.info, encoding, stems=stems, pattern=pattern, overwrite=overwrite, notice=notice)


def frame_stems(path: str | Path, source: VideoSource, *, start: int = 0, stop: int | None = None) -> list[str]:
    """Names without extension of the numbered images of a result, and of what is written beside it.

    Args:
        path: the result; the names are those of its pattern, where it is one.
        source: whose numbers they keep, where it has some.
        start, stop: the range that is written.
    """
    stop = source.info.frame_count if stop is None else stop
    target = Path(path)
    is_pattern = target.suffix.lower() not in CONTAINER_EXTENSIONS and not target.is_dir()
    return result_stems(source.numbers, start, stop, pattern=NamePattern.of(target) if is_pattern else None)


def pattern_files(path: str | Path, stems: Sequence[str]) -> list[Path]:
    """The files of a result that is a pattern, by their names without extension; none where it is something else."""
    target = Path(path)
    if target.suffix.lower() in CONTAINER_EXTENSIONS or target.is_dir() or NamePattern.of(target) is None:
        return []
    return [target.with_name(f"{stem}{target.suffix}") for stem in stems]


def rate_of(fps: float | Fraction | str | None) -> Fraction | None:
    if fps is None:
        return None
    try:
        rate = Fraction(fps)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise InputError(f"fps is {fps!r}; give a number above 0 such as 24, 29.97 or 30000/1001") from None
    if not 0 < rate <= 1000:
        raise InputError(f"fps is {fps}; give a number above 0 and at most 1000")
    # 29.97 and 23.976 are how people write the NTSC rates, which are exactly n*1000/1001.
    for whole in (24, 30, 48, 60, 120):
        exact = Fraction(whole * 1000, 1001)
        if rate != exact and abs(rate - exact) < Fraction(6, 1000):
            return exact
    return rate.limit_denominator(1001)
