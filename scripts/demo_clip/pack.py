"""Grade the traced frames and pack them, with the sound, into the four files of the bundled clip."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import OpenImageIO as oiio
import shot
import sound
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

SUBJECT_INDEX = 1  # rosa, on whom the first focus is
DISPARITY_BITS = 12


Channels = dict[str, NDArray[np.float32]]


def read_exr(path: Path) -> Channels:
    """Channels of an EXR by name."""
    source = oiio.ImageInput.open(str(path))
    if source is None:
        raise FileNotFoundError(f"{path} cannot be read: {oiio.geterror()}")
    pixels = np.asarray(source.read_image(format="float"), np.float32)
    names = source.spec().channelnames
    source.close()
    return {name: np.ascontiguousarray(pixels[..., i]) for i, name in enumerate(names)}


def grade(linear: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Scene-linear to 8-bit sRGB: exposure, a soft knee that still lets lamps clip, a touch of contrast."""
    linear = linear * 1.15
    knee = 0.55
    over = np.maximum(linear - knee, 0)
    linear = np.minimum(linear, knee) + (1.12 - knee) * (1 - np.exp(-over / (1.12 - knee) * 0.9))
    grey = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    linear = np.clip(grey[..., None] + 1.08 * (linear - grey[..., None]), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(np.clip(encoded, 0, 1) * 255).astype(np.uint8)


MOVING_MARGIN_PX = 3  # pixel filter and denoiser carry a robot's edge this far
BORDER_FADE_PX = 24  # less than the clearance that shot.changing_box gives
CHANGE_WINDOW = (1.0, 2.0, 3.0, 2.0, 1.0)  # frames, over which a change of light on still things is averaged
FAINTEST_CHANGE = 0.02  # of a pixel's own light: below, what differs from the empty place is taken for noise


def rgb(channels: Channels) -> NDArray[np.float32]:
    return np.stack([channels[f"colour.{c}"] for c in "RGB"], axis=-1)


def still_weight(geometry: Channels) -> NDArray[np.float32]:
    """1 where only the place itself is seen, 0 on a robot, soft between."""
    moving = (geometry["index.V"] > 0.5).astype(np.uint8)
    size = 2 * MOVING_MARGIN_PX + 1
    moving = cv2.dilate(moving, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))).astype(np.float32)
    return 1 - cv2.blur(moving, (3, 3))


def border_fade(box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """1 inside the border of the tracing, falling to 0 at those of its sides that lie within the picture."""
    left, top, right, bottom = box
    x, y = np.arange(shot.WIDTH) + 0.5, np.arange(shot.HEIGHT) + 0.5
    distances = []
    for at, low, high, end in ((x, left, right, shot.WIDTH), (y, top, bottom, shot.HEIGHT)):
        from_low = at - low - 1 if low > 0 else np.full(end, np.inf)
        from_high = high - at - 1 if high < end else np.full(end, np.inf)
        distances.append(np.minimum(from_low, from_high))
    return np.clip(np.minimum(distances[0][None], distances[1][:, None]) / BORDER_FADE_PX, 0, 1).astype(np.float32)


def quieten(
    frames: NDArray[np.float16],
    still: NDArray[np.float32],
    plate_low: NDArray[np.float32],
    plate_high: NDArray[np.float32],
) -> Iterator[NDArray[np.float32]]:
    """Take the noise out of all that stands still.

    A still pixel is the well-sampled empty place, plus what the robots change there (shadows, lantern light): the frame
    less the empty place traced alike, averaged over a few frames. A robot's pixels are left as they were traced.

    Args:
        frames: ``(T, H, W, 3)`` scene-linear.
        still: ``(T, H, W)``, of `still_weight`.
        plate_low: ``(H, W, 3)``, the empty place with the samples of a frame.
        plate_high: ``(H, W, 3)``, the empty place with many samples.
    """
    reach = len(CHANGE_WINDOW) // 2
    for index in range(len(frames)):
        change, total = np.zeros_like(plate_low), np.full(plate_low.shape[:2], 1e-6, np.float32)
        for offset, share in zip(range(-reach, reach + 1), CHANGE_WINDOW, strict=True):
            if 0 <= index + offset < len(frames):
                weight = share * (still[index + offset] > 0.999)
                change += weight[..., None] * (frames[index + offset].astype(np.float32) - plate_low)
                total += weight
        change /= total[..., None]
        own = still[index] > 0.999  # a pixel that is partly a robot's has no average of its own
        frame = frames[index].astype(np.float32)
        change = np.where((own & (total > 0.5))[..., None], change, frame - plate_low)
        strength = np.abs(cv2.blur(change, (9, 9))).max(-1) / (cv2.blur(plate_high, (9, 9)).max(-1) + 0.004)
        core = np.clip(strength / FAINTEST_CHANGE - 0.5, 0, 1)
        change *= core[..., None]
        shaded = plate_high * np.clip(
            1 + change / np.maximum(plate_low, 1e-4), 0, 1
        )  # a shadow takes a share of the light
        light = np.where(change < 0, shaded, plate_high + change)
        yield frame + still[index][..., None] * (light - frame)


def disparity_of(geometry: Channels) -> NDArray[np.float64]:
    """Exact disparity, Z_MIN / z; the sky is 0."""
    depth = geometry["depth.V"].astype(np.float64)
    disparity = np.where(depth > 1e6, 0.0, shot.Z_MIN / depth)
    if disparity.max() > 1:
        raise ValueError(f"something visible at z = {depth.min():.3f} is nearer than Z_MIN = {shot.Z_MIN}")
    return disparity


def focus_script(disparity_of_rosa: list[float], disparity_of_tilo: list[float]) -> dict[str, object]:
    """Follow rosa away; when tilo has passed in front of her, rack to him and stay with him as he arrives."""
    start, end = shot.RACK_FRAMES
    frames = sorted({0, 12, 24, 36, start, end, (end + shot.FRAME_COUNT) // 2, shot.FRAME_COUNT - 1})
    keyframes: list[dict[str, object]] = []
    for frame in frames:
        followed = disparity_of_rosa if frame <= start else disparity_of_tilo
        key: dict[str, object] = {
            "frame": frame,
            "focus_disparity": round(followed[frame], 4),
            "blur_strength": shot.BLUR_STRENGTH,
        }
        if frame:
            key["easing"] = "smooth" if frame == end else "linear"
        keyframes.append(key)
    return {"version": 1, "fps": shot.FPS, "keyframes": keyframes}


def encode_grey(
    path: Path,
    codec: Literal["libx265", "ffv1"],
    pixel_format: str,
    pictures: Iterable[NDArray],
    options: dict[str, str],
) -> None:
    """Lossless grey video, full range, one key frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=shot.FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = shot.WIDTH, shot.HEIGHT, pixel_format
        stream.codec_context.gop_size = shot.FRAME_COUNT
        stream.codec_context.color_range = ColorRange.JPEG
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=pixel_format)
            frame.color_range = ColorRange.JPEG
            frame.pts, frame.time_base = index, Fraction(1, shot.FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def encode_clip(path: Path, pictures: Iterable[NDArray[np.uint8]], quality: int) -> None:
    """H.264 and AAC in MP4, BT.709, limited range."""
    audio = sound.soundtrack()
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        options = {"crf": str(quality), "preset": "veryslow", "tune": "animation", "aq-mode": "3"}
        video = container.add_stream("libx264", rate=shot.FPS, options=options)
        video.width, video.height, video.pix_fmt = shot.WIDTH, shot.HEIGHT, "yuv420p"
        context = video.codec_context
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        speech = container.add_stream("aac", rate=sound.SAMPLE_RATE, layout="stereo")
        speech.bit_rate = 96_000
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(
                format="yuv420p",
                dst_colorspace="ITU709",
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = index, Fraction(1, shot.FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for first in range(0, audio.shape[1], 1024):
            chunk = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(audio[:, first : first + 1024]), format="fltp", layout="stereo"
            )
            chunk.sample_rate, chunk.pts, chunk.time_base = sound.SAMPLE_RATE, first, Fraction(1, sound.SAMPLE_RATE)
            container.mux(speech.encode(chunk))
        container.mux(speech.encode())


def body_disparity(frame: int, name: str) -> float:
    """Disparity of a robot's face, a little in front of its axis."""
    return shot.Z_MIN / (shot.robot_pose(name, frame).y - 0.25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traced", type=Path, help="folder written by scene.py")
    parser.add_argument("output", type=Path)
    parser.add_argument("--quality", type=int, default=17, help="constant rate factor of H.264")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)

    plates = [rgb(read_exr(arguments.traced / f"plate-{quality}.00000.exr")) for quality in ("low", "high")]
    full = (1 << DISPARITY_BITS) - 1
    frames, still, disparities, masks = [], [], [], []
    for frame in range(shot.FRAME_COUNT):
        geometry = read_exr(arguments.traced / f"geometry.{frame:05d}.exr")
        traced = read_exr(arguments.traced / f"colour.{frame:05d}.exr")
        fade = border_fade(shot.changing_box(frame))[..., None]
        traced = np.where(fade > 0, rgb(traced), plates[0])  # outside the border there is nothing
        frames.append((plates[0] + fade * (traced - plates[0])).astype(np.float16))
        still.append(still_weight(geometry))
        disparities.append(np.round(disparity_of(geometry) * full).astype(np.uint16))
        masks.append(np.where(np.round(geometry["index.V"]) == SUBJECT_INDEX, 255, 0).astype(np.uint8))
    colours = (grade(picture) for picture in quieten(np.stack(frames), np.stack(still), *plates))
    print(f"nearest visible thing: disparity {max(int(d.max()) for d in disparities) / full:.4f}")

    encode_clip(arguments.output / "clip.mp4", colours, arguments.quality)
    # Lossless HEVC: the camera stands still, and FFV1, which codes every frame by itself, takes three times the bytes.
    lossless = f"lossless=1:keyint={shot.FRAME_COUNT}:range=full:log-level=error:pools=none:frame-threads=1"
    search = "bframes=0:ref=1:tskip=1:rect=1:amp=1:rd=6"
    hevc = {"preset": "veryslow", "x265-params": f"{lossless}:{search}"}
    encode_grey(arguments.output / "disparity.mkv", "libx265", f"gray{DISPARITY_BITS}le", disparities, hevc)
    ffv1 = {"level": "3", "coder": "range_tab", "context": "1", "slices": "4"}
    encode_grey(arguments.output / "mask.mkv", "ffv1", "gray", masks, ffv1)
    tracks = [[body_disparity(frame, name) for frame in range(shot.FRAME_COUNT)] for name in ("rosa", "tilo")]
    (arguments.output / "focus.json").write_text(json.dumps(focus_script(*tracks), indent=1) + "\n")
    for path in sorted(arguments.output.iterdir()):
        print(f"{path.name:>14} {path.stat().st_size / 1e6:6.3f} MB")


if __name__ == "__main__":
    main()
