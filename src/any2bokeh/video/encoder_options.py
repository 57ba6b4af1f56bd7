"""How the encoder of each codec is run."""

from collections.abc import Mapping
from fractions import Fraction

from any2bokeh.video.encoding import Encoding, VideoCodec
from any2bokeh.video.info import VideoInfo

# FF_QP2LAMBDA: FFmpeg's unit of a quantiser.
_LAMBDA = 118
# x265 takes the delay of B-frames from the first frame that comes after it, at most the third. In a clip that ends
# before, it is uninitialised memory, and muxers refuse the decoding times that come of it now and then.
_FRAMES_FOR_X265_B_FRAMES = 8


def encoder_options(
    codec: VideoCodec, encoding: Encoding, threads: int, pixel_format: str, size: tuple[int, int], frame_count: int,
    parameters: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """FFmpeg's options of an encoder.

    Args:
        codec: which.
        encoding: what was asked for.
        threads: how many it may take.
        pixel_format: FFmpeg's name.
        size: width and height in pixels.
        frame_count: how many frames are to be encoded.
        parameters: of x264 and x265, beside those that are set here.
    """
    quality = codec.default_quality if encoding.quality is None else encoding.quality
    preset = encoding.preset or codec.default_preset or ""
    if codec.name == "h264":
        # At the rates of visually lossless video, CABAC is a quarter of the fast preset's time for 5% of its size.
        fast = {} if encoding.preset else {"cabac": "0"}
        return {"preset": preset, "crf": str(quality), **_listed("x264-params", {**fast, **parameters})}
    if codec.name == "hevc":
        # x265 has a thread pool of its own, which would take the whole machine. Its vector code writes past its buffers
        # in pictures smaller than its largest block of 64 px: glibc's heap checks show it at small widths, and heights
        # below that gave a broken stream now and then. Twice that is a margin; pictures so small cost nothing.
        plain = {"asm": "0"} if min(size) < 128 else {}
        short = {"bframes": "0"} if frame_count < _FRAMES_FOR_X265_B_FRAMES else {}
        own = {"log-level": "none", "pools": str(threads), "frame-threads": "1", **plain, **short}
        return {"preset": preset, "crf": str(quality), **_listed("x265-params", {**own, **parameters})}
    if codec.name == "vp9":
        # Alpha is a stream of its own beside the pictures, and may have no pictures that are not shown.
        alpha = {"auto-alt-ref": "0"} if "yuva" in pixel_format else {}
        return {"crf": str(quality), "b": "0", "deadline": "realtime", "cpu-used": preset, "row-mt": "1", **alpha}
    if codec.name == "prores":
        profile = "4444" if "444" in pixel_format and not encoding.preset else preset
        # A fixed quantiser: the search for a fixed rate takes most of the encoder's time.
        return {"profile": profile, "vendor": "apl0", "flags": "+qscale", "global_quality": str(quality * _LAMBDA)}
    return {"level": "3", "slicecrc": "1"}


def told_rate(info: VideoInfo) -> Fraction:
    """Frames a second, as an encoder and a time code are told; time stamps do not depend on it."""
    # Some demuxers give the ticks of a clock for a rate (raw DV: 60000).
    counted = info.frame_count / info.duration_s if info.duration_s > 0 else info.fps
    return info.fps if info.fps < 2 * counted else counted.limit_denominator(1001)


def _listed(name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    if not parameters:
        return {}
    return {name: ":".join(f"{key}={value}" for key, value in parameters.items())}
