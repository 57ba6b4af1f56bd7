"""What a training is: model, clips, stages, and how the steps are taken."""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from any2bokeh.errors import InputError, require_choice
from any2bokeh.training.clips import ProceduralClips
from any2bokeh.training.networks import ModelStart
from any2bokeh.training.stages import Stage
from any2bokeh.training.windows import Cut

ExportDtype = Literal["float32", "float16", "bfloat16"]
Precision = Literal["no", "bf16", "fp16", "float64"]
"""``bf16``, ``fp16``: of the forward passes; weights and optimiser are float32. On a CPU ``fp16`` is ``no``, and
``bf16`` is fast where the processor has matrix units for it (AMX). ``no``: float32 throughout.
``float64``: throughout; slow, to compare runs that add up in another order."""

Owner = TypeVar("Owner")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One training. Two runs of one config, data and number of processes take the same steps.

    Attributes:
        name: of the config.
        start: what the weights start from.
        stages: in their order.
        clips: what ``--data procedural`` makes.
        cut: what is cut out of the clips.
        seed: of random weights, of the order of the clips, of perturbation and noise.
        precision: see ``Precision``.
        average_decay: of the average of the weights, which each stage hands on and which is exported.
        weight_decay: of AdamW.
        largest_gradient_norm: gradients are scaled down to it.
        gradient_checkpointing: less memory, a third more time.
        export_dtype: of the exported weights.
    """

    name: str
    start: ModelStart
    stages: tuple[Stage, ...]
    clips: ProceduralClips = field(default_factory=ProceduralClips)
    cut: Cut = field(default_factory=Cut)
    seed: int = 0
    precision: Precision = "no"
    average_decay: float = 0.999
    weight_decay: float = 1e-2
    largest_gradient_norm: float = 1.0
    gradient_checkpointing: bool = False
    export_dtype: ExportDtype = "float32"

    def __post_init__(self) -> None:
        require_choice("precision", self.precision, get_args(Precision))
        if not 0 <= self.average_decay < 1:
            raise InputError(f"average_decay is {self.average_decay:g}; it must be at least 0 and below 1")
        require_choice("export_dtype", self.export_dtype, get_args(ExportDtype))
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) != len(names):
            raise InputError(f"stages of config {self.name} are {names}; there must be some, of different names")

    def stage_index(self, name: str) -> int:
        """Place of a stage.

        Raises:
            InputError: there is no such stage.
        """
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise InputError(f"config {self.name} has no stage {name}; it has {', '.join(names)}, or take all")
        return names.index(name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return _plain(dataclasses.asdict(self))


def read_config(path: Path, named: Mapping[str, TrainingConfig]) -> TrainingConfig:
    """Read a config of the user's: ``base`` names one of ours, all other keys change its fields.

    ::

        base = "compact"
        average_decay = 0.9995
        [stages.1]
        steps = 20000

    Raises:
        InputError: not TOML, no such base, unknown keys, values of another type or out of range.
    """
    try:
        table = tomllib.loads(path.read_text())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    base = table.pop("base", None)
    require_choice(f"base of {path}", base, named)
    table.setdefault("name", path.stem)
    return changed(named[base], table, str(path))


def changed(owner: Owner, table: Mapping[str, Any], where: str) -> Owner:
    """A dataclass with the fields of a table in place of its own.

    Args:
        owner: the dataclass.
        table: new values; tables change nested dataclasses, and stages by their names.
        where: the file, for the message.

    Raises:
        InputError: unknown keys, values of another type or out of range.
    """
    known = {each.name for each in dataclasses.fields(owner)}  # pyright: ignore[reportArgumentType]
    unknown = sorted(set(table) - known)
    if unknown:
        raise InputError(f"{where} has unknown keys: {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    values = {key: _changed_value(getattr(owner, key), value, f"{key} of {where}") for key, value in table.items()}
    return dataclasses.replace(owner, **values)  # pyright: ignore[reportArgumentType]


def _changed_value(own: Any, value: Any, where: str) -> Any:
    """A new value in place of ``own``, of the same kind."""
    if dataclasses.is_dataclass(own) and isinstance(value, dict):
        return changed(own, value, where)
    if isinstance(own, tuple) and own and isinstance(own[0], Stage):
        return _changed_stages(own, value, where)
    if isinstance(own, dict) and isinstance(value, dict):
        return {**own, **value}
    if isinstance(own, tuple) and isinstance(value, list) and len(own) == len(value):
        return tuple(_changed_value(old, new, where) for old, new in zip(own, value, strict=True))
    if own is None or type(value) is type(own):
        return value
    if isinstance(own, float) and type(value) is int:
        return float(value)
    raise InputError(f"{where} is {value!r}; it must be of the kind of {own!r}")


def _changed_stages(own: tuple[Stage, ...], value: Any, where: str) -> tuple[Stage, ...]:
    names = [stage.name for stage in own]
    if not isinstance(value, dict) or set(value) - set(names):
        raise InputError(f"{where} must be tables [stages.NAME] with NAME one of {', '.join(names)}")
    return tuple(changed(stage, value.get(stage.name, {}), f"stage {stage.name} of {where}") for stage in own)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value
