"""The trainer of the network for edges: one process learns, others make frames."""

import itertools
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from any2bokeh.disparity.edges.learned.weights import EdgeModel, MixedModel
from any2bokeh.errors import InputError
from any2bokeh.pending_output import holding_folder, writing
from any2bokeh.training.edges.config import EdgeConfig
from any2bokeh.training.edges.frames import TileStream, WaitingTiles
from any2bokeh.training.edges.loss import EdgeLoss
from any2bokeh.training.edges.mixed_loss import MixedLoss
from any2bokeh.training.edges.pool import TilePool
from any2bokeh.training.edges.state import EdgeState, load_edge_state, require_tensors, save_edge_state
from any2bokeh.training.edges.task import Task, task_of
from any2bokeh.training.edges.tiles import HELD_OUT
from any2bokeh.training.edges.torch_network import EdgeNetwork
from any2bokeh.training.optimizer_state import optimizer_tensors, restore_optimizer
from any2bokeh.training.schedule import rate_at, require_end
from any2bokeh.training.weight_average import WeightAverage

STATE, LOG = "state", "log.jsonl"

_ALL_FRAMES = 1 << 32
_BATCH_HELD_OUT = 64


@dataclass(frozen=True, slots=True)
class EdgeRunOptions:
    """What a run does besides its steps.

    Attributes:
        device: torch's name of it.
        workers: processes that make frames; 0 = this one.
        minutes: after which the run ends, once it has taken a step; None = at ``steps``.
        steps: at which the training ends; None = never.
        anneal: the learning rate rises and falls to 0 over what the making of the first frames leaves of ``minutes``.
        waits: steps wait for the frames that belong to them, so that a run can be taken up exactly; otherwise frames
            are taken as they come, and steps go on with what is there. None = they wait on a CPU.
        state_every_s: seconds between states, each with its figures.
    """

    device: Literal["cpu", "cuda"] = "cpu"
    workers: int = 0
    minutes: float | None = None
    steps: int | None = None
    anneal: bool = False
    waits: bool | None = None
    state_every_s: float = 90.0

    def __post_init__(self) -> None:
        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"minutes is {self.minutes:g}; it must be above 0")
        require_end(self.anneal, self.minutes)
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("device cuda is not available to torch here; use --device cpu or auto")
        if self.workers < 0:
            raise InputError(f"workers is {self.workers}; it must be at least 0")


@dataclass(frozen=True, slots=True)
class EdgeReport:
    """A line for who is watching: of the steps since the line before."""

    step: int
    frames: int
    loss: float
    steps_per_second: float
    held_out: dict[str, float] | None


def train_edges(
    config: EdgeConfig,
    out: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    handoff: Path | None = None,
    run_options: EdgeRunOptions | None = None,
    report: Callable[[EdgeReport], None] | None = None,
    remark: Callable[[str], None] | None = None,
) -> EdgeState:
    """Train, and leave in ``out`` a state to go on from, the log, and weights that can be used.

    Args:
        config: what.
        out: the run's folder: ``state/``, ``log.jsonl`` and ``edges.safetensors`` or ``mixed.safetensors``.
        resume: go on from the state in ``out``.
        start_from: a run's or handoff's folder, to start from where there is nothing to resume.
        handoff: folder that gets the same whenever a state is saved.
        run_options: see ``EdgeRunOptions``.
        report: told every few seconds.
        remark: told where the first frames take more than half of the time.

    Raises:
        InputError: a state of another network, a folder in use, one that holds no state.
    """
    run = _Run(config, out, handoff, run_options or EdgeRunOptions(), report or _nobody, remark or _nobody)
    run.start(resume, start_from)
    with ExitStack() as held:
        held.enter_context(holding_folder(out))
        if handoff is not None and handoff.resolve() != out.resolve():
            held.enter_context(holding_folder(handoff))
        run.learn()
    return run.state


def _nobody(_: object) -> None:
    """Told where nobody listens."""


class _Run:
    def __init__(
        self,
        config: EdgeConfig,
        out: Path,
        handoff: Path | None,
        options: EdgeRunOptions,
        report: Callable[[EdgeReport], None],
        remark: Callable[[str], None],
    ) -> None:
        self.config, self.out, self.handoff, self.options = config, out, handoff, options
        self.report, self.remark = report, remark
        self.began = self.saved = self.prepared = time.monotonic()
        self.device = torch.device(options.device)
        self.waits = self.device.type == "cpu" if options.waits is None else options.waits
        self.task = task_of(config)
        self.network = EdgeNetwork(config.shape, config.seed)
        self.state = EdgeState(json.loads(json.dumps(config.to_json())))
        self.loss_sum, self.loss_count, self.told = torch.zeros(()), 0, time.monotonic()

    # 1. Where the training stands

    def start(self, resume: bool, start_from: Path | None) -> None:
        own = self.out / STATE
        if own.exists() and not resume:
            raise InputError(f"{self.out} holds a training already; pass --resume to go on, or choose another --out")
        if resume and not own.exists() and start_from is None:
            raise InputError(f"{self.out} holds no state to resume; leave out --resume, or give the folder of a run")
        tensors: dict[str, Tensor] = {}
        folder = own if own.exists() else start_from
        if folder is not None:
            folder = folder / STATE if (folder / STATE).is_dir() else folder
            self.state, tensors = load_edge_state(folder)
            self._check(folder)
            require_tensors(folder, tensors, self.config.shape.sizes())
            self.network.load({name: tensors[f"weight/{name}"].numpy() for name in self.config.shape.sizes()})
        self.network.to(self.device)
        parameters = self.network.named_weights()
        self.average = WeightAverage(parameters, self.config.average_decay)
        self.optimizer = torch.optim.AdamW(
            parameters.values(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        if tensors:
            averages = {name: tensors[f"average/{name}"].to(self.device) for name in parameters}
            self.average.restore(averages, self.state.average_updates)
            moments = {key: each for key, each in tensors.items() if not key.startswith(("weight/", "average/"))}
            restore_optimizer(self.optimizer, list(parameters), moments)
        self.first_step = self.state.step
        self.pool = TilePool(self.config.pool_tiles, self.config.source.cells, self.device, self.task)

    def _check(self, folder: Path) -> None:
        wanted, found = self.config.to_json(), self.state.config
        for name in ("shape", "source", "seed"):
            if json.loads(json.dumps(wanted[name])) != found.get(name):
                raise InputError(
                    f"{folder} is of another training: its {name} is {found.get(name)}, not {wanted[name]}; "
                    "start anew with another --out"
                )
        self.state = replace(self.state, config=json.loads(json.dumps(wanted)))

    # 2. Steps

    def learn(self) -> None:
        if self.options.workers > 0:
            self.config.source.tiles_of(HELD_OUT)  # compiles the kernels once, and not in every worker
        held_out, training = self.config.held_out_frames, range(self._refill(), _ALL_FRAMES)
        numbers = itertools.chain(range(HELD_OUT, HELD_OUT + held_out), training)
        stream = TileStream(self.config.source, numbers, self.options.workers)
        made = [next(stream) for _ in range(held_out)]
        self.held_out = tuple(torch.cat(each) for each in zip(*made, strict=True))
        waiting = None if self.waits else WaitingTiles(stream)
        take = (lambda: next(stream)) if waiting is None else (lambda: waiting.take(wait=True))
        while self.pool.count < self.config.first_tiles:
            self._add(take())
        self._measure()
        self.prepared = time.monotonic()
        self._tell_time_left()
        while not self._is_over():
            if waiting is not None:
                self._add_all(waiting)
            elif self.state.step % self.config.steps_per_frame == 0:
                self._add(take())
            self._step()
            self._tell()
            if time.monotonic() - self.saved > self.options.state_every_s and not self._is_over():
                self._save()
        self._save()
        if waiting is not None:
            waiting.close()
        stream.close()

    def _refill(self) -> int:
        """Make the tiles that the pool held, again; the number of the next frame."""
        if self.state.frames == 0 or not self.waits:
            return self.state.frames
        made: list[Any] = []
        number, count, wanted = self.state.frames, 0, min(self.state.pool_tiles, self.config.pool_tiles)
        while number > 0 and count < wanted:
            number -= 1
            values, targets = self.config.source.tiles_of(number)
            made.append((torch.from_numpy(values), torch.from_numpy(targets)))
            count += len(values)
        self.pool.begin_at(self.state.pool_next - count)
        for each in reversed(made):
            self.pool.add(*each)
        return self.state.frames

    def _add_all(self, waiting: WaitingTiles) -> None:
        while (made := waiting.take(wait=False)) is not None:
            self._add(made)

    def _add(self, made: tuple[Tensor, Tensor] | None) -> None:
        if made is not None:
            self.pool.add(*made)
            self.state = replace(
                self.state, frames=self.state.frames + 1, pool_next=self.pool.next, pool_tiles=self.pool.count
            )

    def _step(self) -> None:
        generator = torch.Generator().manual_seed((self.config.seed << 32) + self.state.step)
        values, targets = self.pool.batch(self.config.batch_size, generator)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        loss = self._loss(values, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.largest_gradient_norm)
        self.optimizer.step()
        self.average.update()
        self.loss_sum = self.loss_sum.to(self.device) + loss.total.detach()
        self.loss_count += 1
        self.state = replace(self.state, step=self.state.step + 1, average_updates=self.average.update_count)

    def _learning_rate(self) -> float:
        # Moments of another run may be lost, so each warms up.
        steps = self.state.step - self.first_step + 1 if self.options.anneal else self.state.step + 1
        rate = self.config.learning_rate * min(1.0, steps / max(self.config.warmup_steps, 1))
        if self.options.anneal and self.options.minutes is not None:
            left = 60 * self.options.minutes - (self.prepared - self.began)  # first frames take a part of the time
            rate *= rate_at((time.monotonic() - self.prepared) / left, warmup=0) if left > 0 else 0
        return rate

    def _loss(self, values: Tensor, targets: Tensor) -> EdgeLoss | MixedLoss:
        looks = looks_of(values)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            found = self.network(values if self.device.type == "cuda" else values.float(), looks)
        return self.task.loss(found, values, targets)

    def _is_over(self) -> bool:
        if self.options.steps is not None and self.state.step >= self.options.steps:
            return True
        if self.options.minutes is None or self.state.step == self.first_step:  # else short runs never get anywhere
            return False
        return time.monotonic() - self.began > 60 * self.options.minutes

    # 3. What is told and written

    def _tell_time_left(self) -> None:
        if self.options.minutes is None:
            return
        took, given = self.prepared - self.began, 60 * self.options.minutes
        if 2 * took > given:
            left = f"{given - took:.0f} s are left for steps" if took < given else "no more than one step is taken"
            self.remark(f"the first frames took {took:.0f} s of {given:g} s: {left}; give --minutes more to learn more")

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self.told > 5:
            speed = self.loss_count / (now - self.told)
            loss = float(self.loss_sum) / self.loss_count
            self._log({"loss": loss, "steps_per_second": speed, "learning_rate": self._learning_rate()})
            self.report(EdgeReport(self.state.step, self.state.frames, loss, speed, None))
            self.loss_sum, self.loss_count, self.told = torch.zeros(()), 0, now

    def _measure(self) -> dict[str, float]:
        """Figures of held-out tiles, with the averaged weights."""
        sums: dict[str, float] = dict.fromkeys(self.task.figures, 0.0)
        batches = 0
        with self.average.applied(), torch.no_grad():
            values, targets = self.held_out
            for start in range(0, len(values), _BATCH_HELD_OUT):
                part = slice(start, start + _BATCH_HELD_OUT)
                loss = self._loss(values[part].to(self.device), targets[part].to(self.device))
                sums = {name: sums[name] + float(getattr(loss, name)) for name in self.task.figures}
                batches += 1
        figures = {name: round(value / max(batches, 1), 6) for name, value in sums.items()}
        entry = {"step": self.state.step, "frames": self.state.frames, **figures}
        self.state = replace(self.state, curve=[*self.state.curve, entry])
        self._log({"held_out": figures})
        self.report(EdgeReport(self.state.step, self.state.frames, 0.0, 0.0, figures))
        return figures

    def _save(self) -> None:
        self._measure()
        now = time.monotonic()
        self.state = replace(self.state, seconds=round(self.state.seconds + now - self.saved, 3))
        self.saved = now
        names = list(self.average.values)
        tensors = {f"weight/{name}": each for name, each in self.network.named_weights().items()}
        tensors |= {f"average/{name}": each for name, each in self.average.values.items()}
        tensors |= optimizer_tensors(self.optimizer, names)
        for folder in (self.out, self.handoff):
            if folder is not None:
                save_edge_state(folder / STATE, self.state, tensors)
                model = model_of(self.task, self.state, tensors, machine_of(self.device))
                model.write(folder / f"{self.task.name}.safetensors")
        if self.handoff is not None:
            with writing(self.handoff):
                (self.handoff / LOG).write_bytes((self.out / LOG).read_bytes())

    def _log(self, values: dict[str, Any]) -> None:
        with writing(self.out), (self.out / LOG).open("a") as file:
            file.write(json.dumps({"step": self.state.step, "frames": self.state.frames, **values}) + "\n")


def looks_of(values: Tensor) -> Tensor:
    """``(..., 1)``: 1 for the cells of tiles that the network looks at, which alone are told anything."""
    return values.ne(0).any(dim=-1, keepdim=True).to(values.dtype)


def machine_of(device: torch.device) -> str:
    """What a run is made on, for the card."""
    cores = f"{os.cpu_count()} processor cores"
    return f"one {torch.cuda.get_device_name(device)}, {cores}" if device.type == "cuda" else cores


def model_of(task: Task, state: EdgeState, tensors: dict[str, Tensor], machine: str) -> EdgeModel | MixedModel:
    """The averaged weights of a state, as they ship, with gates that are still to be calibrated."""
    built = task.shape_of(state.config["shape"])
    weights = {name: np.asarray(tensors[f"average/{name}"].detach().cpu(), np.float32) for name in built.sizes()}
    card = {
        "steps": state.step,
        "frames": state.frames,
        "minutes": round(state.seconds / 60, 1),
        "machine": machine,
        "config": state.config,
        "held_out": state.curve[-1] if state.curve else {},
    }
    return task.model(built, weights, card)
