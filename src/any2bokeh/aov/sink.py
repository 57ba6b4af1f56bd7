"""Where the pictures for compositing go."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.aov.kinds import Aov, AovRequest
from any2bokeh.aov.metadata import FocusMetadata, write_metadata
from any2bokeh.aov.pictures import defocus, focus_matte, focus_overlay
from any2bokeh.errors import InputError
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.transfer import Transfer, decode, encode
from any2bokeh.pending_output import PendingOutput, check_target, linked_into, write_failure, writing
from any2bokeh.renderers.base import Separator
from any2bokeh.renderers.layered.separation import ALPHA, FAR
from any2bokeh.shot import Shot
from any2bokeh.shot_frames import ShotFrame
from any2bokeh.video import VideoInfo
from any2bokeh.video.image import write_exr

METADATA_FILE = "focus.json"
_PARTS = ("near", "focus", "far")
_FULL_SCALE = 65535


class Picture(NamedTuple):
    """One picture of a frame.

    Attributes:
        name: of its folder, or of its channels in a file with others.
        values: ``(C, H, W)`` float32.
        channels: R, G, B, A; or Y.
        exact: in 32 bits, as it holds numbers, not light.
    """

    name: str
    values: NDArray[np.float32]
    channels: str
    exact: bool = False


class AovSink:
    """Writes the pictures of a clip in order; a context manager like ``VideoSink``.

    Folders ``NAME/00000.exr`` or ``NAME/00000.png`` and on for each picture, or ``00000.exr`` and on with all of them
    as channels ``NAME.Y`` or ``NAME.R``, numbered as the result is; and ``focus.json``. Light is linear in EXR and
    premultiplied by alpha; in PNG it is in the transfer of the source and not premultiplied, as the formats have it.

    Args:
        request: what is wanted.
        info: of the source.
        metadata: of the shot.
        separator: renders ``layers`` and ``alpha``, with the look and transfer of the result.
        widest_px: no circle of confusion of the clip is wider; the full scale of radii in PNG.
        stems: names of the files of each frame, without extension.
        overwrite: replace what is there.

    Raises:
        InputError: the folder exists with something in it, or cannot be written.
    """

    def __init__(
        self,
        request: AovRequest,
        info: VideoInfo,
        metadata: FocusMetadata,
        *,
        separator: Separator,
        widest_px: float,
        stems: Sequence[str],
        overwrite: bool,
    ) -> None:
        check_aov_target(request, info.path, stems=stems, overwrite=overwrite)
        self._request = request
        self._info = info
        self._metadata = metadata
        self._separator = separator
        self._widest_px = max(widest_px, 1.0)
        self._stems = stems
        self._pending = PendingOutput.folder(request.folder)
        self.place = self._pending.temporary
        """Where pictures are written: where the result lies until it has its name, or a folder of a segment's own."""

    @property
    def temporary(self) -> Path:
        """Where the result lies until it has its name."""
        return self._pending.temporary

    def join(self, folders: Sequence[Path]) -> None:
        """Make the result of what was written into folders of segments, which stay.

        Raises:
            InputError: the disk is full.
        """
        with writing(self._request.folder):
            for folder in folders:
                linked_into(folder, self.temporary)

    def write(self, shot_frame: ShotFrame, rendered: NDArray[np.float32]) -> None:
        """Write the pictures of the next frame.

        Args:
            shot_frame: what was rendered.
            rendered: ``(3, H, W)`` the result, in the transfer of the source.

        Raises:
            InputError: the disk is full or went away.
        """
        pictures = self._pictures(shot_frame, rendered)
        try:
            if self._request.format == "exr-channels":
                light = decode(rendered, self._source_transfer)
                self._write_channels([Picture("", light, "RGB"), *pictures], shot_frame.frame.index)
            else:
                for picture in pictures:
                    self._write_one(picture, shot_frame.frame.index)
        except OSError as error:
            raise write_failure(self._request.folder, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                write_metadata(self._pending.temporary / METADATA_FILE, self._metadata, more=self._units())
                self._pending.publish()
        finally:
            self._pending.discard()

    @property
    def _source_transfer(self) -> Transfer:
        return self._info.transfer

    def _stem(self, index: int) -> str:
        """File name without extension of a frame of the source."""
        return self._stems[index - self._metadata.shot.start]

    def _units(self) -> dict[str, Any]:
        """What the numbers in the files stand for."""
        units: dict[str, Any] = {"aov": list(self._request.kinds), "format": self._request.format}
        if self._request.format == "png":
            units["png"] = {
                "coc": f"code / {_FULL_SCALE} * {self._widest_px:g} px",
                "defocus": f"(code / {_FULL_SCALE} * 2 - 1) * {self._widest_px:g} px",
                "widest_px": self._widest_px,
            }
        return units

    def _pictures(self, shot_frame: ShotFrame, rendered: NDArray[np.float32]) -> list[Picture]:
        given = shot_frame.given
        kinds = self._request.kinds
        parts = self._separator.render_separated(given) if {"alpha", "layers"} & set(kinds) else None

        def layers() -> list[Picture]:
            assert parts is not None
            return [Picture(name, part, "RGBA") for name, part in zip(_PARTS, parts, strict=True)]

        def alpha() -> list[Picture]:
            assert parts is not None
            return [Picture("alpha", 1 - parts[FAR, ALPHA : ALPHA + 1], "A")]

        def overlay() -> list[Picture]:
            shown = encode(rendered, "srgb") if self._source_transfer == "linear" else rendered
            return [Picture("focus-overlay", focus_overlay(given, shown), "RGB")]

        made: Mapping[Aov, Callable[[], list[Picture]]] = {
            "coc": lambda: [Picture("coc", np.abs(defocus(given)), "Y", exact=True)],
            "defocus": lambda: [Picture("defocus", defocus(given), "Y", exact=True)],
            "focus-matte": lambda: [Picture("focus-matte", focus_matte(given), "A")],
            "focus-overlay": overlay,
            "disparity": lambda: [Picture("disparity", shot_frame.disparity, "Y", exact=True)],
            "alpha": alpha,
            "layers": layers,
        }
        return [picture for kind in kinds for picture in made[kind]()]

    def _write_channels(self, pictures: list[Picture], index: int) -> None:
        channels, exact, planes = [], [], []
        for picture in pictures:
            prefix = picture.name.replace("-", "_")
            for channel, plane in zip(picture.channels, self._as_light(picture), strict=True):
                name = f"{prefix}.{channel}" if prefix else channel
                channels.append(name)
                planes.append(plane)
                if picture.exact:
                    exact.append(name)
        target = self.place / f"{self._stem(index)}.exr"
        write_exr(target, np.stack(planes, axis=2), channels=channels, exact=exact, header=self._metadata.header(index))

    def _write_one(self, picture: Picture, index: int) -> None:
        folder = self.place / picture.name
        folder.mkdir(exist_ok=True)
        if self._request.format == "png":
            _write_png16(folder / f"{self._stem(index)}.png", self._as_codes(picture))
            return
        # A single channel is called Y, which every program shows as grey.
        channels = picture.channels if len(picture.channels) > 1 else "Y"
        write_exr(
            folder / f"{self._stem(index)}.exr",
            np.ascontiguousarray(np.moveaxis(self._as_light(picture), 0, 2)),
            channels=tuple(channels),
            exact=tuple(channels) if picture.exact else (),
            header=self._metadata.header(index),
        )

    def _as_light(self, picture: Picture) -> NDArray[np.float32]:
        """EXR holds linear light: the overlay is made of code values, and parts are, of a renderer that blurs them."""
        if picture.name == "focus-overlay":
            return decode(picture.values, "srgb")
        if picture.channels == "RGBA" and self._separator.transfer == "none":
            alpha = np.maximum(picture.values[ALPHA:], np.float32(1e-6))
            light = decode(picture.values[:ALPHA] / alpha, self._source_transfer) * alpha
            return np.concatenate([light, picture.values[ALPHA:]])
        return picture.values

    def _as_codes(self, picture: Picture) -> NDArray[np.float32]:
        """Values in [0, 1], as PNG holds them."""
        values = picture.values
        if picture.name == "coc":
            return values / np.float32(self._widest_px)
        if picture.name == "defocus":
            return values / np.float32(2 * self._widest_px) + np.float32(0.5)
        if picture.channels == "RGBA":
            alpha = values[ALPHA:]
            plain = values[:ALPHA] / np.maximum(alpha, np.float32(1e-6))
            codes = plain if self._separator.transfer == "none" else encode(plain, self._png_transfer)
            return np.concatenate([codes, alpha]).astype(np.float32, copy=False)
        return values

    @property
    def _png_transfer(self) -> Transfer:
        return "srgb" if self._source_transfer == "linear" else self._source_transfer


def check_aov_target(request: AovRequest, source: Path, *, stems: Sequence[str], overwrite: bool) -> None:
    """Refuse a folder that the pictures cannot be written to.

    Args:
        request: what will be written.
        source: what is refocused, which must not be overwritten.
        stems: names of the files of each frame that will be written, without extension.
        overwrite: replace what is there.

    Raises:
        InputError: it has a suffix, is a file, exists with something in it that is not replaced, or cannot be written.
    """
    folder = request.folder
    if folder.suffix or folder.is_file():
        raise InputError(f"AOVs cannot be written to {folder}; give the name of a folder")
    check_target(folder, source, overwrite=overwrite)
    if not folder.is_dir():
        return
    suffix = "png" if request.format == "png" else "exr"
    places = [Path()] if request.format == "exr-channels" else [Path(name) for name in folders_of(request.kinds)]
    own = {Path(METADATA_FILE)} | {place / f"{stem}.{suffix}" for place in places for stem in stems}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith(".") and file.relative_to(folder) not in own:
            raise InputError(
                f"folder {folder} holds {file.relative_to(folder)}, which the result does not replace; remove it or "
                "choose another folder with --aov-output"
            )


def folders_of(kinds: Sequence[Aov]) -> list[str]:
    """Names of the folders that pictures go to."""
    return [name for kind in kinds for name in (_PARTS if kind == "layers" else (kind,))]


def widest_px(shot: Shot) -> float:
    """No circle of confusion of the clip that a shot is part of is wider, px of its frames."""
    info, range_ = shot.source.info, shot.recipe.focus_range
    widest = shot.strongest_blur * max(range_.near, range_.far)
    return min(widest, range_.max_radius_px) * max(info.width, info.height) / REFERENCE_LONG_SIDE_PX


def _write_png16(path: Path, codes: NDArray[np.float32]) -> None:
    samples = np.rint(np.clip(np.moveaxis(codes, 0, 2), 0, 1) * _FULL_SCALE).astype(np.uint16)
    if samples.shape[2] >= 3:
        samples = cv2.cvtColor(samples, cv2.COLOR_RGBA2BGRA if samples.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", samples, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not encoded:
        raise RuntimeError(f"PNG encoder refused {samples.shape}")
    path.write_bytes(data.data)
