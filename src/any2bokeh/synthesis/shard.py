"""A clip on disk: one safetensors file whose header says what is in it.

| tensor | dtype | meaning |
|---|---|---|
| ``frames``, ``bokeh`` | ``(T, 3, H, W)`` uint8 | code values x 255 |
| ``disparity`` | ``(T, 1, H, W)`` uint16 | disparity x 65535 |
| ``masks`` | ``(T, S, H, W)`` uint8 | share of the pixel x 255 |
| ``focus_disparity``, ``blur_strength`` | ``(T,)`` float64 | as they are |

The header's metadata holds, under ``any2bokeh-clip``, a JSON object of ``version`` and ``about``, the clip's own
description. The same clip gives the same bytes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.pending_output import PendingOutput, writing
from any2bokeh.synthesis.clip import SyntheticClip

FORMAT = "any2bokeh-clip"
VERSION = 1
SUFFIX = ".safetensors"

_LEVELS = {"frames": 255, "bokeh": 255, "disparity": 65535, "masks": 255}
_EXACT = ("focus_disparity", "blur_strength")


def write(path: str | Path, clip: SyntheticClip) -> None:
    """Write a clip; the file appears under its name only when it is complete, and replaces what stood there.

    Raises:
        InputError: the path has another suffix, or cannot be written.
    """
    from safetensors.numpy import save

    path = Path(path)
    if path.suffix != SUFFIX:
        raise InputError(f"{path} is no name of a shard; it must end in {SUFFIX}")
    tensors: dict[str, NDArray[Any]] = {name: _codes(getattr(clip, name), most) for name, most in _LEVELS.items()}
    tensors |= {name: np.ascontiguousarray(getattr(clip, name), np.float64) for name in _EXACT}
    # One entry: safetensors keeps several in no fixed order.
    metadata = {FORMAT: json.dumps({"version": VERSION, "about": dict(clip.about)}, sort_keys=True)}
    pending = PendingOutput.file(path)
    try:
        with writing(path):
            pending.temporary.write_bytes(save(tensors, metadata=metadata))
        pending.publish()
    finally:
        pending.discard()


def read(path: str | Path, start: int = 0, stop: int | None = None) -> SyntheticClip:
    """Read the frames ``start <= t < stop`` of a shard; what lies outside is not read.

    Raises:
        InputError: missing, damaged, not a shard of clips, of another version, or without these frames.
    """
    path = Path(path)
    with _opened(path) as file:
        about = _check_header(path, file.metadata() or {})
        count = int(file.get_slice("frames").get_shape()[0])
        end: int = count if stop is None else stop
        if not 0 <= start < end <= count:
            raise InputError(f"frames {start} to {end} are not in {path}, which has {count}; ask for fewer")
        parts = {name: file.get_slice(name)[start:end] for name in (*_LEVELS, *_EXACT)}
    for name, most in _LEVELS.items():
        parts[name] = parts[name].astype(np.float32) / np.float32(most)
    return SyntheticClip(**parts, about=about)


def frame_count(path: str | Path) -> int:
    """Frames of a shard, from its header alone. Raises as :func:`read` does."""
    with _opened(Path(path)) as file:
        _check_header(Path(path), file.metadata() or {})
        return file.get_slice("frames").get_shape()[0]


def about(path: str | Path) -> dict[str, Any]:
    """How the clip of a shard was made, from its header alone. Raises as :func:`read` does."""
    with _opened(Path(path)) as file:
        return _check_header(Path(path), file.metadata() or {})


def name(index: int) -> str:
    """File name of clip ``index`` of a set."""
    return f"{index:05d}{SUFFIX}"


class ShardFolder:
    """The clips of a folder of shards, in the order of their names.

    Raises:
        InputError: no such folder, no shards in it, a shard that :func:`read` refuses, or shards of unlike length.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise InputError(f"there is no folder {folder}; make one with: any2bokeh synth {folder}")
        self.paths = sorted(path for path in self.folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
        if not self.paths:
            raise InputError(f"{folder} holds no clips (*{SUFFIX}); make some with: any2bokeh synth {folder}")
        counts = {path: frame_count(path) for path in self.paths}
        self.frame_count = counts[self.paths[0]]
        for path, count in counts.items():
            if count != self.frame_count:
                raise InputError(
                    f"{path} has {count} frames but {self.paths[0].name} has {self.frame_count}; "
                    "keep clips of one length in a folder"
                )

    def __len__(self) -> int:
        return len(self.paths)

    def clip(self, index: int, start: int = 0, stop: int | None = None) -> SyntheticClip:
        """Frames ``start <= t < stop`` of the clip at ``index``."""
        return read(self.paths[index], start, stop)


def _codes(values: NDArray[np.float32], most: int) -> NDArray[Any]:
    rounded = np.clip(values, 0, 1) * np.float32(most) + np.float32(0.5)
    # In C order: safetensors writes memory as it lies, and a transposed array would be read back scrambled.
    return np.ascontiguousarray(rounded, np.uint8 if most == 255 else np.uint16)


def _opened(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"there is no shard {path}; check the name")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path} is damaged or no safetensors file ({reason}); make it again") from None


def _check_header(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    if FORMAT not in metadata:
        raise InputError(f"{path} holds no clip of any2bokeh; give shards made by any2bokeh synth")
    header = json.loads(metadata[FORMAT])
    if header["version"] != VERSION:
        raise InputError(
            f"{path} is a shard of version {header['version']}; this release reads version {VERSION}: "
            "make it again with any2bokeh synth"
        )
    return header["about"]
