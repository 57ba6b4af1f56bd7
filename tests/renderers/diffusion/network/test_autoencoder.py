"""The autoencoder against its slow twin."""

import pytest
import torch

from any2bokeh.renderers.diffusion import reference
from any2bokeh.renderers.diffusion.checkpoints.tiny import VAE_CONFIG
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder, SkipFeatures

WIDE = {"block_out_channels": (32, 64, 64, 96), "layers_per_block": 2}


def build(**settings: object) -> BokehAutoencoder:
    return BokehAutoencoder(**{**VAE_CONFIG, **settings}).eval()


@pytest.mark.parametrize("settings", [{}, WIDE])
@pytest.mark.parametrize(("frames", "height", "width"), [(1, 64, 64), (3, 128, 64)])
@pytest.mark.parametrize("framewise", [False, True])
def test_decoder_equals_its_slow_twin(
    settings: dict[str, object], frames: int, height: int, width: int, framewise: bool
) -> None:
    vae = build(**settings)
    pixels = torch.rand(frames, 3, height, width) * 2 - 1
    latents = torch.randn(frames, 4, height // 8, width // 8)
    with torch.no_grad():
        features = vae.encode_frames(pixels).skip_features
        fast = vae.decode_frames(latents, features, framewise=framewise)
        slow = reference.decoder_forward(vae, latents, pixels)
    assert fast.shape == (frames, 3, height, width)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-5)  # worst seen 4.5e-6, framewise


def test_clips_of_a_batch_do_not_see_each_other() -> None:
    vae = build()
    pixels, latents = torch.rand(4, 3, 64, 64), torch.randn(4, 4, 8, 8)
    with torch.no_grad():
        features = vae.encode_frames(pixels).skip_features
        together = vae.decode_frames(latents, features, num_frames=2)
        for clip in (slice(0, 2), slice(2, 4)):
            own = SkipFeatures(features.pixels[clip], tuple(level[clip] for level in features.coarser))
            torch.testing.assert_close(vae.decode_frames(latents[clip], own), together[clip], rtol=0, atol=1e-5)


def test_nothing_is_left_behind_by_an_earlier_call() -> None:
    vae = build()
    first, second = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    latents = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        features = vae.encode_frames(first).skip_features
        expected = vae.decode_frames(latents, features)
        vae.encode_frames(second)
        assert torch.equal(vae.decode_frames(latents, features), expected)
        assert not torch.equal(vae.decode_frames(latents, vae.encode_frames(second).skip_features), expected)


def test_features_of_frames_join() -> None:
    vae = build()
    pixels = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        together = vae.encode_frames(pixels).skip_features
        joined = SkipFeatures.cat([vae.encode_frames(pixels[one : one + 1]).skip_features for one in range(3)])
    for one, other in zip((joined.pixels, *joined.coarser), (together.pixels, *together.coarser), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_gradients_reach_every_parameter_with_and_without_checkpointing() -> None:
    vae = build(layers_per_block=2).train()  # with one layer the base never runs the attention of the decoder
    pixels = torch.rand(2, 3, 64, 64)
    found = []
    for checkpointing in (False, True):
        if checkpointing:
            vae.enable_gradient_checkpointing()
        vae.zero_grad()
        encoded = vae.encode_frames(pixels)
        (vae.decode_frames(encoded.mean, encoded.skip_features).square().mean() + encoded.logvar.mean()).backward()
        found.append({name: parameter.grad for name, parameter in vae.named_parameters()})
    plain, checkpointed = found
    # A bias of the keys moves all scores of a query alike, which the softmax does not see.
    dead = {name for name, gradient in plain.items() if gradient is None or not bool(gradient.abs().max() > 1e-12)}
    assert {name for name in dead if not name.endswith("to_k.bias")} == set()
    for name, gradient in plain.items():
        torch.testing.assert_close(checkpointed[name], gradient, rtol=0, atol=0, msg=name)
