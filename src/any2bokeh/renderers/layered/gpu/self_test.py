"""The self-test of an adapter: small frames on it and on the CPU. A wrong picture is worse than a slow one."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from any2bokeh.disparity.cache import cache_folder
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.transfer import Transfer, lookup_tables
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.gpu.device import AdapterName, Device, GpuFault
from any2bokeh.renderers.layered.gpu.shaders import FOLDER
from any2bokeh.renderers.layered.renderer import LayeredRenderer

HEIGHT, WIDTH = 72, 112
MOST_MEAN = 0.25
"""Mean difference, in codes of 8 bits, up to which an adapter passes; llvmpipe has 0.18, from large radii alone."""
MOST_WRONG = 0.005
"""Share of pixels more than 4 codes off; llvmpipe has none."""

_LOOKS = ({}, {"axial_chromatic": 0.05})
_CUT_LOOKS = ({"vignetting": Vignetting(0.8, 0.3), "profile": BokehProfile(spherical=0.5)},)


@dataclass(frozen=True, slots=True)
class Need:
    """Which variants of the shaders a look needs: only these are compiled and tested, each when it is first needed.

    Attributes:
        cuts: those for shapes that vignetting cuts.
        codes_16: those for code values of 16 bits, which a transfer with a table has.
    """

    cuts: bool = False
    codes_16: bool = True

    @property
    def looks(self) -> tuple[dict[str, Any], ...]:
        """Looks that need them."""
        transfer = "srgb" if self.codes_16 else "none"
        return tuple({**look, "transfer": transfer} for look in (*_LOOKS, *(_CUT_LOOKS if self.cuts else ())))

    @classmethod
    def of(cls, *, vignetting: Vignetting | None = None, transfer: Transfer = "srgb", **_others: object) -> "Need":
        """That of a look, given as for ``LayeredRenderer``."""
        return cls(vignetting is not None and not vignetting.is_open, len(lookup_tables(transfer)[0]) > 0)


EVERYTHING = (Need(cuts=True), Need(cuts=True, codes_16=False))


def require_passed(device: Device, need: Need, *, kept_in: Path | None = None) -> None:
    """Test an adapter, or remember how it did when it was tested with this driver and these shaders.

    Args:
        device: what is tested.
        need: with which shaders.
        kept_in: folder for what is remembered; None = ``any2bokeh/gpu`` in the user's cache folder.

    Raises:
        GpuFault: it gives other pictures than the CPU, or fails.
    """
    folder = kept_in or cache_folder().parent / "gpu"
    place = folder / f"{_key(device.name, need)}.json"
    fault = _remembered(place)
    if fault is None:
        fault = _tested(device, need)
        _remember(place, device.name, fault)
    if fault:
        raise GpuFault(f"{device.name} {fault}")


def worst_differences(device: Device, *needs: Need) -> tuple[float, float]:
    """Mean difference from the CPU's picture in codes of 8 bits, and share of pixels more than 4 codes off, of 1; the
    worst of the looks of ``needs``.

    Raises:
        GpuFault: the device fails.
    """
    from any2bokeh.renderers.layered.gpu.renderer import GpuRenderer

    mean, wrong = 0.0, 0.0
    frame = _frame()
    for look in (look for need in needs for look in need.looks):
        right = LayeredRenderer(threads=1, **look).render_frame(frame)
        found = GpuRenderer(lambda: device, raises=True, threads=1, **look).render_frame(frame)
        apart = np.nan_to_num(np.abs(found - right) * 255, nan=255.0)
        mean, wrong = max(mean, float(apart.mean())), max(wrong, float((apart.max(axis=0) > 4).mean()))
    return mean, wrong


def _tested(device: Device, need: Need) -> str:
    """What is wrong with a device; nothing where it passes."""
    mean, wrong = worst_differences(device, need)
    if mean <= MOST_MEAN and wrong <= MOST_WRONG:
        return ""
    return f"gives other pictures than the CPU ({mean:.2f} codes of 255 on average, {wrong:.1%} of pixels wrong)"


def _frame() -> RenderInput:
    """Cards at several disparities before a slope, with radii from 0 to some 40 px, and lamps behind them."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 1, (3, HEIGHT // 4, WIDTH // 4))
    pixels = np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2).astype(np.float32)
    disparity = np.linspace(0.02, 0.3, HEIGHT, dtype=np.float32)[:, None] + np.zeros(WIDTH, np.float32)
    for top, left, side, near in ((8, 10, 30, 0.45), (36, 40, 24, 0.6), (20, 66, 40, 0.98)):
        disparity[top : top + side, left : left + side] = near
    pixels[:, 48:, :44] *= 0.1
    pixels[:, 53:70:8, 5:44:9] = 1
    return RenderInput(pixels, disparity[None], 0.45, 75.0 * 1024 / WIDTH)


def _key(name: AdapterName, need: Need) -> str:
    digest = hashlib.sha256(repr((name, need)).encode())
    for file in sorted([*FOLDER.glob("*.wgsl"), *Path(__file__).parent.glob("*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _remembered(place: Path) -> str | None:
    try:
        fault = json.loads(place.read_text(encoding="utf-8"))["fault"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return fault if isinstance(fault, str) else None


def _remember(place: Path, name: AdapterName, fault: str) -> None:
    """Keep a result; where nothing can be kept, the next run tests again."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        pending = place.with_suffix(f".{os.getpid()}.tmp")
        pending.write_text(json.dumps({"adapter": str(name), "driver": name.driver, "fault": fault}), encoding="utf-8")
        pending.replace(place)
    except OSError:
        return
