"""Tiny depth models with random weights, of the real classes, in the layout that the hub has them in."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import torch
import transformers

SIDE_PX = 56
_BACKBONE = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": SIDE_PX}


def write_model(folder: Path, kind: str = "depth_anything", *, seed: int = 0, **config: Any) -> Path:
    """A model folder with ``config.json``, ``preprocessor_config.json`` and ``model.safetensors``."""
    torch.manual_seed(seed)
    model = _MAKERS[kind](**config)
    with torch.no_grad():
        for parameter in model.parameters():  # many start near 0, which would make maps without relief
            parameter.add_(0.2 * torch.randn_like(parameter))
        if kind != "zoedepth":  # the others end in a rectifier: let it pass something
            last = [module for module in model.head.modules() if isinstance(module, torch.nn.Conv2d)][-1]
            last.weight.abs_()
            cast(torch.Tensor, last.bias).abs_()
        if kind == "depth_pro":  # a field of view in degrees that a camera can have
            last = [module for module in model.fov_model.modules() if isinstance(module, torch.nn.Conv2d)][-1]
            last.weight.mul_(0.01)
            cast(torch.Tensor, last.bias).fill_(50)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSORS[kind]))
    return folder


def write_hub_cache(home: Path, hub_id: str, *, card: str | None = None, **model: Any) -> Path:
    """A model in the layout of the hub's cache under ``HF_HOME``; returns the snapshot."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repo = home / "hub" / ("models--" + hub_id.replace("/", "--"))
    snapshot = repo / "snapshots" / commit
    made = write_model(home / "made", **model)
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    (repo / "blobs").mkdir()
    for number, file in enumerate(sorted(made.iterdir())):
        blob = repo / "blobs" / f"{number:040x}"
        shutil.move(file, blob)
        (snapshot / file.name).symlink_to(Path("../../blobs") / blob.name)
    made.rmdir()
    if card is not None:
        (snapshot / "README.md").write_text(card)
    return snapshot


def _config(kind: Any, **values: Any) -> Any:
    """A configuration; type checkers do not see all that these classes take."""
    return kind(**values)


def _depth_anything(**config: Any) -> Any:
    backbone = _config(
        transformers.Dinov2Config,
        **_BACKBONE,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    return transformers.DepthAnythingForDepthEstimation(
        transformers.DepthAnythingConfig(
            backbone_config=backbone,
            patch_size=14,
            reassemble_hidden_size=24,
            neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8,
            head_hidden_size=8,
            **config,
        )
    )


def _dpt(**config: Any) -> Any:
    return transformers.DPTForDepthEstimation(
        transformers.DPTConfig(
            hidden_size=24,
            num_hidden_layers=4,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=64,
            patch_size=16,
            backbone_out_indices=[0, 1, 2, 3],
            neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8,
            **config,
        )
    )


def _zoedepth(**config: Any) -> Any:
    backbone = _config(
        transformers.BeitConfig,
        hidden_size=24,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=64,
        patch_size=16,
        out_indices=[1, 2, 3, 4],
        use_relative_position_bias=True,
        reshape_hidden_states=False,
    )
    return transformers.ZoeDepthForDepthEstimation(
        transformers.ZoeDepthConfig(
            backbone_config=backbone,
            neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8,
            bottleneck_features=8,
            num_relative_features=4,
            bin_embedding_dim=8,
            num_attractors=[4, 2, 1, 1],
            bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0}],
            **config,
        )
    )


def _depth_pro(**config: Any) -> Any:
    backbone = {
        "model_type": "dinov2",
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "patch_size": 4,
        "image_size": 16,
    }
    return transformers.DepthProForDepthEstimation(
        transformers.DepthProConfig(
            patch_size=16,
            fusion_hidden_size=8,
            intermediate_hook_ids=[1, 0],
            intermediate_feature_dims=[8, 8],
            scaled_images_ratios=[0.5, 1.0],
            scaled_images_overlap_ratios=[0.0, 0.2],
            scaled_images_feature_dims=[12, 12],
            use_fov_model=True,
            num_fov_head_layers=1,
            image_model_config=dict(backbone),
            patch_model_config=dict(backbone),
            fov_model_config=dict(backbone),
            **config,
        )
    )


_MAKERS = {"depth_anything": _depth_anything, "dpt": _dpt, "zoedepth": _zoedepth, "depth_pro": _depth_pro}
_NORMALISED = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
_PREPROCESSORS = {
    "depth_anything": {
        "size": {"height": SIDE_PX, "width": SIDE_PX},
        "keep_aspect_ratio": True,
        "ensure_multiple_of": 14,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    },
    "dpt": {"size": {"height": 64, "width": 64}, "keep_aspect_ratio": False, **_NORMALISED},
    "zoedepth": {
        "size": {"height": 64, "width": 64},
        "keep_aspect_ratio": True,
        "ensure_multiple_of": 32,
        **_NORMALISED,
    },
    "depth_pro": {"size": {"height": 64, "width": 64}, **_NORMALISED},
}
