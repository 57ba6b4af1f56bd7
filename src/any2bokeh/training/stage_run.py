"""A stage under way: its optimiser, the average of its weights, and the windows that it is shown."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.config import TrainingConfig
from any2bokeh.training.networks import named_parameters
from any2bokeh.training.objective import StageObjective
from any2bokeh.training.stages import Stage, trained_names
from any2bokeh.training.state import Position
from any2bokeh.training.weight_average import WeightAverage
from any2bokeh.training.windows import WindowBatch


@dataclass(frozen=True, slots=True)
class LoggedSteps:
    """What the log is told of some steps: their number, mean loss (a scalar) and duration."""

    count: int
    loss: torch.Tensor
    seconds: float


class StageRun:
    """Takes the steps of one stage.

    Args:
        accelerator: of the run.
        pipeline: the networks; parameters that the stage does not train are frozen.
        config: of the training.
        stage: the stage.
        position: where it stands.
        loader: batches of this process from that step on.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        pipeline: AnyToBokehPipeline,
        config: TrainingConfig,
        stage: Stage,
        position: Position,
        loader: DataLoader[WindowBatch],
    ) -> None:
        self.stage = stage
        self.position = position
        self._accelerator = accelerator
        self._largest_gradient_norm = config.largest_gradient_norm
        self._dtype = pipeline.unet.dtype
        self._trained = _only_trained(pipeline, stage)
        self.average = WeightAverage(self._trained, config.average_decay)
        self.optimizer = torch.optim.AdamW(
            self._trained.values(),
            lr=stage.learning_rate,
            weight_decay=config.weight_decay,
            fused=accelerator.device.type == "cuda",
        )
        accelerator.gradient_accumulation_steps = stage.accumulation
        accelerator.step = 0  # which it counts to know when a step is whole
        self._objective, self._prepared = accelerator.prepare(StageObjective(pipeline, stage.loss), self.optimizer)
        self._loader = loader
        self._batches: Iterator[WindowBatch] | None = None
        self.gradient_norm: Any = None
        self._loss_sum = torch.zeros((), device=accelerator.device, dtype=self._dtype)
        self._logged_step = position.step
        self._seconds_before = position.seconds
        self._began = self._logged = time.monotonic()

    @property
    def is_complete(self) -> bool:
        return self.position.step >= self.stage.steps

    @property
    def learning_rate(self) -> float:
        """Of the step that was taken last."""
        return self.optimizer.param_groups[0]["lr"]

    def take_step(self, rate: float | None = None) -> None:
        """Take the next step of the optimiser, and take its weights into the average.

        Args:
            rate: factor of the stage's learning rate, in place of its schedule.
        """
        if self._batches is None:
            self._batches = iter(self._loader)
        for group in self.optimizer.param_groups:
            scheduled = self.stage.learning_rate_at(self.position.step)
            group["lr"] = scheduled if rate is None else self.stage.learning_rate * rate
        for _ in range(self.stage.accumulation):
            self._pass(next(self._batches))
        self.average.update()
        self.position = replace(
            self.position,
            step=self.position.step + 1,
            total_steps=self.position.total_steps + 1,
            seconds=self._seconds_before + time.monotonic() - self._began,
        )

    def take_log(self) -> LoggedSteps:
        """What there is to say of the steps since it was last asked."""
        now = time.monotonic()
        count = self.position.step - self._logged_step
        logged = LoggedSteps(count, self._loss_sum / count, now - self._logged)
        self._loss_sum = torch.zeros_like(self._loss_sum)
        self._logged_step, self._logged = self.position.step, now
        return logged

    def finish(self) -> None:
        """Let go of optimiser and loader; the networks have the averaged weights."""
        self._batches = None
        del self._loader
        self._accelerator.free_memory(self._objective, self._prepared)
        self.average.copy_to_parameters()

    def _pass(self, batch: WindowBatch) -> None:
        """One forward and backward pass; the last one of a step moves the weights."""
        accelerator = self._accelerator
        batch = _on_device(batch, accelerator.device, self._dtype)
        with accelerator.accumulate(self._objective):
            loss = self._objective(batch)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                self.gradient_norm = accelerator.clip_grad_norm_(self._trained.values(), self._largest_gradient_norm)
            self._prepared.step()
            self._prepared.zero_grad()
        self._loss_sum += loss.detach() / self.stage.accumulation


def _only_trained(pipeline: AnyToBokehPipeline, stage: Stage) -> dict[str, torch.nn.Parameter]:
    """The parameters that a stage trains; all others are frozen."""
    parameters = named_parameters(pipeline)
    names = set(trained_names(stage.trains, parameters))
    for name, parameter in parameters.items():
        parameter.requires_grad_(name in names)
    return {name: parameter for name, parameter in parameters.items() if name in names}


def _on_device(batch: WindowBatch, device: torch.device, dtype: torch.dtype) -> WindowBatch:
    moved = {
        key: value.to(device, dtype if value.is_floating_point() else None, non_blocking=True)
        for key, value in cast(dict[str, torch.Tensor], batch).items()
    }
    # Counted on the host, so that no launch waits for a count.
    return cast(WindowBatch, {**moved, "number": batch["number"], "regions": batch["regions"]})
