"""A tiny SAM 2 video model with random weights, of the real class and in the layout in which transformers saves it."""

from pathlib import Path
from typing import Any

IMAGE_PX = 64
_WIDTH = 128  # twice the 64 channels of a memory, so that pointers are split as in the real model


def save_tiny_sam2(folder: Path, *, seed: int = 0) -> Path:
    """Save a model of 64x64 pixels in a folder."""
    import torch

    torch.manual_seed(seed)
    tiny_sam2().save_pretrained(folder)
    return folder


def tiny_sam2() -> Any:
    from transformers.models.sam2.configuration_sam2 import Sam2HieraDetConfig, Sam2VisionConfig
    from transformers.models.sam2_video.configuration_sam2_video import Sam2VideoConfig
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel

    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[IMAGE_PX, IMAGE_PX],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 1, 1],
        window_size_per_stage=[4, 4, 4, 4],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[IMAGE_PX // 4] * 2, [IMAGE_PX // 8] * 2, [IMAGE_PX // 16] * 2],
        fpn_hidden_size=_WIDTH,
    )
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": _WIDTH, "image_size": IMAGE_PX, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": _WIDTH,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 32,
        },
        image_size=IMAGE_PX,
        memory_attention_hidden_size=_WIDTH,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_rope_feat_sizes=[IMAGE_PX // 16] * 2,
        memory_encoder_hidden_size=_WIDTH,
        mask_downsampler_embed_dim=_WIDTH,
        memory_fuser_embed_dim=_WIDTH,
        memory_fuser_intermediate_dim=32,
        memory_fuser_num_layers=1,
    )
    return Sam2VideoModel(config)
