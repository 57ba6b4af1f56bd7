"""What stands between the light and a file: sharpening, grain, coarse chroma, codecs, eight bits."""

import cv2
import numpy as np
from numpy.typing import NDArray


def recorded(
    rng: np.random.Generator, noise_rng: np.random.Generator, code: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A picture as a camera or a codec gives it.

    Args:
        rng: what kind and strength are drawn from; in the same state for all frames of a clip.
        noise_rng: what grain is drawn from, anew in every frame.
        code: ``(3, H, W)`` float32 sRGB code values.

    Returns:
        The same shape, in [0, 1].
    """
    picture = np.ascontiguousarray(code.transpose(1, 2, 0))
    if rng.uniform() < 0.3:
        picture = _sharpened(rng, picture)
    if rng.uniform() < 0.75:
        picture = picture + _grain(rng, noise_rng, picture)
    picture = np.clip(picture, 0, 1)
    way = rng.uniform()
    if way < 0.5:
        picture = _compressed(rng, picture)
    elif way < 0.6:
        picture = _coarse_chroma(picture)
    elif way < 0.85:
        picture = np.rint(picture * 255) / np.float32(255)
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)


def _sharpened(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 1.8))
    return np.asarray(picture + np.float32(rng.uniform(0.15, 1.0)) * (picture - soft), np.float32)


def _grain(
    rng: np.random.Generator, noise_rng: np.random.Generator, picture: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Noise of light: weaker in the bright in code values, at times coarse, at times coloured."""
    size = picture.shape[:2]
    strength = np.float32(np.exp(rng.uniform(np.log(0.002), np.log(0.03))))
    grey = noise_rng.standard_normal((*size, 1), np.float32)
    noise = np.broadcast_to(grey, picture.shape)
    if rng.uniform() < 0.6:
        share = np.float32(rng.uniform(0.3, 1))
        noise = (1 - share) * grey + share * noise_rng.standard_normal(picture.shape, np.float32)
    if rng.uniform() < 0.4:
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.4, 0.9)) * np.float32(1.6)
    return np.asarray(noise * (strength * (1.3 - picture)), np.float32)


def _compressed(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Through JPEG, whose blocks and ringing are those of every transform codec, at times at a smaller size."""
    height, width = picture.shape[:2]
    codes = np.rint(picture[..., ::-1] * 255).astype(np.uint8)
    is_smaller = rng.uniform() < 0.12
    if is_smaller:
        share = rng.uniform(0.6, 0.95)
        codes = cv2.resize(codes, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    quality = int(rng.choice([rng.integers(80, 99), rng.integers(55, 90), rng.integers(25, 70)], p=[0.5, 0.35, 0.15]))
    sampling = rng.choice([cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444], p=[0.75, 0.25])
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, int(sampling)]
    decoded = cv2.imdecode(cv2.imencode(".jpg", codes, options)[1], cv2.IMREAD_COLOR)
    assert decoded is not None
    if is_smaller:
        decoded = cv2.resize(decoded, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(decoded[..., ::-1], np.float32) / np.float32(255)


def _coarse_chroma(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour at half the size, brightness as it was: 4:2:0 of a codec that keeps the rest."""
    height, width = picture.shape[:2]
    luma_chroma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb), np.float32)
    small = cv2.resize(luma_chroma[..., 1:], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    luma_chroma[..., 1:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(np.asarray(cv2.cvtColor(luma_chroma, cv2.COLOR_YCrCb2RGB), np.float32), 0, 1)
