"""How the result is encoded, and what each codec holds."""

from dataclasses import dataclass
from typing import Literal, get_args

from any2bokeh.errors import InputError, require_choice
from any2bokeh.video.info import VideoInfo
from any2bokeh.video.pixel_layout import PixelLayout, canonical_layout, planar_layout

# What phones, browsers and televisions decode of H.264 and HEVC; .mkv is for players that decode everything.
_PLAYED_BITS = 10
_PLAYED_EXTENSIONS = (".mp4", ".mov")

Codec = Literal["auto", "h264", "hevc", "prores", "ffv1", "vp9", "png", "exr", "rawvideo"]
SoundPolicy = Literal["auto", "copy", "aac", "none"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the result is encoded. The defaults are visually lossless.

    Attributes:
        codec: ``auto`` is vp9 for .webm, else h264 for 8-bit sources and hevc of 10 bits for deeper ones (players
            decode 10-bit H.264 rarely, 10-bit HEVC widely); in .mp4 and .mov with 4:2:0 chroma and even sides, unless
            ``quality`` is 0; png for folders, or exr if the source is EXR; ``rawvideo`` is for standard output.
        quality: constant rate factor of h264, hevc and vp9, quantiser of prores; lower is better, None = default.
        preset: the encoder's own name: a speed of h264 and hevc (``fast``), 0..8 of vp9, a profile of prores
            (``standard``); None = default.
        pixel_format: FFmpeg's name of one; None = the source's own, or the nearest that the codec holds, but see
            ``codec``.
        threads: of the encoder; None = half of the processor's, since the renderer wants the rest.
        sound: ``auto`` copies the packets and converts only what the container cannot hold (to AAC of 256 kb/s in
            stereo, in .webm to Opus of 192 kb/s), ``copy`` refuses then, ``aac`` converts whatever is not AAC (in
            .webm Opus) already, ``none`` leaves the sound out.
    """

    codec: Codec = "auto"
    quality: int | None = None
    preset: str | None = None
    pixel_format: str | None = None
    threads: int | None = None
    sound: SoundPolicy = "auto"

    def __post_init__(self) -> None:
        require_choice("codec", self.codec, get_args(Codec))
        require_choice("sound", self.sound, get_args(SoundPolicy))
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads is {self.threads}; give 1 or more")


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """What one codec of video files holds, and how it is run by default."""

    name: str
    encoder: str
    extensions: tuple[str, ...]
    bits: tuple[int, ...]
    # Chroma that the encoder takes; the last is what richer sources become.
    chroma: tuple[str, ...]
    # Whether 4:2:0 and 4:2:2 pictures may have odd sides. H.264 and HEVC crop in whole chroma samples, so they keep an
    # odd side exactly with full chroma only; FFmpeg's ProRes encoder spoils the last column of an odd width.
    odd_sides: bool
    # The encoder's own range, best first; None where there is nothing to choose.
    qualities: tuple[int, int] | None
    default_quality: int
    default_preset: str | None


# The defaults come from measurements on the dancer clip (1024x576, grainy, one thread; PSNR of luma):
#   h264    superfast without CABAC, crf 15: 6 ms a frame, 43.5 dB, 37 kB. With CABAC 9 ms, and 39 kB at crf 14, 32 kB
#           at crf 16; at crf 16 veryfast 15 ms, 43.2 dB, 28 kB, and medium 41 ms, 45.7 dB, 27 kB.
#   hevc    superfast: 66 ms, 45.5 dB, 36 kB at crf 14, 58 ms, 43.3 dB, 27 kB at crf 17; ultrafast there 36 ms,
#           41.4 dB, 29 kB.
#   vp9     real-time 6, crf 16: 21 ms, 44.3 dB, 41 kB; "good" 4: 97 ms, 44.4 dB, 37 kB.
#   prores  hq with quantiser 4: 11 ms, 53.8 dB, 338 kB; with its search for a rate 66 ms, 51.5 dB, 340 kB.
VIDEO_CODECS = {
    codec.name: codec
    for codec in (
        VideoCodec(
            "h264", "libx264", (".mp4", ".mov", ".mkv"), bits=(8, 10), chroma=("420", "422", "444"), odd_sides=False,
            qualities=(0, 51), default_quality=15, default_preset="superfast",
        ),
        VideoCodec(
            "hevc", "libx265", (".mp4", ".mov", ".mkv"), bits=(8, 10, 12), chroma=("420", "422", "444"),
            odd_sides=False, qualities=(0, 51), default_quality=16, default_preset="superfast",
        ),
        VideoCodec(
            "prores", "prores_ks", (".mov", ".mkv"), bits=(10,), chroma=("422", "444"), odd_sides=False,
            qualities=(1, 31), default_quality=4, default_preset="hq",
        ),
        VideoCodec(
            "ffv1", "ffv1", (".mkv",), bits=(8, 9, 10, 12, 14, 16), chroma=("420", "422", "440", "444", "rgb", "gray"),
            odd_sides=True, qualities=None, default_quality=0, default_preset=None,
        ),
        VideoCodec(
            "vp9", "libvpx-vp9", (".webm", ".mkv", ".mp4"), bits=(8,), chroma=("420", "422", "440", "444"),
            odd_sides=True, qualities=(0, 63), default_quality=16, default_preset="6",
        ),
    )
}  # fmt: skip

Y4M = VideoCodec(
    "y4m", "rawvideo", (".y4m",), bits=(8, 10), chroma=("420", "422", "444"), odd_sides=False, qualities=None,
    default_quality=0, default_preset=None,
)  # fmt: skip
"""Raw frames for a pipe. FFmpeg reads odd sides wrongly where they have 10 bits, so they are given full chroma."""
_Y4M_FORMATS: tuple[str, ...] = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")


def choose_codec(encoding: Encoding, info: VideoInfo, extension: str) -> VideoCodec:
    """The codec for a file with this extension.

    Raises:
        InputError: if the container cannot hold the codec.
    """
    name = encoding.codec
    if extension in Y4M.extensions:
        for option, value in (("codec", None if name == "auto" else name), ("quality", encoding.quality)):
            if value is not None:
                raise InputError(f"{option} is {value}, but raw frames for a pipe are not compressed; leave it out")
        return Y4M
    if name == "auto":
        # WebM holds nothing else of what we write.
        name = "vp9" if extension == ".webm" else "h264" if info.bit_depth <= 8 else "hevc"
    if name == "rawvideo":
        raise InputError(f"codec rawvideo is for standard output (-o -), not for {extension}; choose another one")
    if name not in VIDEO_CODECS:
        raise InputError(f"codec {name} is for folders, not for {extension}; choose {', '.join(VIDEO_CODECS)}")
    codec = VIDEO_CODECS[name]
    if extension not in codec.extensions:
        held = [other.name for other in VIDEO_CODECS.values() if extension in other.extensions]
        raise InputError(
            f"{extension} cannot hold codec {name}; "
            f"write {' or '.join(codec.extensions)}, or choose {' or '.join(held)}"
        )
    if encoding.quality is not None:
        if codec.qualities is None:
            raise InputError(f"quality is {encoding.quality} but codec {name} is lossless; leave it out")
        best, worst = codec.qualities
        if not best <= encoding.quality <= worst:
            raise InputError(f"quality is {encoding.quality} for codec {name}; give {best} (best) to {worst}")
    return codec


def choose_pixel_format(codec: VideoCodec, encoding: Encoding, info: VideoInfo, extension: str) -> str:
    """The source's own pixel format where codec and container hold it, else the nearest one.

    Where no codec was asked for, players decide: 10 bits at most, and in .mp4 and .mov 4:2:0.

    Raises:
        InputError: if the codec cannot hold the source's depth or the format that was asked for.
    """
    import av

    from any2bokeh.video.alpha import alpha_bits, format_with_alpha

    offered = [video_format.name for video_format in av.Codec(codec.encoder, "w").video_formats or []]
    if codec is Y4M:
        offered = list(_Y4M_FORMATS)
    if encoding.pixel_format is not None:
        if encoding.pixel_format not in offered:
            raise InputError(
                f"codec {codec.name} cannot hold pixel format {encoding.pixel_format}; it holds {', '.join(offered)}"
            )
        layout = planar_layout(encoding.pixel_format)
        if layout is not None and not _fits(codec, layout, info):
            raise InputError(
                f"codec {codec.name} cannot hold {info.width}x{info.height} as {encoding.pixel_format}, "
                f"which needs even sides; leave the pixel format out, for full chroma"
            )
        return encoding.pixel_format
    if info.bit_depth > max(codec.bits) == 8:
        remedy = "choose hevc or ffv1 and write .mkv" if ".webm" in codec.extensions else "choose another codec"
        raise InputError(
            f"codec {codec.name} cannot hold the {info.bit_depth} bits of {info.path}; {remedy}, "
            f"or accept 8 bits with pixel format yuv420p"
        )
    bits = next((bits for bits in codec.bits if bits >= info.bit_depth), codec.bits[-1])
    source = source_layout(info)
    if _is_for_players(codec, encoding):
        bits = min(bits, _PLAYED_BITS)
        if extension in _PLAYED_EXTENSIONS:
            return PixelLayout("yuv", bits, (1, 1)).name
    layout = _nearest(codec, source, bits)
    if not _fits(codec, layout, info):
        layout = PixelLayout("yuv", bits, (0, 0))
    name = "bgr0" if layout.family == "rgb" and bits == 8 and "gbrp" not in offered else layout.name
    if alpha_bits(info.pixel_format):
        return format_with_alpha(codec.name, name, offered, extension) or name
    return name


def written_size(codec: VideoCodec, pixel_format: str, info: VideoInfo) -> tuple[int, int]:
    """Width and height of the result in pixels: the source's, or one more where the codec wants even sides."""
    layout = planar_layout(pixel_format)
    if layout is None or _fits(codec, layout, info):
        return info.width, info.height
    down, across = layout.subsampling
    return info.width + info.width % (1 << across), info.height + info.height % (1 << down)


def source_layout(info: VideoInfo) -> PixelLayout:
    """How the samples of a source lie, as displayed; images count as RGB."""
    if info.is_sequence:
        return PixelLayout("rgb", info.bit_depth)
    import av

    video_format = av.VideoFormat(info.pixel_format)
    bits = max(component.bits for component in video_format.components)
    layout = canonical_layout(info.pixel_format, bits, is_rgb=video_format.is_rgb or info.pixel_format == "pal8")
    # A quarter turn exchanges the chroma's steps.
    down, across = layout.subsampling
    return PixelLayout(layout.family, layout.bits, (across, down) if info.rotation_deg % 180 else (down, across))


def _is_for_players(codec: VideoCodec, encoding: Encoding) -> bool:
    """Whether the result is to play everywhere: unless a codec or the best quality was asked for."""
    return encoding.codec == "auto" and codec.name in ("h264", "hevc") and encoding.quality != 0


def _nearest(codec: VideoCodec, source: PixelLayout, bits: int) -> PixelLayout:
    chroma = {(1, 1): "420", (0, 1): "422", (1, 0): "440", (0, 0): "444"}[source.subsampling]
    if source.family in codec.chroma:
        return PixelLayout(source.family, bits)
    if source.family != "yuv":
        # Images become what players expect of the codec.
        chroma = codec.chroma[0]
    steps = {"420": (1, 1), "422": (0, 1), "440": (1, 0), "444": (0, 0)}
    # Never less chroma than the source has, but no more than it needs; 4:4:0 exists at few depths.
    richer = {"420": ("420", "422", "444"), "422": ("422", "444"), "440": ("440", "444"), "444": ("444",)}[chroma]
    for name in richer:
        if name in codec.chroma and not (name == "440" and bits not in (8, 10, 12)):
            return PixelLayout("yuv", bits, steps[name])
    return PixelLayout("yuv", bits, steps[codec.chroma[-1]])


def _fits(codec: VideoCodec, layout: PixelLayout, info: VideoInfo) -> bool:
    if codec.odd_sides:
        return True
    down, across = layout.subsampling
    return info.width % (1 << across) == 0 and info.height % (1 << down) == 0
