"""The pipeline: frames, disparity and focus in; bokeh out. One pass of the U-Net, no noise."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, cast, get_args

import numpy as np
import torch
from diffusers.models.activations import GEGLU
from diffusers.models.resnet import ResnetBlock2D, TemporalResnetBlock
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from numpy.typing import ArrayLike, NDArray
from torch import nn
from transformers import CLIPVisionModelWithProjection

from any2bokeh.errors import InputError, require_choice
from any2bokeh.mpi import disparity_difference, region_index
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion.checkpoints.model_card import ModelCard
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder, SkipFeatures
from any2bokeh.renderers.diffusion.network.cpu_modules import use_cpu_modules
from any2bokeh.renderers.diffusion.network.image_embedding import image_embedding
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.blending import blended_groups
from any2bokeh.renderers.diffusion.run.compose import composed
from any2bokeh.renderers.diffusion.run.device_copies import Download, download_stream, upload
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.processing_size import ProcessingSize

OutputType = Literal["frames", "np", "pt", "pil"]
"""``frames``: ``(T, 3, H, W)`` float32 in NumPy; ``np``: ``(T, H, W, 3)``, as other pipelines of diffusers have it;
``pt``: a tensor ``(T, 3, H, W)``; ``pil``: a list of 8-bit pictures."""


@dataclass(frozen=True, slots=True)
class AnyToBokehOutput:
    """Result of the pipeline.

    Attributes:
        frames: RGB, display-referred, of the ``output_type``; of the source's size, or of the processing size where
            composing is off.
    """

    frames: Any


@dataclass(slots=True)
class _ClipFrame:
    """A frame on its way through the pipeline; ``encoded`` is set once, when the first window needs it."""

    index: int
    given: RenderInput
    encoded: "_EncodedFrame | None" = None


@dataclass(frozen=True, slots=True)
class _EncodedFrame:
    """What the model and the composition need of a frame."""

    source: torch.Tensor  # (3, H, W)
    disparity: torch.Tensor  # (1, H, W)
    small_source: torch.Tensor  # (3, h, w)
    small_disparity: torch.Tensor  # (1, h, w)
    latents: torch.Tensor  # (8, h/8, w/8): of the frame, then of V_D
    embedding: torch.Tensor  # (1, C)
    regions: torch.Tensor  # (h, w) uint8, padded
    skip_features: SkipFeatures


class AnyToBokehPipeline(DiffusionPipeline):
    """One-step video refocusing.

    Args:
        unet: the U-Net.
        vae: the autoencoder.
        image_encoder: CLIP image encoder; None = the cross-attention context is zero.
        card: how the weights want to be fed; a mapping as ``model_index.json`` has it.

    Source: Yang et al., Any-to-Bokeh, ICLR 2026 (arXiv 2505.21593).
    """

    unet: BokehUNet
    vae: BokehAutoencoder
    image_encoder: CLIPVisionModelWithProjection | None
    model_cpu_offload_seq = "image_encoder->unet->vae"
    _optional_components = ["image_encoder"]  # noqa: RUF012 - name and form are the base's

    def __init__(
        self,
        unet: BokehUNet,
        vae: BokehAutoencoder,
        image_encoder: CLIPVisionModelWithProjection | None,
        card: ModelCard | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if vae.dtype == torch.float16 and vae.config.get("force_upcast", True):
            nn.Module.to(vae, torch.float32)  # it overflows in float16
        self.register_modules(unet=unet, vae=vae, image_encoder=image_encoder)
        self.card = card if isinstance(card, ModelCard) else ModelCard(**(card or {}))

    @classmethod
    def from_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, model: str | Path, **options: Any
    ) -> "AnyToBokehPipeline":
        """Load a checkpoint.

        Args:
            model: folder, hub id or ``compact``.
            options: those of ``checkpoint.load``; ``torch_dtype`` is another name of ``dtype``, and
                ``use_safetensors`` may be given, but not as False.

        Raises:
            InputError: see ``checkpoint.load``.
        """
        from any2bokeh.renderers.diffusion.checkpoints import checkpoint

        if options.pop("use_safetensors", None) is False:
            raise InputError("use_safetensors is False; weights are read from safetensors only, so leave it out")
        if "torch_dtype" in options:
            options["dtype"] = options.pop("torch_dtype")
        return checkpoint.load(model, **options)

    def save_pretrained(self, folder: str | Path, **provenance: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Save a self-describing checkpoint; see ``checkpoint.save``."""
        from any2bokeh.renderers.diffusion.checkpoints import checkpoint

        checkpoint.save(self, Path(folder), provenance=provenance)

    def optimize(self, *, channels_last: bool = True, compile: bool = False) -> Self:
        """Choose how the networks run, on the device that they are on; the result stays the same up to rounding.

        Args:
            channels_last: memory layout that convolutions of a GPU want in half precision.
            compile: ``torch.compile`` the residual blocks and the gated units, where pointwise work is fused, at their
                first use; worth its minutes on long clips. Attention has fused kernels of its own.
        """
        for network in (self.unet, self.vae.encoder, self.vae.decoder):
            if self.unet.device.type == "cpu":
                use_cpu_modules(network)
            for module in network.modules():
                if channels_last and isinstance(module, nn.Conv2d):
                    module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
                if compile and isinstance(module, ResnetBlock2D | TemporalResnetBlock | GEGLU):
                    module.compile(dynamic=True)  # few graphs for the many sizes
        return self

    @torch.no_grad()
    def __call__(
        self,
        frames: NDArray[np.float32],
        disparity: NDArray[np.float32],
        focus_disparity: ArrayLike,
        blur_strength: ArrayLike,
        *,
        options: PipelineOptions | None = None,
        generator: torch.Generator | None = None,
        output_type: OutputType = "frames",
        return_dict: bool = True,
    ) -> AnyToBokehOutput:
        """Refocus a clip that is in memory.

        Args:
            frames: ``(T, 3, H, W)`` RGB in [0, 1], display-referred; T from 1, H and W from 64.
            disparity: ``(T, 1, H, W)`` in [0, 1], 1 = nearest.
            focus_disparity: d_f in [0, 1], one number or ``(T,)``.
            blur_strength: K >= 0, one number or ``(T,)``; radius in pixels per unit of disparity in a frame of 1024 px
                on its longer side.
            options: None = the defaults.
            generator: its seed takes the place of that in ``options``. One pass without noise needs none: it matters
                only with ``PipelineOptions(latent="sample")``.
            output_type: see ``OutputType``.
            return_dict: False returns a tuple of the frames alone.

        Raises:
            InputError: shapes that do not fit, values that are not finite or out of range, an unknown output type.
        """
        # 1. Check the inputs
        require_choice("output_type", output_type, get_args(OutputType))
        frames, disparity = np.asarray(frames, np.float32), np.asarray(disparity, np.float32)
        if frames.ndim != 4 or frames.shape[1] != 3 or len(frames) == 0:
            raise InputError(f"frames have shape {frames.shape}; they must be (T, 3, H, W) with at least one frame")
        if disparity.shape != (len(frames), 1, *frames.shape[2:]):
            raise InputError(
                f"disparity has shape {disparity.shape}; "
                f"it must be {(len(frames), 1, *frames.shape[2:])} like the frames"
            )
        focus = _per_frame(focus_disparity, len(frames), "focus_disparity")
        strength = _per_frame(blur_strength, len(frames), "blur_strength")
        inputs = [
            RenderInput(pixels, one_disparity, float(d_f), float(k))
            for pixels, one_disparity, d_f, k in zip(frames, disparity, focus, strength, strict=True)
        ]
        for index, each in enumerate(inputs):
            check_input(each, index)

        if generator is not None:
            options = replace(options or PipelineOptions(), seed=generator.initial_seed())

        # 2. Render them in one pass
        rendered = _as_output(np.stack(list(self.stream(inputs, options=options))), output_type)
        return AnyToBokehOutput(rendered) if return_dict else cast(Any, (rendered,))  # as pipelines of diffusers do

    @torch.no_grad()
    def stream(
        self, inputs: Iterable[RenderInput], *, options: PipelineOptions | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Refocus a clip of any length in flat memory.

        Args:
            inputs: frames in order, all of one size; at most a window of them is read ahead.
            options: None = the defaults.

        Yields:
            ``(3, H, W)`` float32 for every input; the very input array where K is 0.

        Raises:
            InputError: see ``__call__``; the frame is named.
        """
        options = options or PipelineOptions()
        downloads = download_stream(self._execution_device)

        # 1. Windows of frames; each is encoded when the first window needs it
        groups = blended_groups(
            _numbered(inputs, options), options.plan, lambda window: self._predict_window(window, options)
        )
        for group in groups:
            for start in range(0, len(group), options.frames_per_decode):
                # 2. Decode, once for every frame
                part = group[start : start + options.frames_per_decode]
                pictures = self._decode(part, options)

                # 3. Compose at full size; downloads run while the next frame is composed
                pending = [
                    None if picture is None else Download(self._compose(frame, picture, options), downloads)
                    for (frame, _), picture in zip(part, pictures, strict=True)
                ]
                for (frame, _), download in zip(part, pending, strict=True):
                    yield frame.given.pixels if download is None else download.wait()
                    frame.encoded = None

    def _predict_window(self, window: list[_ClipFrame], options: PipelineOptions) -> torch.Tensor | None:
        """``(T, 4, h, w)`` float32 latents of the bokeh frames; None where no frame wants blur."""
        if all(frame.given.blur_strength == 0 for frame in window):
            return None
        encoded = [self._encoded(frame, options) for frame in window]
        device, dtype = self._execution_device, self.unet.dtype
        ids = [options.fps - 1, options.motion_bucket, 0]  # the base model was trained on fps - 1
        size = _size_of(window[0].given, options)
        inside_scale = max(size.scaled) / REFERENCE_LONG_SIDE_PX
        strengths = [frame.given.blur_strength * inside_scale for frame in window]
        prediction = self.unet(
            torch.stack([frame.latents for frame in encoded])[None].to(dtype),
            encoder_hidden_states=torch.stack([frame.embedding for frame in encoded])[None].to(dtype),
            added_time_ids=torch.tensor([ids], dtype=torch.float32, device=device),
            blur_strength=torch.tensor([strengths], dtype=torch.float32, device=device),
            region_index=torch.stack([frame.regions for frame in encoded])[None],
            single_token_shortcut=True,
            blur_precision=self.card.blur_precision,
        )
        return prediction[0].float()

    def _encoded(self, frame: _ClipFrame, options: PipelineOptions) -> _EncodedFrame:
        if frame.encoded is None:
            frame.encoded = self._encode(frame, options)
        return frame.encoded

    def _encode(self, frame: _ClipFrame, options: PipelineOptions) -> _EncodedFrame:
        given, device = frame.given, self._execution_device
        size = _size_of(given, options)

        # 1. To the size that the model sees; disparity on the host, where the regions are found without waiting
        source = upload(given.pixels, device)[None]
        small_source = size.shrink_pixels(source.clamp(0.0, 1.0))
        small_disparity = size.shrink_disparity(torch.from_numpy(np.ascontiguousarray(given.disparity))[None])
        padded_disparity = size.pad(small_disparity)[0].numpy()  # (1, h, w)

        # 2. Latents of the frame and of V_D
        encoded = self._vae_encode(size.pad(small_source) * 2.0 - 1.0)
        difference = upload(disparity_difference(padded_disparity, given.focus_disparity), device)
        encoded_difference = self._vae_encode(difference.expand(3, -1, -1)[None] * 2.0 - 1.0)
        scaling = self.vae.latent_scale
        latents = torch.cat(
            [
                scaling * self._latent(encoded.mean, encoded.logvar, options, frame.index, "frame"),
                (scaling if self.card.disparity_latent == "scaled" else 1.0)
                * self._latent(encoded_difference.mean, encoded_difference.logvar, options, frame.index, "disparity"),
            ],
            dim=1,
        )

        # 3. Image embedding and MPI regions
        if self.image_encoder is None:
            embedding = latents.new_zeros(1, self.unet.context_dim)
        else:
            embedding = image_embedding(self.image_encoder, small_source, self.card.clip_normalization)[0]
        regions = region_index(padded_disparity[0], given.focus_disparity, alpha=self.card.alpha)
        return _EncodedFrame(
            source=source[0],
            disparity=upload(given.disparity, device),
            small_source=small_source[0],
            small_disparity=upload(small_disparity[0].numpy(), device),
            latents=latents[0],
            embedding=embedding,
            regions=torch.from_numpy(regions),
            skip_features=encoded.skip_features,
        )

    def _vae_encode(self, pixels: torch.Tensor) -> Any:
        return self.vae.encode_frames(pixels.to(self.vae.dtype))

    def _latent(
        self, mean: torch.Tensor, logvar: torch.Tensor, options: PipelineOptions, index: int, of: str
    ) -> torch.Tensor:
        """Float32 latent; a sampled one comes from a stream of its own for every frame, the same on every device."""
        if options.latent == "mean":
            return mean.float()
        digest = hashlib.sha256(f"{options.seed} {index} {of}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)
        noise = torch.randn(mean.shape, generator=generator).to(mean.device)
        return mean.float() + (0.5 * logvar.float()).exp() * noise

    def _decode(
        self, part: list[tuple[_ClipFrame, torch.Tensor | None]], options: PipelineOptions
    ) -> list[torch.Tensor | None]:
        """Pictures ``(3, h, w)`` in [0, 1], without padding; None for frames whose K is 0."""
        wanted = [frame.given.blur_strength > 0 for frame, _ in part]
        if not any(wanted):
            return [None] * len(part)
        latents = torch.stack([blended for _, blended in part if blended is not None])
        skip_features = SkipFeatures.cat([self._encoded(frame, options).skip_features for frame, _ in part])
        decoded = self.vae.decode_frames(
            (latents / self.vae.latent_scale).to(self.vae.dtype),
            skip_features,
            framewise=options.framewise_decode,
        )
        pictures = (_size_of(part[0][0].given, options).crop(decoded).float() * 0.5 + 0.5).clamp(0.0, 1.0)
        return [picture if one_wanted else None for picture, one_wanted in zip(pictures, wanted, strict=True)]

    def _compose(self, frame: _ClipFrame, picture: torch.Tensor, options: PipelineOptions) -> torch.Tensor:
        if not options.compose:
            return picture
        encoded = self._encoded(frame, options)
        return composed(
            encoded.source,
            encoded.disparity,
            frame.given.focus_disparity,
            frame.given.blur_strength,
            encoded.small_source,
            encoded.small_disparity,
            picture,
            _size_of(frame.given, options),
        )


def _as_output(frames: NDArray[np.float32], output_type: OutputType) -> Any:
    if output_type == "pt":
        return torch.from_numpy(frames)
    if output_type == "np":
        return frames.transpose(0, 2, 3, 1)
    if output_type == "pil":
        from diffusers.image_processor import VaeImageProcessor

        return VaeImageProcessor.numpy_to_pil(frames.transpose(0, 2, 3, 1).clip(0, 1))
    return frames


def check_input(given: RenderInput, index: int) -> None:
    """Raise InputError, naming the frame, unless its arrays fit each other and its values are finite and in range."""
    if given.pixels.ndim != 3 or given.pixels.shape[0] != 3:
        raise InputError(f"frame {index} has shape {given.pixels.shape}; it must be (3, H, W)")
    if given.disparity.shape != (1, *given.pixels.shape[1:]):
        raise InputError(
            f"disparity of frame {index} has shape {given.disparity.shape}; it must be {(1, *given.pixels.shape[1:])}"
        )
    if not np.isfinite(given.pixels).all():
        raise InputError(f"frame {index} has pixels that are NaN or infinite; export it again")
    if not np.isfinite(given.disparity).all():
        count = int((~np.isfinite(given.disparity)).sum())
        raise InputError(
            f"disparity of frame {index} has {count} values that are NaN or infinite; fill or export it again"
        )
    low, high = float(given.disparity.min()), float(given.disparity.max())
    if low < 0.0 or high > 1.0:
        raise InputError(f"disparity of frame {index} spans {low:g} to {high:g}; it must lie in [0, 1], scale the clip")
    if not 0.0 <= given.focus_disparity <= 1.0:
        raise InputError(f"focus disparity of frame {index} is {given.focus_disparity:g}; it must lie in [0, 1]")
    if not 0.0 <= given.blur_strength < float("inf"):
        raise InputError(f"blur strength of frame {index} is {given.blur_strength:g}; it must be finite and at least 0")


def _numbered(inputs: Iterable[RenderInput], options: PipelineOptions) -> Iterator[_ClipFrame]:
    """Frames with their number, each checked as it comes."""
    first_shape: tuple[int, ...] | None = None
    for index, given in enumerate(inputs):
        check_input(given, index)
        if first_shape is None:
            first_shape = given.pixels.shape
            _size_of(given, options)
        if given.pixels.shape != first_shape:
            raise InputError(
                f"frame {index} is {given.pixels.shape[2]}x{given.pixels.shape[1]} but frame 0 is "
                f"{first_shape[2]}x{first_shape[1]}; all frames of a clip must have one size"
            )
        yield _ClipFrame(index, given)


def _size_of(given: RenderInput, options: PipelineOptions) -> ProcessingSize:
    height, width = given.pixels.shape[1:]
    return ProcessingSize.of(height, width, options.processing_size_px)


def _per_frame(values: ArrayLike, frame_count: int, name: str) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim == 0:
        return np.full(frame_count, array)
    if array.shape != (frame_count,):
        raise InputError(f"{name} has shape {array.shape}; it must be one number or {frame_count} numbers")
    return array
