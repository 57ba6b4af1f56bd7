"""The U-Net against its slow twin and against diffusers' own."""

from typing import Any, cast

import pytest
import torch
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from torch import nn

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion import reference
from any2bokeh.renderers.diffusion.checkpoints.tiny import UNET_CONFIG, open_gates
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.mpi_attention import MpiAttention, attend_with_extra_keys
from any2bokeh.renderers.diffusion.network.unet import BokehUNet

WIDE = {
    "block_out_channels": (32, 64, 96, 96),
    "num_attention_heads": (1, 4, 3, 6),
    "layers_per_block": 2,
    "cross_attention_dim": 48,
}
DEEP = {"transformer_layers_per_block": 2, "num_attention_heads": 4}


def build(**settings: Any) -> BokehUNet:
    unet = BokehUNet(**{**UNET_CONFIG, **settings}).eval()
    open_gates(unet)
    return unet


def unet_inputs(
    clips: int, frames: int, height: int, width: int, context: int = 32, tokens: int = 1, seed: int = 0
) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    coarse = torch.randint(0, 4, (clips * frames, 1, 3, 5), generator=generator).float()
    regions = nn.functional.interpolate(coarse, (8 * height, 8 * width), mode="nearest")
    return {
        "sample": normal(clips, frames, 8, height, width),
        "encoder_hidden_states": normal(clips, frames, tokens, context),
        "added_time_ids": torch.tensor([[6.0, 127.0, 0.0]] * clips),
        "blur_strength": 30 * torch.rand(clips, frames, generator=generator),
        "region_index": regions.reshape(clips, frames, 8 * height, 8 * width),
    }


def doubles(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value.double() for name, value in inputs.items()}


# Each mode with and without the shortcut, on the smallest; each shape and size in both modes, with and without the
# shortcut in turn.
@pytest.mark.parametrize(
    ("settings", "clips", "frames", "height", "width", "tokens", "mode", "shortcut"),
    [
        *(({}, 1, 1, 8, 8, 1, mode, shortcut) for mode in ("masked", "released") for shortcut in (False, True)),
        ({}, 2, 3, 16, 8, 1, "masked", True),
        ({}, 2, 3, 16, 8, 1, "released", False),
        (WIDE, 1, 3, 16, 8, 1, "masked", False),
        (WIDE, 1, 3, 16, 8, 1, "released", True),
        (WIDE | {"time_context": "interleaved"}, 2, 2, 8, 16, 1, "masked", True),
        (WIDE | {"time_context": "interleaved"}, 2, 2, 8, 16, 1, "released", False),
        (DEEP, 1, 4, 8, 16, 2, "masked", False),
        (DEEP, 1, 4, 8, 16, 2, "released", True),
        (DEEP, 1, 2, 9, 11, 1, "masked", True),
        (DEEP, 1, 2, 9, 11, 1, "released", False),
    ],
)
def test_equals_its_slow_twin(
    settings: dict[str, Any], clips: int, frames: int, height: int, width: int, tokens: int, mode: str, shortcut: bool
) -> None:
    unet = build(**settings, mpi_mode=mode).double()
    inputs = doubles(unet_inputs(clips, frames, height, width, unet.context_dim, tokens))
    with torch.no_grad():
        fast = unet(**inputs, single_token_shortcut=shortcut)
        slow = reference.unet_forward(unet, **inputs)
    # In float64, for group norms over a single pixel magnify rounding. Worst seen 2e-14, on outputs up to about 2.
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-12)


@pytest.mark.parametrize("regions", [0, 1, 2, 3])
def test_equals_its_slow_twin_with_one_region(regions: int) -> None:
    """Levels with no MPI token at all, and with all of them."""
    unet = build().double()
    inputs = doubles(unet_inputs(1, 2, 8, 8))
    inputs["region_index"] = torch.full_like(inputs["region_index"], regions)
    with torch.no_grad():
        torch.testing.assert_close(unet(**inputs), reference.unet_forward(unet, **inputs), rtol=0, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, WIDE])
@pytest.mark.parametrize("mode", ["masked", "released"])
def test_with_closed_gates_it_is_the_base_exactly(settings: dict[str, Any], mode: str) -> None:
    unet = build(**settings, mpi_mode=mode)
    for module in unet.modules():
        if isinstance(module, MpiAttention):
            for parameter in (module.alpha_attn, module.alpha_dense, *module.k_encoder.parameters()):
                nn.init.zeros_(parameter)
    base = UNetSpatioTemporalConditionModel(**{**UNET_CONFIG, **settings}).eval()
    own = unet.state_dict()
    base.load_state_dict({key: own[key] for key in base.state_dict()})
    inputs = unet_inputs(2, 3, 8, 16, unet.context_dim)
    # The base takes one context a clip.
    inputs["encoder_hidden_states"] = inputs["encoder_hidden_states"][:, :1].expand(-1, 3, -1, -1)
    with torch.no_grad():
        expected = base(inputs["sample"], 1.0, inputs["encoder_hidden_states"][:, 0], inputs["added_time_ids"]).sample
        assert torch.equal(unet(**inputs), expected)


def test_full_size_has_the_published_parameter_counts() -> None:
    def count(model: nn.Module) -> int:
        return sum(parameter.numel() for parameter in model.parameters())

    with torch.device("meta"):
        assert count(BokehUNet(unused_feed_forward=True)) == 1_876_296_074
        assert count(BokehUNet()) == 1_727_498_954
        assert count(BokehAutoencoder()) == 98_234_367


def gradients(unet: BokehUNet, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor | None]:
    unet.zero_grad()
    unet(**inputs).square().mean().backward()
    return {name: parameter.grad for name, parameter in unet.named_parameters()}


def without_gradient(found: dict[str, torch.Tensor | None]) -> set[str]:
    return {name for name, gradient in found.items() if gradient is None or not bool(gradient.abs().max() > 0)}


def single_token_dead(name: str) -> bool:
    """With one context token the softmax is 1 whatever query and key are: no gradient, in the base model as here."""
    return "attn2.to_q" in name or "attn2.to_k" in name or ("transformer_blocks" in name and ".norm2." in name)


def test_gradients_reach_every_parameter() -> None:
    unet = build().train()
    inputs = unet_inputs(1, 4, 16, 16)
    dead = without_gradient(gradients(unet, inputs))
    assert {name for name in dead if not (single_token_dead(name) and ".fuser." not in name)} == set()


def test_gradients_reach_every_parameter_with_two_context_tokens() -> None:
    unet = build().train()
    assert without_gradient(gradients(unet, unet_inputs(1, 4, 16, 16, tokens=2))) == set()


def test_unused_feed_forward_and_released_mode_are_what_the_paper_leaves_dead() -> None:
    unet = build(mpi_mode="released", unused_feed_forward=True).train()
    dead = without_gradient(gradients(unet, unet_inputs(1, 2, 8, 8, tokens=2)))
    assert dead == {
        name
        for name, _ in unet.named_parameters()
        if ".ff_k." in name or ".fuser.linear." in name or name.startswith("conv_in_mpi.")
    }


@pytest.mark.parametrize("mode", ["masked", "released"])
def test_gradient_checkpointing_changes_nothing(mode: str) -> None:
    unet = build(mpi_mode=mode).train()
    inputs = unet_inputs(2, 3, 8, 16)
    plain = {name: None if g is None else g.clone() for name, g in gradients(unet, inputs).items()}
    unet.enable_gradient_checkpointing()
    checkpointed = gradients(unet, inputs)
    assert plain.keys() == checkpointed.keys()
    for name, gradient in plain.items():
        if gradient is None:
            assert checkpointed[name] is None
        else:
            torch.testing.assert_close(checkpointed[name], gradient, rtol=0, atol=0, msg=name)


def test_gradients_equal_those_of_the_slow_twin() -> None:
    unet = build().double().train()
    inputs = doubles(unet_inputs(1, 3, 8, 16))
    fast = {name: None if g is None else g.clone() for name, g in gradients(unet, inputs).items()}
    unet.zero_grad()
    reference.unet_forward(unet, **inputs).square().mean().backward()
    for name, parameter in unet.named_parameters():
        expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        found = fast[name]
        found = torch.zeros_like(parameter) if found is None else found
        torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-10, msg=name)


def test_bfloat16_stays_near_float32() -> None:
    unet = build()
    inputs = unet_inputs(1, 4, 16, 8)
    with torch.no_grad():
        exact = unet(**inputs)
        half = cast(Any, unet).to(torch.bfloat16)(
            **{
                name: value.to(torch.bfloat16) if name in ("sample", "encoder_hidden_states") else value
                for name, value in inputs.items()
            }
        )
    assert half.dtype == torch.bfloat16
    error = (half.float() - exact).norm() / exact.norm()
    assert error < 0.03, error  # seen 0.017


@pytest.mark.parametrize("lengths", [(0, 0, 0), (2, 2, 2), (0, 3, 1), (5, 0, 0)])
def test_extra_keys_equal_a_dense_mask(lengths: tuple[int, ...]) -> None:
    frames, heads, length, dim, most = len(lengths), 2, 6, 4, 5
    query, key, value = (torch.randn(frames, heads, length, dim) for _ in range(3))
    extra_key, extra_value = (torch.randn(frames, heads, most, dim) for _ in range(2))
    shown = torch.stack([torch.arange(most) < count for count in lengths])
    packed = [
        torch.cat([extra[frame, :, :count] for frame, count in enumerate(lengths)], dim=1)
        for extra in (extra_key, extra_value)
    ]
    mask = torch.cat([torch.ones(frames, length, dtype=torch.bool), shown], dim=1)[:, None, None]
    dense = reference.softmax_attention(
        query, torch.cat([key, extra_key], dim=2), torch.cat([value, extra_value], dim=2), mask
    )
    sparse = attend_with_extra_keys(query, key, value, packed[0], packed[1], lengths)
    torch.testing.assert_close(sparse, dense, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mpi_mode": "soft"}, "mpi_mode is 'soft'; allowed is masked or released"),
        ({"time_context": "mine"}, "time_context is 'mine'"),
    ],
)
def test_unknown_modes_are_named(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BokehUNet(**{**UNET_CONFIG, **settings})  # pyright: ignore[reportArgumentType]
