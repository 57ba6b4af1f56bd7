"""What the pictures of a source lose in a result, for the remark on it."""

from pathlib import Path

import av

from any2bokeh.video.alpha import alpha_bits
from any2bokeh.video.encoding import VideoCodec, source_layout
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.pixel_layout import PixelLayout, canonical_layout

_CHROMA = {(1, 1): "4:2:0", (0, 1): "4:2:2", (1, 0): "4:4:0", (0, 0): "4:4:4"}


def losses(
    path: Path, info: VideoInfo, codec: VideoCodec, pixel_format: str, size: tuple[int, int], *, is_asked_for: bool
) -> list[str]:
    """Remarks on depth, chroma, size and alpha that are not the source's.

    Args:
        path: the result.
        info: the source.
        codec: of the result.
        pixel_format: of the result, FFmpeg's name.
        size: width and height of the result.
        is_asked_for: whether the user named the codec or the pixel format.
    """
    remarks = []
    changes = _changes(info, _layout(pixel_format), size)
    if changes:
        reason = f"as {codec.name} has it" if is_asked_for else "so that players open it"
        remarks.append(f"in {path}, {', '.join(changes)}, {reason}; {_exact_kind(info)} keeps what there is")
    if alpha_bits(info.pixel_format):
        if alpha_bits(pixel_format):
            remarks.append(f"alpha of {info.path} is kept unchanged and is not blurred with the picture")
        else:
            # VP9 is written with 8 bits only.
            webm = " .webm," if info.bit_depth <= 8 else ""
            remedy = (
                "a folder of png or exr keeps it, or .mov with --codec prores"
                if info.is_sequence
                else f"write .mov with --codec prores, .mkv with --codec ffv1,{webm} or a folder of png"
            )
            remarks.append(f"alpha of {info.path} is left out of {path}; {remedy}")
    return remarks


def _changes(info: VideoInfo, written: PixelLayout, size: tuple[int, int]) -> list[str]:
    source = source_layout(info)
    changes = []
    if info.is_float:
        changes.append(f"scene-linear light becomes {written.bits} bits")
    elif info.bit_depth > written.bits:
        changes.append(f"{info.bit_depth} bits become {written.bits}")
    if source.family == written.family == "yuv" and _is_coarser(written, source):
        changes.append(f"{_CHROMA[source.subsampling]} becomes {_CHROMA[written.subsampling]}")
    if size != (info.width, info.height):
        changes.append(f"{info.width}x{info.height} becomes {size[0]}x{size[1]} (the edge is repeated)")
    return changes


def _layout(pixel_format: str) -> PixelLayout:
    video_format = av.VideoFormat(pixel_format)
    bits = max(component.bits for component in video_format.components)
    return canonical_layout(pixel_format, bits, is_rgb=video_format.is_rgb)


def _is_coarser(written: PixelLayout, source: PixelLayout) -> bool:
    return any(a > b for a, b in zip(written.subsampling, source.subsampling, strict=True))


def _exact_kind(info: VideoInfo) -> str:
    if info.is_float:
        return "a folder of exr"
    return "a folder of png" if info.is_sequence else ".mkv with --codec ffv1"
