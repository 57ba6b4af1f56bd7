"""Pictures from folders: the layouts of the public matting sets, any RGBA, and any folder of backgrounds.

| layout | found by |
|---|---|
| VideoMatte240K | ``fgr/`` and ``pha/`` with videos or folders of frames of the same names |
| AM-2k, P3M-10k and the like | pictures (``original``, ``fg``, ``image``...) beside mattes (``mask``, ``alpha``...) |
| RGBA | pictures with an alpha channel, anywhere below the folder |

Pictures and mattes have the same names. Of a set that is split, give the folder of one part.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.synthesis.picture import Picture

STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")

# In order of preference: sets that ship foreground colours beside the originals look better cut out with those.
_PICTURE_FOLDERS = ("fgr", "fg", "foreground", "original", "blurred_image", "image", "images", "img", "com", "merged")
_MATTE_FOLDERS = ("pha", "alpha", "alphas", "mask", "masks", "matte", "mattes")

_OPAQUE_LEAST = 4 / 255  # a matte that nowhere falls below this is none


@dataclass(frozen=True, slots=True)
class _Pair:
    """A picture and its matte: files, or folders of frames. ``matte`` is None for RGBA."""

    picture: Path
    matte: Path | None


class FolderSubjects:
    """Subjects cut out of the pictures and videos of a folder.

    Raises:
        InputError: no such folder, nothing in it, or pictures without mattes.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = _existing(Path(folder))
        self.pairs = _pairs(self.folder)

    @property
    def description(self) -> str:
        """The folder's own name, and how much is in it."""
        return f"{self.folder.resolve().name}: {len(self.pairs)} subjects"

    def picture(self, rng: np.random.Generator, long_side_px: int, frame_count: int) -> Picture:
        """One of them, at times mirrored, cropped to what is not clear; of a video, ``frame_count`` frames at most.

        Raises:
            InputError: a matte of another size than its picture, without anything clear or anything opaque, a
                file that cannot be read.
        """
        pair = self.pairs[int(rng.integers(len(self.pairs)))]
        place, mirrored = float(rng.uniform()), rng.uniform() < 0.5
        if pair.matte is None:
            rgba = _read(pair.picture, cv2.IMREAD_UNCHANGED)
            code, alpha = rgba[None, ..., :3], rgba[None, ..., 3]
        else:
            code = _frames(pair.picture, place, frame_count)
            alpha = _frames(pair.matte, place, frame_count)[..., 0]
        count = min(len(code), len(alpha))
        code, alpha = code[:count], alpha[:count]
        if code.shape[1:3] != alpha.shape[1:]:
            raise InputError(
                f"matte {pair.matte} is {alpha.shape[2]}x{alpha.shape[1]} but its picture is "
                f"{code.shape[2]}x{code.shape[1]}; export them alike"
            )
        if alpha.min() > _OPAQUE_LEAST or alpha.max() < 0.5:
            what = "clear" if alpha.max() >= 0.5 else "opaque"
            raise InputError(f"matte of {pair.picture} has nothing {what} in it; give pictures of cut-out subjects")
        code, alpha = _cropped(code, alpha)
        if mirrored:
            code, alpha = code[:, :, ::-1], alpha[:, :, ::-1]
        return Picture(_resized(code, long_side_px), _resized(alpha, long_side_px), name=pair.picture.name)


class FolderBackgrounds:
    """Backgrounds: the pictures and videos of a folder and the folders in it.

    Raises:
        InputError: no such folder, or nothing in it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = _existing(Path(folder))
        self.paths = [path for path in _below(self.folder) if path.suffix.lower() in STILL_SUFFIXES + VIDEO_SUFFIXES]
        if not self.paths:
            raise InputError(f"{folder} holds no pictures or videos; give a folder of backgrounds")

    @property
    def description(self) -> str:
        """The folder's own name, and how much is in it."""
        return f"{self.folder.resolve().name}: {len(self.paths)} backgrounds"

    def picture(self, rng: np.random.Generator, long_side_px: int, frame_count: int) -> Picture:
        """One of them, at times mirrored; of a video a single frame.

        Raises:
            InputError: a file that cannot be read.
        """
        path = self.paths[int(rng.integers(len(self.paths)))]
        code = _frames(path, float(rng.uniform()), 1)
        if rng.uniform() < 0.5:
            code = code[:, :, ::-1]
        code = _resized(code, long_side_px)
        return Picture(code, np.ones(code.shape[:3], np.float32), name=path.name)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; check the name")
    return folder


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _pairs(folder: Path) -> list[_Pair]:
    named = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    mattes = next((named[name] for name in _MATTE_FOLDERS if name in named), None)
    pictures = next((named[name] for name in _PICTURE_FOLDERS if name in named), None)
    if mattes is not None and pictures is not None:
        return _matched(pictures, mattes)
    if mattes is not None or any(name in named for name in ("fgr", "original")):
        one, other = ("mattes", "pictures") if mattes is not None else ("pictures", "mattes")
        wanted = _PICTURE_FOLDERS if mattes is not None else _MATTE_FOLDERS
        raise InputError(f"{folder} has a folder of {one} but none of {other}; add one called {', '.join(wanted[:4])}")
    stills = [path for path in _below(folder) if path.suffix.lower() in STILL_SUFFIXES]
    if not stills:
        raise InputError(
            f"{folder} holds no pictures; give RGBA pictures, or folders fgr and pha, or original and mask"
        )
    for path in stills:
        if not _has_alpha(path):
            raise InputError(
                f"{path} has no alpha channel; give RGBA pictures, or mattes of the same names in a folder called mask"
            )
    return [_Pair(path, None) for path in stills]


def _matched(pictures: Path, mattes: Path) -> list[_Pair]:
    of_name = {_name(path, mattes): path for path in _items(mattes)}
    pairs = []
    for path in _items(pictures):
        matte = of_name.get(_name(path, pictures))
        if matte is None:
            raise InputError(f"{path} has no matte in {mattes}; add one of the same name or leave the picture out")
        pairs.append(_Pair(path, matte))
    if not pairs:
        raise InputError(f"{pictures} is empty; put pictures, videos or folders of frames there")
    return pairs


def _items(folder: Path) -> list[Path]:
    """Pictures, videos, and folders that hold the frames of a clip. Stills lie in the given folder itself."""
    items = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            stills = [child for child in path.iterdir() if child.suffix.lower() in STILL_SUFFIXES]
            items += [path] if stills else _items(path)
        elif path.suffix.lower() in STILL_SUFFIXES + VIDEO_SUFFIXES:
            items.append(path)
    return items


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder).with_suffix("")) if path.is_file() else str(path.relative_to(folder))


def _has_alpha(path: Path) -> bool:
    import OpenImageIO as oiio

    source = oiio.ImageInput.open(str(path))
    if source is None:
        reason = " ".join(oiio.geterror().split())[:120]
        raise InputError(f"{path} cannot be read as a picture ({reason}); export it again or leave it out")
    names = list(source.spec().channelnames)
    source.close()
    return "A" in names


def _frames(path: Path, place: float, count: int) -> NDArray[np.float32]:
    """``(F, h, w, 3)`` code values: a still, or at most ``count`` frames that begin at share ``place`` of the rest."""
    if path.is_file() and path.suffix.lower() in STILL_SUFFIXES:
        return _read(path, cv2.IMREAD_COLOR)[None]
    from any2bokeh.video import open_source

    with open_source(path) as source:
        total = source.info.frame_count
        start = int(place * max(total - count, 0))
        frames = [frame.pixels.transpose(1, 2, 0) for frame in source.frames(start, min(start + count, total))]
    return np.stack(frames)


def _read(path: Path, mode: int) -> NDArray[np.float32]:
    """``(h, w, 3 or 4)`` code values in [0, 1], RGB or RGBA."""
    found = cv2.imdecode(np.fromfile(path, np.uint8), mode)
    if found is None:
        raise InputError(f"{path} is damaged or no picture; export it again or leave it out")
    most = 65535 if found.dtype == np.uint16 else 255
    order = cv2.COLOR_BGR2RGB if found.shape[-1] == 3 else cv2.COLOR_BGRA2RGBA
    return np.asarray(cv2.cvtColor(found, order), np.float32) / np.float32(most)


def _cropped(code: NDArray[np.float32], alpha: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both cut to where the matte is not clear in some frame."""
    seen = alpha.max(axis=0) > _OPAQUE_LEAST
    rows, columns = np.nonzero(seen.any(axis=1))[0], np.nonzero(seen.any(axis=0))[0]
    part = (slice(None), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return code[part], alpha[part]


def _resized(values: NDArray[np.float32], long_side_px: int) -> NDArray[np.float32]:
    """Each frame shrunk until its longer side has ``long_side_px`` at most."""
    height, width = values.shape[1:3]
    scale = min(1.0, long_side_px / max(height, width))
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    shrunk = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in np.ascontiguousarray(values)]
    return np.stack(shrunk).astype(np.float32)
