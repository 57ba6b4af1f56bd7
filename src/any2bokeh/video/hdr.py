"""HDR10 metadata: the display that a clip was graded on, and how bright it gets."""

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from av.sidedata.sidedata import Type as SideDataType

# AVMasteringDisplayMetadata of FFmpeg: red, green, blue and white point as x, y, then the darkest and the brightest
# luminance, each a fraction of two 32-bit integers; then whether there are primaries, and luminances.
_MASTERING = struct.Struct("20i2i")
_LIGHT_LEVEL = struct.Struct("2I")
# Units of the metadata in the stream. Source: ITU-T H.265, D.3.28.
_CHROMATICITY, _LUMINANCE = 50_000, 10_000
# Codecs whose encoders take the metadata, the name of their parameters, and of the two within them.
_PARAMETERS = {
    "hevc": ("x265-params", "master-display", "max-cll"),
    "h264": ("x264-params", "mastering-display", "cll"),
}
_DYNAMIC = {
    "DYNAMIC_HDR_PLUS": "HDR10+ metadata",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "DOVI_METADATA": "Dolby Vision metadata",
    "DYNAMIC_HDR_VIVID": "HDR Vivid metadata",
    "AMBIENT_VIEWING_ENVIRONMENT": "ambient viewing environment",
}


@dataclass(frozen=True, slots=True)
class HdrMetadata:
    """What a clip says of its brightness.

    Attributes:
        mastering: primaries in the order red, green, blue, white as x, y, then the darkest and the brightest luminance
            in cd/m²; None where it is not told.
        light_level: brightest pixel and brightest frame average, in cd/m²; None where it is not told.
        dynamic: what there is that changes from frame to frame or shot to shot, by its name.
    """

    mastering: tuple[Fraction, ...] | None = None
    light_level: tuple[int, int] | None = None
    dynamic: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "HdrMetadata":
        """What a decoded frame carries."""
        held: Any = frame.side_data
        return cls(
            _mastering(held.get(SideDataType.MASTERING_DISPLAY_METADATA)),
            _light_level(held.get(SideDataType.CONTENT_LIGHT_LEVEL)),
            tuple(sorted({name for kind, name in _DYNAMIC.items() if held.get(SideDataType[kind])})),
        )

    def encoder_parameters(self, codec: str) -> dict[str, str]:
        """The metadata as parameters of a codec's encoder; empty where it takes none."""
        if codec not in _PARAMETERS:
            return {}
        _, display, light = _PARAMETERS[codec]
        found = {}
        if self.mastering is not None:
            red, green, blue, white, luminance = (
                tuple(round(value * unit) for value in self.mastering[at : at + 2])
                for at, unit in (
                    (0, _CHROMATICITY),
                    (2, _CHROMATICITY),
                    (4, _CHROMATICITY),
                    (6, _CHROMATICITY),
                    (8, _LUMINANCE),
                )
            )
            darkest, brightest = luminance
            found[display] = (
                f"G({green[0]},{green[1]})B({blue[0]},{blue[1]})R({red[0]},{red[1]})WP({white[0]},{white[1]})"
                f"L({brightest},{darkest})"
            )
        if self.light_level is not None:
            found[light] = f"{self.light_level[0]},{self.light_level[1]}"
        return found

    def left_out(self, codec: str) -> tuple[str, ...]:
        """Names of what a result in this codec does not carry."""
        static = []
        if codec not in _PARAMETERS:
            static += ["mastering display"] * (self.mastering is not None)
            static += ["MaxCLL and MaxFALL"] * (self.light_level is not None)
        return (*static, *self.dynamic)


def _mastering(data: Any) -> tuple[Fraction, ...] | None:
    if data is None or len(bytes(data)) < _MASTERING.size:
        return None
    *numbers, has_primaries, has_luminance = _MASTERING.unpack(bytes(data)[: _MASTERING.size])
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    # Encoders take both or neither.
    if not has_primaries or not has_luminance or any(below == 0 for _, below in pairs):
        return None
    return tuple(Fraction(above, below) for above, below in pairs)


def _light_level(data: Any) -> tuple[int, int] | None:
    if data is None or len(bytes(data)) < _LIGHT_LEVEL.size:
        return None
    return _LIGHT_LEVEL.unpack(bytes(data)[: _LIGHT_LEVEL.size])
