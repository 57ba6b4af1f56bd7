"""How the result is encoded."""

from dataclasses import dataclass
from typing import Literal

Codec = Literal["auto", "h264", "hevc", "prores", "ffv1", "vp9", "png", "exr"]
AudioPolicy = Literal["auto", "copy", "none"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the result is encoded. The defaults are visually lossless.

    Attributes:
        codec: ``auto`` takes what the output's extension and the source's bit depth ask for.
        quality: constant rate factor of h264, hevc and vp9 (lower is better), quantiser of prores; None = default.
        preset: the encoder's own name of a speed, such as ``fast``; None = default.
        pixel_format: FFmpeg's name of one; None = the source's own, or the nearest that the codec holds.
        threads: of the encoder; None = half of the processor's, since the renderer wants the rest.
        audio: ``auto`` copies the packets and re-encodes only what the container cannot hold, ``copy`` refuses
            then, ``none`` leaves the sound out.
    """

    codec: Codec = "auto"
    quality: int | None = None
    preset: str | None = None
    pixel_format: str | None = None
    threads: int | None = None
    audio: AudioPolicy = "auto"
