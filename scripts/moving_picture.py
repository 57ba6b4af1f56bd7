"""Make docs/images/demo.webp, the moving picture of the README: a line crosses the bundled clip and refocuses it."""

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.demo import demo

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "src" / "any2bokeh" / "demo_clip" / "clip.mp4"
TARGET = ROOT / "docs" / "images" / "demo.webp"
SIZE = (640, 360)
RATE = 12
CROSSING = 0.3
"""Share of the clip in which the line crosses it."""
QUALITY = 85
MOST_BYTES = 1_500_000


def main() -> None:
    """Refocus the clip as `any2bokeh demo` does, and write both as one loop."""
    with tempfile.TemporaryDirectory() as folder:
        refocused = demo(Path(folder) / "demo").video
        pairs = list(zip(small_frames(CLIP), small_frames(refocused), strict=True))
    frames = [crossed(*pair, min(index / (CROSSING * len(pairs)), 1)) for index, pair in enumerate(pairs)]
    write_loop(frames, TARGET)
    size = TARGET.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{TARGET} has {size} bytes, more than {MOST_BYTES}; lower QUALITY or SIZE")
    print(f"{TARGET.relative_to(ROOT)}: {len(frames)} frames, {size / 1e6:.2f} MB")


def small_frames(path: Path) -> list[NDArray[np.uint8]]:
    """The frames of a video at the size and about the rate of the picture, ``(H, W, 3)`` RGB."""
    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
        step = max(round((rate or Fraction(24)) / RATE), 1)
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][::step]
    return [cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA).astype(np.uint8) for pixels in decoded]


def crossed(before: NDArray[np.uint8], after: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """The refocused frame up to a line, and the frame as it was beyond."""
    at = round(SIZE[0] * share * share * (3 - 2 * share))
    joined = before.copy()
    joined[:, :at] = after[:, :at]
    if 0 < at < SIZE[0]:
        joined[:, max(at - 1, 0) : at + 1] = 255
    return joined


def write_loop(frames: list[NDArray[np.uint8]], path: Path) -> None:
    """Write frames as an animated WebP that repeats for ever."""
    with av.open(str(path), "w", format="webp", options={"loop": "0"}) as container:
        stream = container.add_stream("libwebp_anim", rate=RATE)
        stream.width, stream.height = SIZE  # type: ignore[attr-defined]
        stream.pix_fmt = "yuv420p"  # type: ignore[attr-defined]
        stream.options = {"quality": str(QUALITY), "compression_level": "6"}
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
