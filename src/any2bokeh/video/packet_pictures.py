"""How many pictures a packet holds, as far as its first bytes tell."""

from collections.abc import Callable

from any2bokeh.video.h264_fields import FieldCounter

Packet = bytes | memoryview

# Codecs whose every packet is one picture: intra-only ones, and those whose containers must cut them so.
_ONE_EACH = {
    *("apv", "av1", "bmp", "cfhd", "cinepak", "dnxhd", "dvvideo", "exr", "ffv1", "ffvhuff", "gif", "hap", "hevc"),
    *("huffyuv", "jpeg2000", "jpegls", "libaom-av1", "libdav1d", "ljpeg", "magicyuv", "mjpeg", "mjpegb", "png"),
    *("prores", "prores_raw", "qtrle", "rawvideo", "tiff", "utvideo", "v210", "v308", "v408", "v410", "vvc", "webp"),
    *("yuv4", "zlib"),
}
_VOP = b"\0\0\1\xb6"
# A picture that is not coded, which stands for one that came with the packet before, takes 7 bytes or so.
_PLACEHOLDER_BYTES = 10


def picture_counter(codec: str, extradata: bytes | None) -> Callable[[Packet], int | None] | None:
    """What counts the shown pictures of a packet: 0, 1 or, where only the decoder can tell, None.

    None for a codec whose packets do not tell at all.
    """
    if codec == "h264":
        fields = FieldCounter(extradata)
        return fields if fields.may_hold_fields else _one
    return _COUNTERS.get(codec) or (_one if codec in _ONE_EACH else None)


def _one(packet: Packet) -> int:
    return 1


def _vp8(packet: Packet) -> int:
    """Alternative reference frames have packets of their own and are not shown. Source: RFC 6386, 9.1."""
    return packet[0] >> 4 & 1


def _vp9(packet: Packet) -> int:
    """Most writers pack hidden frames with the next shown one; some do not. Source: VP9 bitstream, 6.2 and annex B."""
    if packet[-1] >> 5 == 0b110:  # a superframe, which ends with a shown frame
        return 1
    last = 0 if packet[0] >> 4 & 3 == 3 else 1  # profile 3 has a reserved bit more
    shows_existing, shows = packet[0] >> (last + 2) & 1, packet[0] >> last & 1
    return shows_existing or shows


def _mpeg4(packet: Packet) -> int | None:
    """Packed B-frames: two pictures in a packet, then a placeholder."""
    data = bytes(packet)
    return 1 if data.count(_VOP) == 1 and len(data) > _PLACEHOLDER_BYTES else None


_COUNTERS: dict[str, Callable[[Packet], int | None]] = {
    "vp8": _vp8,
    "libvpx": _vp8,
    "vp9": _vp9,
    "libvpx-vp9": _vp9,
    "mpeg4": _mpeg4,
}
