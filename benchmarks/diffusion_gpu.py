"""Speed and peak memory of the diffusion engine beside its slow twin: ``python -m benchmarks.diffusion_gpu --out DIR``.

Full-size random weights, 1024x576, bfloat16. The twin does the same mathematics in the straightforward way: it encodes
every window anew, attends with all tokens through a dense mask, and decodes without slices. Both render the same
frames, and the pictures are compared: they must differ by no more than twice what bfloat16 makes of float32.

A measurement that is done stands in ``DIR/diffusion_gpu.json`` and is not taken again; start it again until it says
``complete``. Without a GPU, ``--tiny`` goes through the same steps with a tiny model and small frames.
"""

import argparse
import gc
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.utils import logging as diffusers_logging
from numpy.typing import NDArray
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion import reference
from any2bokeh.renderers.diffusion.checkpoints.tiny import open_gates, tiny_pipeline
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline

BARE = PipelineOptions(compose=False)
"""The twin gives bare pictures; composing is timed on its own."""

KEPT_STRIDE = 8
"""Every so many pixels of the twin's pictures are kept for later comparisons."""

LEAST_SPEED_UP = 2.5
MOST_PEAK_GB = 9.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured.

    Attributes:
        width, height: of the frames.
        frames: of the clip.
        rounds: how often each method renders it.
        dtype: of the weights.
        tiny: a tiny model.
    """

    width: int
    height: int
    frames: int
    rounds: int
    dtype: torch.dtype
    tiny: bool


def main() -> int:
    arguments = _arguments()
    diffusers_logging.set_verbosity_error()  # it warns of casts that concern no module here
    device = torch.device(arguments.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cpu" and not arguments.tiny:
        print("no CUDA device here; pass --tiny to go through the steps without one", file=sys.stderr)
        return 2
    setting = (
        Setting(128, 64, 9, 1, torch.float32, True)
        if arguments.tiny
        else Setting(arguments.width, arguments.height, arguments.frames, arguments.rounds, torch.bfloat16, False)
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = Record(arguments.out / "diffusion_gpu.json", _machine(device), vars_of(setting))
    deadline = time.monotonic() + arguments.budget_s
    inputs = list(clip(setting))

    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "rounding": lambda: rounding(setting, device),
        "reference": lambda: reference_run(setting, device, inputs, arguments.out),
        "engine": lambda: engine_run(setting, device, inputs, arguments.out),
        "engine_compiled": lambda: engine_run(setting, device, inputs, arguments.out, compile=True),
        "engine_composed": lambda: engine_run(setting, device, inputs, None, options=PipelineOptions()),
        "engine_released": lambda: engine_run(setting, device, inputs, None, mode="released"),
        "engine_offloaded": lambda: engine_run(setting, device, inputs, arguments.out, offload=True),
    }
    if device.type == "cpu":
        del steps["engine_offloaded"], steps["engine_compiled"]
    for name, step in steps.items():
        if record.has(name):
            continue
        if time.monotonic() > deadline:
            print(f"time is up before {name}; start again to go on")
            return 0
        print(f"{name} ...", flush=True)
        try:
            record.add(name, step())
        except torch.OutOfMemoryError as error:
            record.add(name, {"out_of_memory": str(error).splitlines()[0]})
        print(f"{name}: {json.dumps(record.values[name])}", flush=True)
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    record.add("verdict", verdict(record.values))
    print(json.dumps(record.values["verdict"], indent=2))
    print("complete")
    return 0


class Record:
    """Measurements on disk, each written as it comes. One of another machine or setting is begun anew."""

    def __init__(self, path: Path, machine: dict[str, Any], setting: dict[str, Any]) -> None:
        self._path = path
        head = {"machine": machine, "setting": setting}
        self.values: dict[str, Any] = head
        if path.is_file():
            found = json.loads(path.read_text())
            if all(found.get(key) == value for key, value in head.items()):
                self.values = found

    def has(self, name: str) -> bool:
        return name in self.values

    def add(self, name: str, value: dict[str, Any]) -> None:
        self.values[name] = value
        self._path.write_text(json.dumps(self.values, indent=2) + "\n")


def clip(setting: Setting) -> Iterator[RenderInput]:
    """Frames with a slope, a near disc that moves, and a focus that drifts; K 24."""
    rng = np.random.default_rng(0)
    height, width = setting.height, setting.width
    texture = rng.random((3, height // 8, width // 8 + setting.frames), dtype=np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    for frame in range(setting.frames):
        part = texture[:, :, frame : frame + width // 8]
        pixels = np.kron(part, np.ones((1, 8, 8), np.float32))
        disparity = 0.1 + 0.5 * rows / height
        centre = width * (0.3 + 0.4 * frame / max(setting.frames, 1))
        disparity = np.where(np.hypot(rows - height / 2, columns - centre) < height / 4, 0.9, disparity)
        yield RenderInput(
            np.ascontiguousarray(pixels), disparity[None].astype(np.float32), 0.3 + 0.5 * frame / setting.frames, 24.0
        )


def build(setting: Setting, device: torch.device, mode: str = "masked") -> AnyToBokehPipeline:
    """The model with random weights, the same every time."""
    if setting.tiny:
        return tiny_pipeline(0, unet={"mpi_mode": mode}).to(device)
    torch.manual_seed(0)
    with torch.device(device):
        unet = BokehUNet(mpi_mode=mode)  # pyright: ignore[reportArgumentType]
        open_gates(unet)
        unet.to(setting.dtype)  # pyright: ignore[reportArgumentType]
        vae = BokehAutoencoder().to(setting.dtype)  # pyright: ignore[reportArgumentType]
        vit_h = CLIPVisionConfig(
            hidden_size=1280,
            intermediate_size=5120,
            num_hidden_layers=32,
            num_attention_heads=16,
            image_size=224,
            patch_size=14,
            projection_dim=1024,
        )
        encoder = CLIPVisionModelWithProjection(vit_h).to(setting.dtype)  # pyright: ignore[reportArgumentType]
    for network in (unet, vae, encoder):
        network.eval().requires_grad_(False)
    # diffusers makes a few parameters on the CPU whatever the default device.
    return AnyToBokehPipeline(unet, vae, encoder).to(device)


def rounding(setting: Setting, device: torch.device) -> dict[str, Any]:
    """What the dtype makes of float32: one window of the twin, in both."""
    small = Setting(min(setting.width, 320), min(setting.height, 192), 8, 1, setting.dtype, setting.tiny)
    inputs = list(clip(small))
    pipeline = build(small, device)
    exact = reference.refocus(pipeline.to(torch.float32), inputs, BARE, attend=reference.fused_attention)
    rounded = reference.refocus(pipeline.to(setting.dtype), inputs, BARE, attend=reference.fused_attention)
    return difference(rounded, exact)


def reference_run(setting: Setting, device: torch.device, inputs: list[RenderInput], out: Path) -> dict[str, Any]:
    """The slow twin."""
    pipeline = build(setting, device)
    pictures, cost = measured(
        lambda given: reference.refocus(pipeline, given, BARE, attend=reference.fused_attention),
        inputs,
        setting,
        device,
    )
    np.save(out / "reference_pictures.npy", kept(pictures))
    return cost


def engine_run(
    setting: Setting,
    device: torch.device,
    inputs: list[RenderInput],
    compare_in: Path | None,
    *,
    options: PipelineOptions = BARE,
    mode: str = "masked",
    offload: bool = False,
    compile: bool = False,
) -> dict[str, Any]:
    """The engine; compared with the twin's pictures where ``compare_in`` is given."""
    pipeline = build(setting, device, mode)
    if offload:
        pipeline.to("cpu")
        pipeline.enable_model_cpu_offload(device=device)
    pipeline.optimize(channels_last=device.type == "cuda", compile=compile)
    pictures, cost = measured(
        lambda given: np.stack(list(pipeline.stream(given, options=options))), inputs, setting, device
    )
    if compare_in is not None:
        cost["difference"] = difference(kept(pictures), np.load(compare_in / "reference_pictures.npy"))
    return cost


def measured(
    render: Callable[[list[RenderInput]], NDArray[np.float32]],
    inputs: list[RenderInput],
    setting: Setting,
    device: torch.device,
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Pictures, frames a second over the rounds, and peak memory; the first window, untimed, warms up."""
    render(inputs[:9])
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    seconds = []
    pictures = np.empty(0, np.float32)
    for _ in range(setting.rounds):
        start = time.perf_counter()
        pictures = render(inputs)  # pictures on the host: everything is done
        seconds.append(time.perf_counter() - start)
    rates = sorted(len(inputs) / each for each in seconds)
    cost: dict[str, Any] = {
        "frames_per_s": round(statistics.median(rates), 4),
        "frames_per_s_range": [round(rates[0], 4), round(rates[-1], 4)],
        "rounds": len(rates),
    }
    if device.type == "cuda":
        cost["peak_allocated_gb"] = round(torch.cuda.max_memory_allocated(device) / 1e9, 3)
        cost["peak_reserved_gb"] = round(torch.cuda.max_memory_reserved(device) / 1e9, 3)
    return pictures, cost


def kept(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    return pictures[:, :, ::KEPT_STRIDE, ::KEPT_STRIDE]


def difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> dict[str, Any]:
    """How far pictures in [0, 1] are apart."""
    gap = np.abs(first.astype(np.float64) - second)
    return {
        "mean_abs": float(gap.mean()),
        "p999_abs": float(np.quantile(gap, 0.999)),
        "max_abs": float(gap.max()),
        "all_finite": bool(np.isfinite(gap).all()),
    }


def verdict(values: dict[str, Any]) -> dict[str, Any]:
    """The targets, held or not; peak memory is what tensors took, what the allocator held is told beside it."""
    engine, twin = values["engine"], values["reference"]
    if "out_of_memory" in engine or "out_of_memory" in twin:
        return {"held": False, "why": "out of memory"}
    gap, allowed = engine["difference"]["mean_abs"], 2 * values["rounding"]["mean_abs"]
    # Where nothing is rounded (float32) both are exact up to the order of sums.
    agrees = engine["difference"]["all_finite"] and gap <= max(allowed, 1e-5)
    speed_up = engine["frames_per_s"] / twin["frames_per_s"]
    result = {
        "agrees": agrees,
        "mean_abs_difference": gap,
        "allowed_difference": max(allowed, 1e-5),
        "speed_up": round(speed_up, 3),
        "least_speed_up": LEAST_SPEED_UP,
    }
    held = agrees and speed_up >= LEAST_SPEED_UP
    if "peak_reserved_gb" in engine:
        peak = engine["peak_allocated_gb"]
        result |= {
            "peak_gb": peak,
            "peak_reserved_gb": engine["peak_reserved_gb"],
            "reference_peak_gb": twin["peak_allocated_gb"],
            "most_peak_gb": MOST_PEAK_GB,
        }
        held = held and peak <= MOST_PEAK_GB
    return {"held": held, **result}


def vars_of(setting: Setting) -> dict[str, Any]:
    return {name: str(getattr(setting, name)) for name in setting.__slots__}


def _machine(device: torch.device) -> dict[str, Any]:
    import diffusers
    import transformers

    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "commit": commit or "unknown",
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--height", type=int, default=576)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", help="cuda, or cpu with --tiny")
    parser.add_argument("--budget-s", type=float, default=420.0, help="no measurement is begun after so long")
    parser.add_argument("--tiny", action="store_true", help="tiny model and frames, any device")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
