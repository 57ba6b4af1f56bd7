"""How a pixel format lays out its samples."""

import re
from dataclasses import dataclass
from typing import Literal

Family = Literal["yuv", "rgb", "gray"]

# log2 of the chroma's (vertical, horizontal) step.
_SUBSAMPLING = {"420": (1, 1), "422": (0, 1), "444": (0, 0), "440": (1, 0)}
# Packed and semi-planar formats, and the planar one that holds the same samples.
_PLANAR_TWIN = {
    **dict.fromkeys(("nv12", "nv21", "yuva420p"), "yuv420p"),
    **dict.fromkeys(("nv16", "yuyv422", "uyvy422", "yvyu422", "yuva422p"), "yuv422p"),
    **dict.fromkeys(("nv24", "nv42", "yuva444p", "vuya", "vuyx", "ayuv", "uyva", "vyu444"), "yuv444p"),
    **dict.fromkeys(("p010le", "yuva420p10le"), "yuv420p10le"),
    **dict.fromkeys(("p210le", "y210le", "nv20le", "yuva422p10le"), "yuv422p10le"),
    **dict.fromkeys(("p410le", "xv30le", "v30xle", "yuva444p10le"), "yuv444p10le"),
    **dict.fromkeys(("p012le",), "yuv420p12le"),
    **dict.fromkeys(("p212le", "y212le", "yuva422p12le"), "yuv422p12le"),
    **dict.fromkeys(("p412le", "xv36le", "yuva444p12le"), "yuv444p12le"),
    **dict.fromkeys(("p016le", "yuva420p16le"), "yuv420p16le"),
    **dict.fromkeys(("p216le", "y216le", "yuva422p16le"), "yuv422p16le"),
    **dict.fromkeys(("p416le", "xv48le", "ayuv64le", "yuva444p16le"), "yuv444p16le"),
    **dict.fromkeys(("rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr", "pal8"), "gbrp"),
    **dict.fromkeys(("rgba", "bgra", "argb", "abgr", "gbrap"), "gbrp"),
    **dict.fromkeys(("rgb48le", "bgr48le", "rgb48be", "rgba64le", "rgba64be", "bgra64le", "gbrap16le"), "gbrp16le"),
    **dict.fromkeys(("monow", "monob", "ya8"), "gray"),
    "yuva420p9le": "yuv420p9le",
    "yuva422p9le": "yuv422p9le",
    "yuva444p9le": "yuv444p9le",
    "gbrap10le": "gbrp10le",
    "gbrap12le": "gbrp12le",
    "gbrap14le": "gbrp14le",
    "ya16le": "gray16le",
    "ya16be": "gray16le",
}


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """A planar format of integers: its family, the bits of a sample, and log2 of the chroma's steps."""

    family: Family
    bits: int
    subsampling: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """FFmpeg's name of it."""
        depth = "" if self.bits == 8 else f"{self.bits}le"
        if self.family == "gray":
            return f"gray{depth}"
        if self.family == "rgb":
            return f"gbrp{depth}"
        chroma = next(name for name, steps in _SUBSAMPLING.items() if steps == self.subsampling)
        return f"yuv{chroma}p{depth}"

    @property
    def plane_count(self) -> int:
        return 1 if self.family == "gray" else 3


def planar_layout(pixel_format: str) -> PixelLayout | None:
    """The layout of a planar format; None for any other."""
    match = re.fullmatch(r"yuvj?(420|422|444|440)p(?:(\d+)le)?", pixel_format)
    if match:
        return PixelLayout("yuv", int(match[2] or 8), _SUBSAMPLING[match[1]])
    match = re.fullmatch(r"(gbrp|gray)(?:(\d+)le)?", pixel_format)
    if match:
        return PixelLayout("rgb" if match[1] == "gbrp" else "gray", int(match[2] or 8))
    return None


def canonical_layout(pixel_format: str, bits: int, *, is_rgb: bool) -> PixelLayout:
    """The planar layout that holds the samples of any format: the same ones where it exists, else the nearest."""
    layout = planar_layout(_PLANAR_TWIN.get(pixel_format, pixel_format))
    if layout is not None:
        return layout
    if is_rgb:
        return PixelLayout("rgb", 8 if bits <= 8 else 16)
    # Rare samplings (4:1:1, 4:1:0) and byte orders: full chroma, at the next depth that exists.
    return PixelLayout("yuv", 8 if bits <= 8 else 10 if bits <= 10 else 12 if bits <= 12 else 16)
