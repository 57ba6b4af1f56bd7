"""What a batch would do: which clips are there already, which cannot be rendered, and the disk that it takes."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from any2bokeh.segments.parts import Job
from any2bokeh.video.encoding import choose_codec

# Bytes of a pixel in a frame of a grainy clip at the default quality: the measurements beside the codecs' defaults, and
# for what is lossless what 8 bits compress to.
_BYTES_PER_PIXEL = {"h264": 0.063, "hevc": 0.048, "vp9": 0.07, "prores": 0.57, "ffv1": 1.5, "png": 2.5, "exr": 6.0}


@dataclass(frozen=True, slots=True)
class Need:
    """What the render of a clip takes.

    Attributes:
        frames: how many are rendered.
        bytes_kept: about the size of the result.
        bytes_meanwhile: about what it takes on the disk until it is whole, the result included.
        missing: files that the recipe names and that are not there.
    """

    frames: int
    bytes_kept: int
    bytes_meanwhile: int
    missing: tuple[Path, ...] = ()


def need_of(job: Job) -> Need:
    """What a job takes, from the size of its pictures; the size of a result depends on what they show.

    Raises:
        InputError: the container cannot hold the codec.
    """
    info, frames = job.source.info, job.stop - job.start
    extension = job.output.suffix.lower()
    if extension:
        codec = choose_codec(job.encoding, info, extension).name
    else:
        codec = "exr" if job.encoding.codec == "exr" or (job.encoding.codec == "auto" and info.is_float) else "png"
    kept = round(frames * info.width * info.height * _BYTES_PER_PIXEL[codec] * max(1, info.bit_depth / 8))
    missing = tuple(Path(path) for path in job.recipe.read_paths() if not Path(path).exists() and not _is_pattern(path))
    # Segments of a video are copied into it; images get a second name.
    return Need(frames, kept, 2 * kept if extension else kept, missing)


def free_bytes(folder: Path) -> int:
    """Bytes that are free on the disk where a folder is, or will be."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _is_pattern(path: str | Path) -> bool:
    return any(sign in Path(path).name for sign in "*?[#%")
