"""One still image: exact reading and writing of 8- and 16-bit files and EXR."""

import errno
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video.codes import normalised, quantised
from any2bokeh.video.icc import IccProfile, read_profile
from any2bokeh.video.info import ColorTags, Transfer
from any2bokeh.video.orientation import Orientation, exif_orientation
from any2bokeh.video.png import with_code_points, with_profile
from any2bokeh.video.readable_name import readable_name

_DEPTHS = {"uint8": 8, "uint16": 16, "half": 16, "float": 32}
# The largest number that half precision holds, and so the brightest pixel of most EXR files.
_HALF_MAX = 65504.0
# Attributes of an EXR file that are true of a result of the same size, too.
_KEPT_ATTRIBUTES = (
    "PixelAspectRatio", "FramesPerSecond", "smpte:TimeCode", "chromaticities", "Copyright", "ExposureTime", "FNumber",
)  # fmt: skip
_REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
_KINDS_WITH_PAGES = (".tif", ".tiff", ".webp")
_LOG_TRANSFERS = ("Printing density", "Logarithmic")

Samples = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Samples as stored, ``(H, W, 3)`` RGB, laid out as displayed: uint8, uint16 or, scene-linear, float32.

    Attributes:
        samples: grey images have three equal channels.
        bit_depth: of a sample: 8, 10, 12, 16; 16 for half and 32 for float.
        alpha: ``(H, W)`` coverage, of the type of ``samples``; None where the file has none.
        is_associated: whether ``samples`` are multiplied by ``alpha``, as in EXR; in PNG they are not.
        profile: what the code values mean, where the file says so by a profile.
        color: what they mean where the file says so by H.273 code points.
        rotation_deg: clockwise turn that the file asked for; it is applied.
        header: attributes of an EXR file that a result keeps.
        origin: left and upper end of the display window of an EXR file.
        remarks: what the user should know of what was not read, or read otherwise than meant.
    """

    samples: Samples
    bit_depth: int
    alpha: Samples | None = None
    is_associated: bool = False
    profile: IccProfile | None = None
    color: ColorTags = field(default_factory=ColorTags)
    rotation_deg: int = 0
    header: Mapping[str, Any] = field(default_factory=dict)
    origin: tuple[int, int] = (0, 0)
    remarks: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """In pixels."""
        return self.samples.shape[1]

    @property
    def height(self) -> int:
        """In pixels."""
        return self.samples.shape[0]

    @property
    def is_float(self) -> bool:
        """Whether the samples are scene-linear floats instead of code values."""
        return self.samples.dtype == np.float32

    @property
    def transfer(self) -> Transfer:
        """What the pixels mean."""
        from any2bokeh.video.color import transfer_of

        return "linear" if self.is_float else transfer_of(self.color)

    @property
    def sample_aspect(self) -> Fraction:
        """Width of a pixel over its height."""
        aspect = Fraction(float(self.header.get("PixelAspectRatio", 1))).limit_denominator(1000)
        return aspect if aspect > 0 else Fraction(1)

    @property
    def fps(self) -> Fraction | None:
        """Frames in a second, where the file says so."""
        rate = self.header.get("FramesPerSecond")
        if not isinstance(rate, tuple) or len(rate) != 2 or min(rate) < 1:
            return None
        return Fraction(*rate) if rate[0] <= 1000 * rate[1] else None

    def pixels(self) -> NDArray[np.float32]:
        """``(3, H, W)`` float32: code values in [0, 1], or linear light, finite and at most 65504."""
        pixels = np.empty((3, self.height, self.width), np.float32)
        if self.is_float:
            # One undefined pixel of a render would spread over a whole disc of blur, and one that is all but infinite
            # over whole rows: sums of 32 bits lose what lies beside it. Errors of 0.0002 along a row were seen from
            # 65504, of 0.002 from 1e6, and rows went black from 1e10.
            clean = np.nan_to_num(self.samples, nan=0.0, posinf=_HALF_MAX, neginf=0.0)
            pixels[:] = np.moveaxis(np.clip(clean, -_HALF_MAX, _HALF_MAX), 2, 0)
            return pixels
        for channel, plane in enumerate(cv2.split(self.samples)):
            normalised(plane, 8 * self.samples.itemsize, pixels[channel])
        return pixels

    def coverage(self) -> NDArray[np.float32] | None:
        """``(1, H, W)`` float32 alpha in [0, 1]; None where there is none."""
        if self.alpha is None:
            return None
        coverage = np.empty((1, self.height, self.width), np.float32)
        if self.alpha.dtype == np.float32:
            coverage[0] = np.clip(np.nan_to_num(self.alpha, nan=0.0), 0, 1)
        else:
            normalised(self.alpha, 8 * self.alpha.itemsize, coverage[0])
        return coverage

    def linear_srgb(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Linear light in the primaries of sRGB, of ``(3, H, W)`` pixels that mean what those of the image do."""
        from any2bokeh.optics.transfer import srgb_decode

        if self.transfer == "linear":
            return pixels
        if self.profile is not None and self.profile.is_understood and not self.profile.is_srgb:
            return self.profile.linear_srgb(pixels)
        return srgb_decode(pixels)

    def srgb(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Code values of sRGB of pixels that mean what those of the image do; they may lie outside of [0, 1]."""
        from any2bokeh.optics.transfer import srgb_encode

        if self.transfer == "linear" or self.is_converted:
            return srgb_encode(self.linear_srgb(pixels))
        return pixels

    def straight(self, pixels: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels that are not multiplied by alpha, ``(1, H, W)``; light where nothing is covered is lost."""
        if not self.is_associated:
            return pixels
        return np.divide(pixels, alpha, out=np.zeros_like(pixels), where=alpha > 0)

    @property
    def is_converted(self) -> bool:
        """Whether a profile makes ``srgb`` change code values."""
        return self.profile is not None and self.profile.is_understood and not self.profile.is_srgb


def read_image(path: Path, *, layer: str | None = None) -> Image:
    """Read an image in its own depth, turned as it asks for.

    Args:
        path: the file.
        layer: which layer of an EXR is the picture; None = the finished picture.

    Raises:
        InputError: if it is missing, empty, cut short or damaged, has samples of another kind, or no such layer.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from None
    if not data:
        raise InputError(f"{path} is empty (0 bytes); export it again or leave it out")
    if path.suffix.lower() == ".exr":
        return _read_exr(path, layer)
    if layer is not None:
        raise InputError(f"{path} has no layers; --layer ({layer}) is for EXR: leave it out")
    if data[:4] == b"\x89PNG" and b"IEND" not in data[-64:]:
        raise InputError(f"{path} is damaged (cut short); export it again or leave it out")
    # cv2 reads JPEG fastest, but it says why it fails on stderr only; OpenImageIO does so to the caller.
    if data[:3] == b"\xff\xd8\xff":
        return _read_jpeg(path, data)
    if data[4:8] == b"ftyp":
        return _read_heif(path, data)
    return _read_exact(path)


class ImageReader:
    """An open image file, of any kind that OpenImageIO reads in the precision of its samples; a context manager.

    Raises:
        InputError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closing = ExitStack()
        options = oiio.ImageSpec()
        # Otherwise colours come back multiplied by alpha.
        options.attribute("oiio:UnassociatedAlpha", 1)
        name = self._closing.enter_context(readable_name(path))
        source = oiio.ImageInput.open(name, options)
        if source is None:
            self._closing.close()
            reason = _one_line(oiio.geterror())
            raise InputError(f"{path} cannot be read as an image ({reason}); export it again or leave it out")
        self._source = source
        self._closing.callback(source.close)

    def image(self, index: int = 0) -> Image:
        """One of the pictures of the file.

        Raises:
            InputError: it is damaged, or has samples of another kind.
        """
        path, source = self._path, self._source
        if not source.seek_subimage(index, 0):
            raise InputError(f"{path} is damaged (frame {index} is missing); export it again or leave it out")
        spec = source.spec()
        kind = str(spec.format)
        if kind not in _DEPTHS:
            raise InputError(f"{path} has {kind} samples; allowed are 8 and 16 bit, half and float: convert it")
        samples = source.read_image(oiio.FLOAT if kind in ("half", "float") else spec.format)
        complaint = _one_line(source.geterror())
        if samples is None or complaint:
            raise InputError(f"{path} is damaged ({complaint}); export it again or leave it out")
        return _described(path, spec, samples.reshape(spec.height, spec.width, -1), _DEPTHS[kind])

    @property
    def count(self) -> int:
        """How many pictures the file holds; 1 where they are copies of it, smaller by halves."""
        count = 1
        while self._source.seek_subimage(count, 0):
            count += 1
        self._source.geterror()  # the one too many
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()


def write_png(
    path: Path,
    samples: NDArray,
    *,
    alpha: NDArray | None = None,
    profile: IccProfile | None = None,
    color: ColorTags | None = None,
) -> None:
    """Write ``(H, W, 3)`` uint8 or uint16 RGB without loss.

    Args:
        path: the file.
        samples: not multiplied by ``alpha``.
        alpha: ``(H, W)`` of the same type.
        profile, color: what the samples mean; None = sRGB.

    Raises:
        OSError: if the disk is full or the place is not writable.
    """
    # Measured on the dancer clip, 1024x576: 27 ms against 35 ms of cv2's defaults at this level, and 5% smaller.
    options = [
        cv2.IMWRITE_PNG_COMPRESSION, 1,
        cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
        cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH,
    ]  # fmt: skip
    # OpenCV's order of channels
    picture = cv2.cvtColor(samples, cv2.COLOR_RGB2BGR) if alpha is None else np.dstack([samples[:, :, ::-1], alpha])
    encoded, data = cv2.imencode(".png", picture, options)
    if not encoded:
        raise RuntimeError(f"PNG encoder refused {samples.shape} {samples.dtype}")
    if profile is None and color in (None, ColorTags()):
        path.write_bytes(data.data)
        return
    tagged = data.tobytes() if profile is None else with_profile(data.tobytes(), profile.data)
    if color is not None and color != ColorTags():
        tagged = with_code_points(tagged, color.primaries, color.transfer)
    path.write_bytes(tagged)


def write_exr(
    path: Path,
    samples: NDArray[np.floating],
    *,
    channels: Sequence[str] = ("R", "G", "B"),
    exact: Collection[str] = (),
    header: Mapping[str, Any] | None = None,
    origin: tuple[int, int] = (0, 0),
) -> None:
    """Write an EXR, scene-linear where it is colour. The same samples and header give the same bytes.

    Args:
        path: the file.
        samples: ``(H, W, C)``; float32 is clipped to what half precision holds, float16 is written as it is.
        channels: their names.
        exact: those of them in 32-bit float; the others are in half precision.
        header: attributes.
        origin: left and upper end of the display window.

    Raises:
        OSError: if the disk is full or the place is not writable.
    """
    height, width, count = samples.shape
    is_exact = [name in exact for name in channels]
    spec = oiio.ImageSpec(width, height, count, "float" if all(is_exact) else "half")
    spec.channelnames = tuple(channels)
    spec.x, spec.y = spec.full_x, spec.full_y = origin
    if any(is_exact) and not all(is_exact):
        spec.channelformats = tuple(oiio.TypeDesc("float" if each else "half") for each in is_exact)
    spec.attribute("compression", "zip")
    spec.attribute("DateTime", "")  # else the writer puts in the time of day, and no two runs give the same bytes
    for name, value in (header or {}).items():
        _set_attribute(spec, name, value)
    # Half precision has no room above; the conversion would make infinities of it.
    is_plain = all(is_exact) or samples.dtype == np.float16
    light = samples if is_plain else np.clip(samples, -_HALF_MAX, _HALF_MAX)
    with readable_name(path) as name:
        output: Any = oiio.ImageOutput.create(name)
        if not output.open(name, spec) or not output.write_image(light) or not output.close():
            raise OSError(errno.EIO, _one_line(output.geterror()))
        # What fails while a small file is flushed goes unreported, so the last line is read back.
        written = oiio.ImageInput.open(name)
        if written is None or written.read_scanline(origin[1] + height - 1, 0, "half") is None:
            raise OSError(errno.EIO, _one_line(oiio.geterror() or "the end of the file is missing"))
        written.close()


def _set_attribute(spec: oiio.ImageSpec, name: str, value: Any) -> None:
    kinds: dict[str, Any] = {
        "smpte:TimeCode": oiio.TypeTimeCode,
        "FramesPerSecond": oiio.TypeRational,
        "chromaticities": oiio.TypeDesc("float[8]"),
    }
    if name in kinds:
        spec.attribute(name, kinds[name], value)
    elif isinstance(value, int | float | str):
        spec.attribute(name, value)


def _read_exr(path: Path, wanted: str | None) -> Image:
    from any2bokeh.video.exr import beauty_layer, exr_layers, read_channels

    layers = exr_layers(path)
    layer = beauty_layer(path, layers, wanted)
    alpha = layer.alpha_channel
    found = read_channels(path, layer, [*layer.colour_channels, *([alpha] if alpha else [])])
    remarks = []
    others = [other.name or "plain" for other in layers if other != layer]
    if others:
        remarks.append(f"{path.name}: layer {layer.name or 'plain'} is read; not in the result: {', '.join(others)}")
    if found.has_overscan:
        data, display = found.data, found.display
        remarks.append(
            f"{path.name}: its overscan ({data.width}x{data.height} px of data around a display window of "
            f"{display.width}x{display.height}) is cut off; disparity and masks must be of the display window"
        )
    chromaticities = found.header.get("chromaticities")
    if chromaticities is not None and not np.allclose(chromaticities, _REC709, atol=2e-3):
        remarks.append(
            f"{path.name}: its primaries are not those of Rec. 709; EXR output keeps them and their tag, any other "
            "output takes them for Rec. 709"
        )
    values = found.values
    return Image(
        np.ascontiguousarray(values[:, :, :3]),
        16 if found.is_half else 32,
        alpha=np.ascontiguousarray(values[:, :, 3]) if alpha else None,
        is_associated=True,
        header={name: found.header[name] for name in _KEPT_ATTRIBUTES if name in found.header},
        origin=(found.display.x, found.display.y),
        remarks=tuple(remarks),
    )


def _read_jpeg(path: Path, data: bytes) -> Image:
    # Decoders fill what is missing of a JPEG with grey and call it a success.
    cut_short = data[:2] == b"\xff\xd8" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    found = None if cut_short else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise InputError(f"{path} is damaged{' (cut short)' if cut_short else ''}; export it again or leave it out")
    header, channels = _jpeg_header(data)
    is_cmyk = channels == 4
    return Image(
        np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8),
        8,
        profile=None if header is None or header.space != "RGB" else header,
        remarks=_cmyk_remark(path) if is_cmyk else _profile_remark(path, header),
    )


def _jpeg_header(data: bytes) -> tuple[IccProfile | None, int]:
    """The profile of a JPEG, and how many channels it has. Source: ITU-T T.81, B.1; ICC.1:2022, B.4."""
    at, parts, channels = 2, {}, 3
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        content = data[at + 4 : at + 2 + size]
        if marker == 0xE2 and content[:12] == b"ICC_PROFILE\0" and len(content) > 14:
            parts[content[12]] = content[14:]
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(content) > 5:
            channels = content[5]
        elif marker == 0xDA:
            break
        at += 2 + size
    return read_profile(b"".join(parts[number] for number in sorted(parts))), channels


def _read_heif(path: Path, data: bytes) -> Image:
    from any2bokeh.video.heif import read_heif

    found = read_heif(path, data)
    bits = 8 if found.bit_depth <= 8 else 16
    profile = read_profile(found.profile) if found.profile else None
    remarks = _profile_remark(path, profile)
    if profile is None and found.color.primaries not in (1, 2):
        remarks = (f"{path.name}: its primaries (H.273 code {found.color.primaries}) are taken for those of sRGB",)
    return Image(
        np.stack([quantised(plane, bits) for plane in found.pixels], axis=2),
        found.bit_depth,
        alpha=None if found.alpha is None else quantised(found.alpha[0], bits),
        is_associated=found.is_associated,
        profile=profile if profile is not None and profile.space == "RGB" else None,
        color=found.color if found.color.transfer in (16, 18) else ColorTags(),
        rotation_deg=found.rotation_deg,
        remarks=remarks,
    )


def _read_exact(path: Path) -> Image:
    with ImageReader(path) as reader:
        image = reader.image()
        pages = reader.count if path.suffix.lower() in _KINDS_WITH_PAGES else 1
    if pages == 1:
        return image
    return replace(image, remarks=(*image.remarks, f"{path.name} holds {pages} pictures; the first one is read"))


def _described(path: Path, spec: oiio.ImageSpec, samples: NDArray, bit_depth: int) -> Image:
    """What OpenImageIO says of a file, as an image."""
    coded_bits = int(spec.getattribute("oiio:BitsPerSample") or bit_depth)
    icc = spec.getattribute("ICCProfile")
    profile = None if icc is None else read_profile(np.asarray(icc, np.uint8).tobytes())
    cicp = spec.getattribute("CICP")
    color = ColorTags(int(cicp[0]), int(cicp[1])) if cicp is not None and int(cicp[1]) in (16, 18) else ColorTags()
    is_raw_grid = path.suffix.lower() in (".dpx", ".cin")
    orientation = Orientation() if is_raw_grid else exif_orientation(int(spec.getattribute("Orientation") or 1))
    alpha = samples[:, :, spec.alpha_channel] if spec.alpha_channel >= 0 else None
    remarks = [*_profile_remark(path, profile), *_other_remarks(path, spec)]
    aspect = spec.getattribute("PixelAspectRatio")
    return Image(
        np.stack([_upright(samples[:, :, channel], orientation) for channel in _rgb_channels(spec)], axis=2),
        coded_bits if bit_depth == 16 and 8 < coded_bits < 16 else bit_depth,
        alpha=None if alpha is None else _upright(alpha, orientation),
        is_associated=alpha is not None and not spec.getattribute("oiio:UnassociatedAlpha"),
        profile=profile if profile is not None and profile.space == "RGB" else None,
        color=color,
        rotation_deg=orientation.rotation_deg,
        header={} if aspect is None else {"PixelAspectRatio": 1 / aspect if orientation.transpose else aspect},
        remarks=tuple(remarks),
    )


def _upright(plane: NDArray, orientation: Orientation) -> NDArray:
    return np.ascontiguousarray(orientation.apply(plane))


def _rgb_channels(spec: oiio.ImageSpec) -> list[int]:
    names = list(spec.channelnames)
    if all(name in names for name in "RGB"):
        return [names.index(name) for name in "RGB"]
    return [0, 1, 2] if len(names) >= 3 else [0, 0, 0]


def _profile_remark(path: Path, profile: IccProfile | None) -> tuple[str, ...]:
    if profile is None or profile.is_srgb:
        return ()
    if profile.is_understood:
        return (f"{path.name}: its colour profile {profile.name} is kept in PNG; EXR and video are converted to sRGB",)
    if profile.space == "RGB":
        return (
            f"{path.name}: its colour profile {profile.name} works by tables; it is kept in PNG, and not converted",
        )
    if profile.space == "CMYK":
        return _cmyk_remark(path)
    return (f"{path.name}: its {profile.space.lower()} profile {profile.name} is left out; its values are kept",)


def _cmyk_remark(path: Path) -> tuple[str, ...]:
    return (f"{path.name} is CMYK; it is converted to RGB without its profile, so its colours are near but not right",)


def _other_remarks(path: Path, spec: oiio.ImageSpec) -> list[str]:
    remarks = []
    if spec.getattribute("dpx:Transfer") in _LOG_TRANSFERS or path.suffix.lower() == ".cin":
        remarks.append(
            f"{path.name} is log-encoded; its code values are kept, and blurred as those of sRGB, which makes "
            "highlights too dim; convert it to scene-linear EXR for true bokeh"
        )
    color_space = str(spec.getattribute("oiio:ColorSpace") or "")
    if color_space.startswith("lin") and str(spec.format) in ("uint8", "uint16"):
        remarks.append(f"{path.name} says that its {spec.format} samples are linear; they are taken as sRGB")
    if str(spec.getattribute("tiff:ColorSpace") or "").upper() == "CMYK":
        remarks += _cmyk_remark(path)
    return remarks


def _one_line(message: str) -> str:
    return " ".join(message.split())[:120]
