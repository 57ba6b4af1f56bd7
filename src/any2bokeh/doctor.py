"""What works on this machine, what does not, and what to do about it. Nothing is changed, and nothing is fetched."""

import ctypes
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from any2bokeh import __version__

State = Literal[
    "ok",
    "missing",  # something that not everybody needs
    "broken",  # something that every run needs
]

BASE = {
    "numpy": "numpy",
    "numba": "numba",
    "av": "av",
    "cv2": "opencv-python-headless",
    "OpenImageIO": "OpenImageIO",
    "typer": "typer",
    "rich": "rich",
}
"""What every run imports, and the package that brings it."""

EXTRAS = {
    "app": ("starlette", "uvicorn"),
    "depth": ("torch", "transformers", "safetensors", "huggingface_hub"),
    "diffusion": ("torch", "diffusers", "transformers", "accelerate", "safetensors", "huggingface_hub"),
    "gpu": ("wgpu",),
    "cluster": ("ray",),
    "remote": ("fsspec",),
    "timeline": ("OpenTimelineIO", "otio-fcp-adapter"),
    "train": ("torch", "diffusers", "tensorboard"),
}
"""The extras that users install, and what they bring; pyproject.toml has the versions."""

_GPU_TIMEOUT_S = 10.0  # drivers that hang do so for ever
_LOW_DISK_BYTES = 5_000_000_000
_GB = 1e9
_ADAPTERS = (
    "import json; from any2bokeh.renderers.layered.gpu.device import adapters, name_of; "
    "print(json.dumps([[str(name_of(each)), name_of(each).is_software] for each in adapters()]))"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: of the thing, in one word or two.
        state: see ``State``.
        found: what is there, in one line.
        remedy: what can be done, in one line; None where there is nothing to do.
    """

    name: str
    state: State
    found: str
    remedy: str | None = None

    def __str__(self) -> str:
        return self.found if self.remedy is None else f"{self.found}; {self.remedy}"


def findings(names: Iterable[str] | None = None) -> list[Finding]:
    """Everything that was looked at, each in one line. It never raises: what fails is a finding, too.

    Args:
        names: of the things to look at; all of them where None.
    """
    checks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "packages": _packages,
        "codecs": _codecs,
        "compiled code": _compiled_code,
        "GPU": _gpu,
        "torch": _torch,
        "estimates": _estimates,
        "model cache": _model_cache,
        "models": _models,
        "studio": _studio,
        **{f"[{extra}]": partial(_extra, extra) for extra in EXTRAS},
    }
    return [_looked_at(name, checks[name]) for name in (checks if names is None else names)]


def _looked_at(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # a report on a machine that is broken in unknown ways must not break on it
        reason = " ".join(str(error).split())[:200]
        return Finding(name, "missing", f"could not be looked at ({type(error).__name__}: {reason})")


def _python() -> Finding:
    return Finding(
        "python",
        "ok",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, any2bokeh {__version__}, "
        f"{os.cpu_count()} processors",
    )


def _packages() -> Finding:
    loaded, broken = [], []
    for module, package in BASE.items():
        try:
            import_module(module)
        except Exception as error:  # a library that does not load raises whatever it likes
            broken.append(f"{package} ({' '.join(str(error).split())[:120]})")
        else:
            loaded.append(f"{package} {_version(package) or ''}".rstrip())
    if broken:
        return Finding("packages", "broken", f"do not load: {', '.join(broken)}", "pip install --upgrade any2bokeh")
    return Finding("packages", "ok", ", ".join(loaded))


def _codecs() -> Finding:
    from any2bokeh.video.encoding import VIDEO_CODECS

    encoders = {name: codec.encoder for name, codec in VIDEO_CODECS.items()} | {"aac": "aac", "opus": "libopus"}
    try:
        has = {name: _has_encoder(encoder) for name, encoder in encoders.items()}
    except ImportError as error:
        return Finding("codecs", "broken", f"PyAV does not load ({error})", "pip install --upgrade av")
    absent = [f"{name} ({encoders[name]})" for name, there in has.items() if not there]
    there = ", ".join(name for name, is_there in has.items() if is_there)
    if absent:
        found = f"PyAV writes {there or 'nothing'}, not {', '.join(absent)}"
        return Finding(
            "codecs", "broken", found, "install PyAV from PyPI, whose FFmpeg has them: pip install --force-reinstall av"
        )
    return Finding("codecs", "ok", f"PyAV writes {there}")


def _has_encoder(name: str) -> bool:
    import av
    from av.codec.codec import UnknownCodecError

    try:
        av.Codec(name, "w")
    except UnknownCodecError:
        return False
    return True


def _compiled_code() -> Finding:
    from any2bokeh.compiled import kept_in

    folder = kept_in()
    if folder is None:
        return Finding(
            "compiled code",
            "missing",
            "cannot be kept, so that every run compiles it anew, which takes up to a minute",
            "set NUMBA_CACHE_DIR to a folder that can be written",
        )
    return Finding("compiled code", "ok", f"kept in {folder}")


def _gpu() -> Finding:
    remedy = "the CPU renders"
    if find_spec("wgpu") is None:
        return Finding("GPU", "missing", "wgpu is not installed", f"pip install 'any2bokeh[gpu]'; {remedy} until then")
    try:  # in a process of its own, because drivers hang and crash
        asked = subprocess.run(
            [sys.executable, "-c", _ADAPTERS], capture_output=True, text=True, timeout=_GPU_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        found = f"the graphics driver has not answered for {_GPU_TIMEOUT_S:g} s"
        return Finding("GPU", "missing", found, f"update it, or pass --device cpu; {remedy} until then")
    if asked.returncode != 0:
        why = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1][:200]
        found = f"the graphics drivers cannot be asked ({why})"
        return Finding("GPU", "missing", found, f"install a Vulkan driver, such as mesa-vulkan-drivers; {remedy}")
    adapters: list[tuple[str, bool]] = json.loads(asked.stdout.splitlines()[-1])
    named = ", ".join(name for name, _ in adapters)
    if all(is_software for _, is_software in adapters):
        found = f"there is none, only {named}, which is the processor again" if named else "there is none"
        return Finding("GPU", "missing", found, remedy)
    return Finding("GPU", "ok", named)


def _torch() -> Finding:
    if find_spec("torch") is None:
        found = "not installed; only depth models and the diffusion engine need it"
        return Finding("torch", "missing", found, "pip install 'any2bokeh[depth]' or 'any2bokeh[diffusion]'")
    torch, built_for = _version("torch") or "", _cuda_of_torch()
    devices, driver = _cuda_devices()
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Finding("torch", "ok", f"{torch}, on Apple's GPU (mps)")
    if devices and built_for:
        return Finding("torch", "ok", f"{torch} for CUDA {built_for}, on {', '.join(devices)}")
    if devices:
        found = f"{torch} without CUDA, though there is {', '.join(devices)}"
        remedy = "install torch for CUDA as pytorch.org says; models run on the CPU until then"
        return Finding("torch", "missing", found, remedy)
    return Finding("torch", "ok", f"{torch}, on the CPU ({driver})")


def _cuda_of_torch() -> str | None:
    """The version of CUDA that torch was built for. Importing torch would take seconds; the file says it, too."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    stated: dict[str, object] = {}
    with suppress(Exception):
        exec((Path(spec.origin).parent / "version.py").read_text(encoding="utf-8"), stated)
    cuda = stated.get("cuda") or stated.get("hip")
    return None if cuda is None else str(cuda)


def _cuda_devices() -> tuple[list[str], str]:
    """Names of NVIDIA's devices, asked of their driver, and why there are none."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return [], "no NVIDIA driver"
    if driver.cuInit(0) != 0:
        return [], "the NVIDIA driver finds no device"
    count, names = ctypes.c_int(), []
    driver.cuDeviceGetCount(ctypes.byref(count))
    for index in range(count.value):
        device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
        driver.cuDeviceGet(ctypes.byref(device), index)
        driver.cuDeviceGetName(name, len(name), device)
        names.append(name.value.decode(errors="replace"))
    return names, "no NVIDIA device"


def _estimates() -> Finding:
    from any2bokeh.disparity.cache import cache_folder

    remedy = "set XDG_CACHE_HOME to a folder that can be written, or give --disparity"
    return _folder("estimates", cache_folder(), "estimated disparity", remedy)


def _model_cache() -> Finding:
    from any2bokeh.models.hub import cache_folder

    remedy = "set HF_HOME to a folder that can be written"
    return _folder("model cache", cache_folder(), "downloaded models", remedy)


def _folder(name: str, folder: Path, holds: str, remedy: str) -> Finding:
    """Whether a folder can be written, or made, and how much space there is. It is not made here."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(name, "missing", f"{folder}, for {holds}, cannot be written ({error.strerror})", remedy)
    found = f"{folder}, for {holds}, {free / _GB:.1f} GB free"
    return Finding(name, "ok", found, "that is little; make room" if free < _LOW_DISK_BYTES else None)


def _models() -> Finding:
    from any2bokeh.model_table import listed_models

    models = listed_models()
    here = [name for name, model in models.items() if model.hub_id is None or model.is_here]
    if any(models[name].purpose == "depth" for name in here):
        return Finding("models", "ok", ", ".join(here))
    found = f"{', '.join(here)}; no depth model, so that disparity is a rough estimate where none is given"
    return Finding("models", "missing", found, "any2bokeh models get small")


def _studio() -> Finding:
    import webbrowser

    try:
        webbrowser.get()
        found = "opens in the browser of this machine; any current one will do"
    except webbrowser.Error:
        found = "there is no browser here; any2bokeh app prints an address for any current browser on another machine"
    if _missing_of("app"):
        return Finding("studio", "missing", found, "it needs pip install 'any2bokeh[app]'")
    return Finding("studio", "ok", found)


def _extra(extra: str) -> Finding:
    there = ", ".join(f"{name} {_version(name)}" for name in EXTRAS[extra] if name not in _missing_of(extra))
    missing = _missing_of(extra)
    if missing:
        found = f"without {', '.join(missing)}" + (f", with {there}" if there else "")
        return Finding(f"[{extra}]", "missing", found, f"pip install 'any2bokeh[{extra}]'")
    return Finding(f"[{extra}]", "ok", there)


def _missing_of(extra: str) -> list[str]:
    return [name for name in EXTRAS[extra] if find_spec(name.lower().replace("-", "_")) is None]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
