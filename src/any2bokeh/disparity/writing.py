"""Disparity written to files that ``open_disparity`` reads back exactly."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.grey_folder import SUFFIXES
from any2bokeh.disparity.source import DisparitySource
from any2bokeh.errors import InputError, require_choice
from any2bokeh.pending_output import PendingOutput, check_target, write_failure

PictureFormat = Literal[
    "png",  # 16 bits: disparity times 65535
    "exr",  # 32-bit float: disparity itself
]
ARCHIVE_SUFFIX = ".npz"
_FULL_SCALE = 65535

WriteMap = Callable[[NDArray[np.float32]], None]


def check_disparity_target(
    path: Path,
    source: Path,
    *,
    picture_format: PictureFormat = "png",
    frame_count: int,
    stems: Sequence[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Refuse a path that disparity cannot be written to.

    Args:
        path: a ``.npz`` file, or a folder.
        source: what the disparity is of, which must not be overwritten.
        picture_format: of the pictures in a folder.
        frame_count: maps that will be written.
        stems: names of the pictures without extension; None = numbers from 00000 on.
        overwrite: replace what is there.

    Raises:
        InputError: another suffix, an unknown format, something there already, or a folder with other pictures.
    """
    require_choice("--format", picture_format, get_args(PictureFormat))
    if path.suffix.lower() != ARCHIVE_SUFFIX and path.suffix and not path.is_dir():
        raise InputError(f"cannot write {path}: {path.suffix} is not {ARCHIVE_SUFFIX}; or give a folder, for pictures")
    check_target(path, source, overwrite=overwrite)
    if not path.is_dir():
        return
    own = {f"{stem}.{picture_format}" for stem in stems or _counted(frame_count)}
    for picture in sorted(path.iterdir()):
        if picture.suffix.lower() in SUFFIXES and picture.name not in own:
            raise InputError(
                f"folder {path} holds {picture.name}, which the {frame_count} maps do not replace and which would be "
                f"read as one of them; remove it or choose another folder"
            )


def write_disparity(
    disparity: DisparitySource,
    path: Path,
    *,
    picture_format: PictureFormat = "png",
    stems: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write every map of a clip; the result appears when it is complete.

    Args:
        disparity: the maps; PNG and .npz hold them on a grid of 1/65535.
        path: a ``.npz`` file (one array, ``disparity``, ``(T, H, W)`` uint16), or a folder for numbered pictures.
        picture_format: of the pictures.
        stems: their names without extension, such as the numbers of the clip's frames, by which maps are matched with
            them; None = numbers from 00000 on.
        progress: called after every map.

    Raises:
        InputError: the disk is full, or the place is not writable.
    """
    is_archive = path.suffix.lower() == ARCHIVE_SUFFIX and not path.is_dir()
    pending = PendingOutput.file(path) if is_archive else PendingOutput.folder(path)
    try:
        names = [f"{stem}.{picture_format}" for stem in stems or _counted(disparity.frame_count)]
        with _writer(pending.temporary, disparity, None if is_archive else names) as write:
            for done, values in enumerate(disparity.frames(), 1):
                write(values[0])
                if progress is not None:
                    progress(done, disparity.frame_count)
        pending.publish()
    except OSError as error:
        raise write_failure(path, error) from None
    finally:
        pending.discard()


def _counted(frame_count: int) -> list[str]:
    return [f"{index:05d}" for index in range(frame_count)]


@contextmanager
def _writer(place: Path, disparity: DisparitySource, names: Sequence[str] | None) -> Iterator[WriteMap]:
    """Writes one map after another: into an archive where no file has a name."""
    if names is None:
        with _archive(place, disparity) as write:
            yield write
        return
    left = iter(names)

    def write_picture(values: NDArray[np.float32]) -> None:
        target = place / next(left)
        if target.suffix == ".exr":
            from any2bokeh.video.image import write_exr

            write_exr(target, np.asarray(values, np.float32)[..., None], channels=("Y",), exact=("Y",))
        else:
            _write_png(target, values)

    yield write_picture


@contextmanager
def _archive(place: Path, disparity: DisparitySource) -> Iterator[WriteMap]:
    """One stored member, written frame by frame, so that memory is flat and any frame can be sought."""
    shape = (disparity.frame_count, *disparity.at(0).shape[1:])
    with zipfile.ZipFile(place, "w") as archive, archive.open("disparity.npy", "w", force_zip64=True) as member:
        header = {"descr": "<u2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)

        def write(values: NDArray[np.float32]) -> None:
            member.write(_codes(values).tobytes())

        yield write


def _codes(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.rint(np.clip(values, 0, 1) * np.float32(_FULL_SCALE)).astype(np.uint16)


def _write_png(target: Path, values: NDArray[np.float32]) -> None:
    import cv2

    encoded, picture = cv2.imencode(".png", _codes(values), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not encoded:
        raise RuntimeError(f"PNG encoder refused {values.shape}")
    target.write_bytes(picture.data)
