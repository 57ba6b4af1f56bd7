"""Alpha goes past the blur as it is, into what holds it; elsewhere it is told."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.video import Encoding, open_source
from any2bokeh.video.alpha import Alpha, alpha_bits, alpha_of, put_alpha
from any2bokeh.video.samples import whole_plane
from tests.video.native_clips import native_frame, write_clip
from tests.video.test_container_sink import copy

WIDTH, HEIGHT, FRAMES = 46, 30, 2
FORMATS = ["yuva420p", "yuva422p10le", "yuva444p12le", "yuva444p16le", "gbrap10le", "gbrap16le", "bgra", "ya8"]


def slope(index: int, bits: int) -> NDArray[Any]:
    """``(H, W)`` code values from transparent to opaque, no two frames alike."""
    ramp = np.linspace(0, 1, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    return np.rint(np.roll(ramp, 5 * index) * ((1 << bits) - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def write_alpha_clip(path: Path, encoder: str, pixel_format: str) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(encoder, rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        if encoder == "prores_ks":
            stream.codec_context.options = {"profile": "4444"}
        for index in range(FRAMES):
            grey = {"ya8": "gray", "bgra": "bgr0"}.get(pixel_format, pixel_format)
            frame = native_frame(index, WIDTH, HEIGHT, grey)
            if grey != pixel_format:
                frame = frame.reformat(format=pixel_format)
            bits = alpha_bits(pixel_format)
            put_alpha(frame, Alpha(slope(index, bits), bits))
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def alphas_of(path: Path, *, decoder: str | None = None) -> list[Alpha | None]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context: Any = stream.codec_context if decoder is None else av.CodecContext.create(decoder, "r")
        packets = [packet for packet in container.demux(stream) if packet.size or decoder is None]
        return [alpha_of(frame) for packet in packets for frame in context.decode(packet)]


@pytest.mark.parametrize("untouched", [True, False])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_alpha_is_kept_exactly_without_loss(tmp_path: Path, pixel_format: str, untouched: bool) -> None:
    clip = write_alpha_clip(tmp_path / "in.mkv", "ffv1", pixel_format)
    told: list[str] = []
    result = copy(clip, tmp_path / "out.mkv", Encoding("ffv1"), untouched=untouched, notice=told.append)
    for index, alpha in enumerate(alphas_of(result)):
        assert alpha is not None
        np.testing.assert_array_equal(alpha.codes, slope(index, alpha_bits(pixel_format)))
    assert told == [f"alpha of {clip} is kept unchanged and is not blurred with the picture"]


@pytest.mark.parametrize("extension", [".mov", ".mkv"])
def test_prores_4444_keeps_alpha(tmp_path: Path, extension: str) -> None:
    clip = write_alpha_clip(tmp_path / "in.mov", "prores_ks", "yuva444p10le")
    for before, after in zip(
        alphas_of(clip), alphas_of(copy(clip, tmp_path / f"out{extension}", Encoding("prores"))), strict=True
    ):
        assert before is not None
        assert after is not None
        # The decoder shows 12 bits, the encoder takes 10; worst seen 0 of 65535, as ProRes stores alpha without loss
        # and these were of 10 bits before. Half a step of 10 bits is what rounding may cost.
        assert np.abs(before.scaled(16).astype(int) - after.scaled(16)).max() <= 0.5 * 65535 / 1023


def test_webm_keeps_alpha(tmp_path: Path) -> None:
    clip = write_alpha_clip(tmp_path / "in.mkv", "ffv1", "yuva420p")
    result = copy(clip, tmp_path / "out.webm")
    for index, alpha in enumerate(alphas_of(result, decoder="libvpx-vp9")):
        assert alpha is not None
        # VP9 is lossy; worst seen 0.50 codes of mean difference, in the second frame.
        assert np.abs(alpha.codes.astype(int) - slope(index, 8)).mean() < 1


@pytest.mark.parametrize("key", [b"ALPHA_MODE", b"alpha_mode"])
def test_alpha_of_vp9_is_told(tmp_path: Path, key: bytes) -> None:
    clip = copy(write_alpha_clip(tmp_path / "in.mkv", "ffv1", "yuva420p"), tmp_path / "in.webm")
    clip.write_bytes(clip.read_bytes().replace(b"ALPHA_MODE", key))  # FFmpeg's own tool writes it small
    told: list[str] = []
    with open_source(clip) as source:
        source.tell(told.append)
    assert told == [
        f"alpha of {clip} is left out, because VP8 and VP9 store it beside the picture, where it is not read; "
        f"convert the file to ProRes 4444 or PNG first"
    ]


@pytest.mark.parametrize("pixel_format", ["yuva420p", "yuva444p10le"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_alpha_that_is_left_out_is_told(tmp_path: Path, name: str, pixel_format: str) -> None:
    clip = write_alpha_clip(tmp_path / "in.mkv", "ffv1", pixel_format)
    told: list[str] = []
    copy(clip, tmp_path / name, notice=told.append)
    [line] = [line for line in told if line.startswith("alpha of")]
    assert line.startswith(f"alpha of {clip} is left out of {tmp_path / name}; write .mov with --codec prores, ")
    remedies: dict[str, Any] = {".mov with --codec prores": "prores", ".mkv with --codec ffv1": "ffv1", ".webm": "auto"}
    for remedy, codec in remedies.items():
        # VP9 is written with 8 bits only.
        assert (remedy in line) == (remedy != ".webm" or pixel_format == "yuva420p")
        if remedy in line:
            kept = copy(clip, tmp_path / f"kept{remedy.split()[0]}", Encoding(codec))
            assert alphas_of(kept, decoder="libvpx-vp9" if remedy == ".webm" else None)[0] is not None


def test_alpha_of_images_that_a_video_leaves_out_is_told(tmp_path: Path) -> None:
    clip = write_alpha_clip(tmp_path / "in.mkv", "ffv1", "bgra")
    images = copy(clip, tmp_path / "images")
    told: list[str] = []
    copy(images, tmp_path / "out.mp4", notice=told.append)
    remedy = "a folder of png or exr keeps it, or .mov with --codec prores"
    assert f"alpha of {images} is left out of {tmp_path / 'out.mp4'}; {remedy}" in told


@pytest.mark.parametrize("untouched", [True, False])
@pytest.mark.parametrize("pixel_format", ["yuva420p", "gbrap10le", "bgra"])
def test_alpha_of_a_video_is_kept_in_images(tmp_path: Path, pixel_format: str, untouched: bool) -> None:
    clip = write_alpha_clip(tmp_path / "in.mkv", "ffv1", pixel_format)
    told: list[str] = []
    images = copy(clip, tmp_path / "images", untouched=untouched, notice=told.append)
    assert told == [f"alpha of {clip} is kept unchanged and is not blurred with the picture"]
    bits = alpha_bits(pixel_format)
    with open_source(images) as source:
        for frame in source.frames():
            assert frame.alpha is not None
            expected = slope(frame.index, bits) / ((1 << bits) - 1)
            # half a step of the 8 or 16 bits of PNG
            assert np.abs(frame.alpha[0] - expected).max() <= 0.5 / (255 if bits == 8 else 65535) + 1e-6


def test_planes_beside_alpha_are_the_decoders_own(tmp_path: Path) -> None:
    # FFmpeg's own way from 10-bit RGB with alpha to the same without it gives other planes, now and then.
    clip = write_alpha_clip(tmp_path / "in.mkv", "ffv1", "gbrap10le")
    with av.open(str(clip)) as container, open_source(clip) as source:
        for native, frame in zip(container.decode(video=0), source.frames(), strict=True):
            planes = [whole_plane(native, index, 10)[:, :WIDTH] for index in (2, 0, 1)]
            np.testing.assert_allclose(frame.pixels, np.stack(planes) / 1023, atol=1e-6)


def test_alpha_turns_with_the_picture(tmp_path: Path) -> None:
    clip = write_alpha_clip(tmp_path / "flat.mkv", "ffv1", "yuva444p")
    turned = tmp_path / "in.mov"
    with av.open(str(clip)) as source, av.open(str(turned), "w") as container:
        stream: Any = container.add_stream("prores_ks", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva444p10le"
        stream.codec_context.options = {"profile": "4444"}
        stream.set_display_rotation(-90)
        for frame in source.decode(video=0):
            container.mux(stream.encode(frame.reformat(format="yuva444p10le")))
        container.mux(stream.encode(None))
    before, after = alphas_of(turned)[0], alphas_of(copy(turned, tmp_path / "out.mkv", Encoding("ffv1")))[0]
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(after.codes, np.rot90(before.codes, -1))


def test_a_clip_without_alpha_says_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    copy(write_clip(tmp_path / "in.mp4"), tmp_path / "out.mov", Encoding("prores"), notice=told.append)
    assert told == []
