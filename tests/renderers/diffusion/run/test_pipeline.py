"""The pipeline, on a tiny model."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from any2bokeh.errors import InputError
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion import reference
from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.renderers.diffusion.run.windows import WindowPlan
from tests.renderers.diffusion.clips import render_inputs

BARE = PipelineOptions(compose=False)


def call(pipeline: AnyToBokehPipeline, inputs: list[RenderInput], options: PipelineOptions | None = None) -> np.ndarray:
    return pipeline(
        np.stack([each.pixels for each in inputs]),
        np.stack([each.disparity for each in inputs]),
        [each.focus_disparity for each in inputs],
        [each.blur_strength for each in inputs],
        options=options,
    ).frames


@pytest.mark.parametrize("frame_count", [1, *(pytest.param(count, marks=pytest.mark.slow) for count in (5, 13)), 8, 9])
def test_streamed_equals_the_whole_clip(pipeline: AnyToBokehPipeline, frame_count: int) -> None:
    inputs = render_inputs(frame_count, 64, 128)
    whole = reference.refocus(pipeline, inputs, BARE)
    streamed = np.stack(list(pipeline.stream(inputs, options=BARE)))
    assert streamed.shape == (frame_count, 3, 64, 128)
    # Worst seen 1.5e-5, with torch's default kernels: at 64 px, group norms over a single pixel magnify rounding.
    np.testing.assert_allclose(streamed, whole, rtol=0, atol=4e-5)
    np.testing.assert_array_equal(call(pipeline, inputs, BARE), streamed)


@pytest.mark.parametrize(
    "options",
    [
        PipelineOptions(plan=WindowPlan(4, 1, "linear"), compose=False, frames_per_decode=2),
        PipelineOptions(plan=WindowPlan(3, 2), compose=False, frames_per_decode=8),
        PipelineOptions(plan=WindowPlan(3, 0), compose=False, framewise_decode=False),
        PipelineOptions(plan=WindowPlan(1, 0), compose=False),
    ],
)
def test_streamed_equals_the_whole_clip_with_any_plan(pipeline: AnyToBokehPipeline, options: PipelineOptions) -> None:
    inputs = render_inputs(5, 128, 128)  # worst seen 4.3e-6
    np.testing.assert_allclose(
        np.stack(list(pipeline.stream(inputs, options=options))),
        reference.refocus(pipeline, inputs, options),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("card", "unet"),
    [
        (ModelCard(alpha=1.5, clip_normalization="none", disparity_latent="unscaled"), {"mpi_mode": "released"}),
        (
            ModelCard(alpha=1.5, blur_precision="float16"),
            {"layers_per_block": 2, "block_out_channels": (32, 64, 64, 96)},
        ),
    ],
)
def test_options_of_the_model_are_those_of_the_slow_twin(card: ModelCard, unet: dict[str, object]) -> None:
    pipeline = tiny_pipeline(3, unet=unet, card=card, image_encoder=card.clip_normalization == "clip")
    inputs = render_inputs(3, 70, 65)
    np.testing.assert_allclose(
        call(pipeline, inputs, BARE), reference.refocus(pipeline, inputs, BARE), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("conditioning", ["alpha", "clip_normalization", "disparity_latent", "blur_precision"])
def test_every_option_of_the_model_matters(pipeline: AnyToBokehPipeline, conditioning: str) -> None:
    other = {
        "alpha": 1.5,
        "clip_normalization": "none",
        "disparity_latent": "unscaled",
        "blur_precision": "float16",
    }[conditioning]
    changed = AnyToBokehPipeline(
        pipeline.unet, pipeline.vae, pipeline.image_encoder, replace(pipeline.card, **{conditioning: other})
    )
    inputs = render_inputs(2)
    assert np.abs(call(changed, inputs, BARE) - call(pipeline, inputs, BARE)).max() > 1e-4


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 64), (97, 131), (65, 64)])
def test_any_size_and_aspect(pipeline: AnyToBokehPipeline, height: int, width: int) -> None:
    frames = call(pipeline, render_inputs(2, height, width))
    assert frames.shape == (2, 3, height, width)
    assert frames.dtype == np.float32
    assert np.isfinite(frames).all()
    assert frames.min() >= 0
    assert frames.max() <= 1


def test_larger_frames_are_processed_smaller(pipeline: AnyToBokehPipeline) -> None:
    inputs = render_inputs(2, 150, 210)
    options = PipelineOptions(processing_size_px=105, compose=False)
    assert call(pipeline, inputs, options).shape == (2, 3, 75, 105)
    assert call(pipeline, inputs, replace(options, compose=True)).shape == (2, 3, 150, 210)


def test_mean_latents_are_deterministic_and_samples_follow_the_seed(pipeline: AnyToBokehPipeline) -> None:
    inputs = render_inputs(3)
    mean = call(pipeline, inputs, BARE)
    np.testing.assert_array_equal(call(pipeline, inputs, BARE), mean)
    np.testing.assert_array_equal(call(pipeline, inputs, replace(BARE, seed=5)), mean)
    sampled = replace(BARE, latent="sample", seed=5)
    torch.manual_seed(1)
    first = call(pipeline, inputs, sampled)
    torch.manual_seed(2)
    np.testing.assert_array_equal(call(pipeline, inputs, sampled), first)
    assert np.abs(call(pipeline, inputs, replace(sampled, seed=6)) - first).max() > 1e-3


def test_samples_do_not_depend_on_the_windows(pipeline: AnyToBokehPipeline) -> None:
    """A frame draws the same latent whichever window asks first: one window or many, the first window is the same."""
    inputs = render_inputs(8)
    one = replace(BARE, latent="sample", plan=WindowPlan(4, 0))
    np.testing.assert_allclose(call(pipeline, inputs, one)[:4], call(pipeline, inputs[:4], one), atol=1e-6)


def test_no_blur_gives_the_very_input(pipeline: AnyToBokehPipeline) -> None:
    strengths = [0.0, 20.0, 0.0] + [0.0] * 9 + [20.0, 0.0]
    inputs = render_inputs(len(strengths), blur_strength=strengths)
    for given, result, strength in zip(inputs, pipeline.stream(inputs), strengths, strict=True):
        assert (result is given.pixels) == (strength == 0)


def test_each_frame_is_encoded_and_decoded_once(pipeline: AnyToBokehPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"encode_frames": 0, "decode_frames": 0}
    for name in counts:
        original = getattr(pipeline.vae, name)

        def counting(images: torch.Tensor, *rest: object, name: str = name, original=original, **named: object):
            counts[name] += len(images)
            return original(images, *rest, **named)

        monkeypatch.setattr(pipeline.vae, name, counting)
    list(pipeline.stream(render_inputs(13)))
    assert counts == {"encode_frames": 2 * 13, "decode_frames": 13}


def test_frames_that_nobody_needs_cost_nothing(pipeline: AnyToBokehPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("encoded a frame of a window without blur")

    monkeypatch.setattr(pipeline.vae, "encode_frames", refuse)
    assert len(list(pipeline.stream(render_inputs(20, blur_strength=0.0)))) == 20


def test_no_more_than_a_window_is_read_ahead(pipeline: AnyToBokehPipeline) -> None:
    read = 0

    def inputs() -> Iterator[RenderInput]:
        nonlocal read
        for each in render_inputs(14):
            read += 1
            yield each

    for given_out, _ in enumerate(pipeline.stream(inputs())):
        assert read - given_out <= 8


def test_in_focus_pixels_are_the_sources(pipeline: AnyToBokehPipeline) -> None:
    (given,) = render_inputs(1, 64, 128)
    given = replace(given, focus_disparity=0.95)  # the near square
    (result,) = pipeline.stream([given])
    in_focus = np.broadcast_to(given.disparity == np.float32(0.95), result.shape)
    np.testing.assert_array_equal(result[in_focus], given.pixels[in_focus])
    assert np.abs(result - given.pixels)[~in_focus].mean() > 0.05


def test_only_memory_layout_changes_with_channels_last() -> None:
    pipeline = tiny_pipeline(1)
    pipeline.unet.double()
    pipeline.vae.double()
    unet_inputs: dict[str, Any] = {
        "sample": torch.randn(1, 2, 8, 8, 16, dtype=torch.float64),
        "encoder_hidden_states": torch.randn(1, 2, 1, 32, dtype=torch.float64),
        "added_time_ids": torch.tensor([[6.0, 127.0, 0.0]]),
        "blur_strength": torch.tensor([[3.0, 20.0]]),
        "region_index": torch.randint(0, 4, (1, 2, 64, 128)),
    }
    pixels = torch.rand(2, 3, 64, 128, dtype=torch.float64)

    def outputs() -> list[torch.Tensor]:
        with torch.no_grad():
            encoded = pipeline.vae.encode_frames(pixels)
            decoded = pipeline.vae.decode_frames(encoded.mean, encoded.skip_features, framewise=True)
            return [pipeline.unet(**unet_inputs), encoded.mean, decoded]

    before = outputs()
    pipeline.optimize()
    assert pipeline.unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(outputs(), before, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@pytest.mark.slow
def test_compiled_gives_the_same() -> None:
    pipeline = tiny_pipeline(1)
    inputs = render_inputs(6, 128, 128)
    options = replace(BARE, plan=WindowPlan(4, 2))
    before = call(pipeline, inputs, options)
    compiled = call(pipeline.optimize(channels_last=False, compile=True), inputs, options)
    np.testing.assert_allclose(compiled, before, rtol=0, atol=2e-4)  # seen 2.5e-5


def broken(given: RenderInput, **changes: object) -> list[RenderInput]:
    return [given, replace(given, **changes)]  # pyright: ignore[reportArgumentType]


def test_bad_frames_are_named(pipeline: AnyToBokehPipeline) -> None:
    (given,) = render_inputs(1)
    holed = given.disparity.copy()
    holed[0, 3, 4] = np.nan
    for inputs, message in (
        (broken(given, disparity=holed), "disparity of frame 1 has 1 values that are NaN"),
        (broken(given, disparity=given.disparity * 2), "disparity of frame 1 spans"),
        (broken(given, disparity=given.disparity[:, :-1]), r"disparity of frame 1 has shape \(1, 63, 64\)"),
        (broken(given, pixels=given.pixels * np.float32("inf")), "frame 1 has pixels that are NaN or infinite"),
        (broken(given, pixels=given.pixels[:1]), r"frame 1 has shape \(1, 64, 64\)"),
        (broken(given, focus_disparity=1.5), "focus disparity of frame 1 is 1.5"),
        (broken(given, blur_strength=-1.0), "blur strength of frame 1 is -1"),
        (broken(given, blur_strength=float("nan")), "blur strength of frame 1 is nan"),
        ([given, *render_inputs(1, 64, 80)], "frame 1 is 80x64 but frame 0 is 64x64"),
        (render_inputs(1, 60, 80), "frames are 80x60; the diffusion engine needs at least 64 px"),
    ):
        with pytest.raises(InputError, match=message):
            list(pipeline.stream(inputs))


def test_bad_arrays_are_named(pipeline: AnyToBokehPipeline) -> None:
    frames, disparity = np.zeros((2, 3, 64, 64), np.float32), np.zeros((2, 1, 64, 64), np.float32)
    for arguments, message in (
        ((frames[0], disparity, 0.5, 1.0), r"frames have shape \(3, 64, 64\)"),
        ((frames[:0], disparity, 0.5, 1.0), r"frames have shape \(0, 3, 64, 64\)"),
        ((frames, disparity[:1], 0.5, 1.0), r"disparity has shape \(1, 1, 64, 64\)"),
        ((frames, disparity, [0.5] * 3, 1.0), r"focus_disparity has shape \(3,\)"),
        ((frames, disparity, 0.5, [[1.0, 1.0]]), r"blur_strength has shape \(1, 2\)"),
    ):
        with pytest.raises(InputError, match=message):
            pipeline(*arguments)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent": "mode"}, "latent is 'mode'; allowed is mean or sample"),
        ({"frames_per_decode": 0}, "frames_per_decode is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_options_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PipelineOptions(**settings)  # pyright: ignore[reportArgumentType]
