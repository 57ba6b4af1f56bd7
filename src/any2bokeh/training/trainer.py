"""The trainer: takes the stages of a config one after the other, on one process or many."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list, gather_object

from any2bokeh.errors import InputError
from any2bokeh.pending_output import holding_folder, writing
from any2bokeh.renderers.diffusion.network.cpu_modules import use_cpu_modules
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.clips import TrainingClips
from any2bokeh.training.config import Precision, TrainingConfig
from any2bokeh.training.export import export, thinned_curve
from any2bokeh.training.float64 import to_float64
from any2bokeh.training.handoff import (
    HandoffSize,
    is_handoff,
    read_handoff,
    take_up_optimizer,
    take_up_weights,
    write_handoff,
)
from any2bokeh.training.losses import at_least_float32
from any2bokeh.training.networks import load_networks, set_latent_scale, start_networks
from any2bokeh.training.objective import to_signed
from any2bokeh.training.run_log import LOG_FILE, RunLog, read_log
from any2bokeh.training.sample_strip import sample_strip, write_strip
from any2bokeh.training.schedule import rate_at, require_end
from any2bokeh.training.stage_run import StageRun
from any2bokeh.training.stages import Stage
from any2bokeh.training.state import (
    FINISHED,
    NamedTensors,
    Position,
    StateHeader,
    check_header,
    keep_newest,
    load_networks_of,
    load_optimizer,
    load_random_state,
    random_state,
    read_header,
    save_state,
    states_in,
)
from any2bokeh.training.weight_average import WeightAverage
from any2bokeh.training.windows import TrainingWindows, window_loader

ALL_STAGES = "all"

_SCALE_WINDOWS = 16
"""Windows over which the spread of the latents is measured."""

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run does besides its steps; none of it changes them.

    Attributes:
        state_every: steps between states.
        states_kept: newest states that are kept.
        strip_every: steps between sample strips; 0 = only at the end of a stage.
        log_every: steps of a line of the log, which holds their mean loss; ``state_every`` is a multiple of it.
        workers: processes that read or make clips; 0 = the training process itself.
        minutes: stop after so many, with a state; None = go on to the end.
        handoff_size: see ``HandoffSize``.
        anneal: in place of the schedules of the stages, the learning rate rises and falls to 0 over ``minutes``.
    """

    state_every: int = 500
    states_kept: int = 2
    strip_every: int = 0
    log_every: int = 1
    workers: int = 0
    minutes: float | None = None
    handoff_size: HandoffSize = "compact"
    anneal: bool = False

    def __post_init__(self) -> None:
        for name in ("state_every", "states_kept", "log_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.workers < 0 or self.strip_every < 0:
            raise InputError("workers and strip_every must be at least 0")
        if self.state_every % self.log_every:
            raise InputError(f"state_every is {self.state_every}; it must be a multiple of log_every, {self.log_every}")
        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"minutes is {self.minutes:g}; it must be above 0")
        require_end(self.anneal, self.minutes)


@dataclass(frozen=True, slots=True)
class StepReport:
    """A line for who is watching."""

    stage: str
    step: int
    stage_steps: int
    loss: float
    steps_per_second: float


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        position: where the training stands.
        checkpoint: the exported one.
        log: of all steps so far.
        seconds: of this run.
        stopped_early: it ran out of ``RunOptions.minutes``.
        is_main: this process is the one that writes.
    """

    position: Position
    checkpoint: Path
    log: Path
    seconds: float
    stopped_early: bool
    is_main: bool


def train(
    config: TrainingConfig,
    clips: TrainingClips,
    out: Path,
    *,
    stage: str = ALL_STAGES,
    resume: bool = False,
    start_from: Path | None = None,
    handoff: Path | None = None,
    device: Device = "auto",
    run_options: RunOptions | None = None,
    report: Callable[[StepReport], None] | None = None,
    remark: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Train.

    Args:
        config: what.
        clips: on what.
        out: the run's folder: ``states/``, ``strips/``, ``log.jsonl``, and ``checkpoint/``, the exported weights.
        stage: one stage's name, or ``all``.
        resume: go on from the newest state in ``out``.
        start_from: an exported checkpoint, or a handoff, to start from where there is nothing to resume.
        handoff: folder for a handoff, written at the end of the run.
        device: ``auto`` takes CUDA where it is there.
        run_options: see ``RunOptions``.
        report: told of every line of the log.
        remark: told what is worth knowing, once.

    Raises:
        InputError: an unknown stage, a state or checkpoint of another config, a folder in use, clips that do not fit.
    """
    return _Run(
        config, clips, out, stage, start_from, handoff, device, run_options or RunOptions(), report, remark
    ).run(resume)


class _Run:
    """One run of a training: what all its stages share."""

    def __init__(
        self,
        config: TrainingConfig,
        clips: TrainingClips,
        out: Path,
        stage: str,
        start_from: Path | None,
        handoff: Path | None,
        device: Device,
        run_options: RunOptions,
        report: Callable[[StepReport], None] | None,
        remark: Callable[[str], None] | None,
    ) -> None:
        self.wanted = None if stage == ALL_STAGES else config.stage_index(stage)
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("device cuda is not available to torch here; use --device cpu or auto")
        on_cpu = device == "cpu" or not torch.cuda.is_available()
        AcceleratorState._reset_state()  # or it insists on the precision of this process's run before
        self.accelerator = Accelerator(
            cpu=on_cpu,
            mixed_precision=_mixed_precision(config.precision, on_cpu),
            # Where no region of the MPI is seen, its parameters have no part in the loss.
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        self.config = config
        self.clips = clips
        self.out = out
        self.start_from = start_from
        self.handoff = handoff
        self.run_options = run_options
        self.report = report or (lambda _: None)
        self.remark = remark or (lambda _: None)
        self.history: list[dict[str, Any]] = []
        self.carried: NamedTensors = {}
        self.carried_updates = 0
        self.began = time.monotonic()

    @property
    def states(self) -> Path:
        return self.out / "states"

    @property
    def is_main(self) -> bool:
        return self.accelerator.is_main_process

    def run(self, resume: bool) -> TrainingResult:
        position, self.pipeline, state = self._start(resume)
        with holding_folder(self.out) if self.is_main else nullcontext():
            return self._train(position, state)

    def _train(self, position: Position, state: Path | None) -> TrainingResult:
        self.pipeline.to(self.accelerator.device)
        if self.accelerator.device.type == "cpu":
            use_cpu_modules(self.pipeline.unet)
            use_cpu_modules(self.pipeline.vae)
        if self.config.gradient_checkpointing:
            self.pipeline.unet.enable_gradient_checkpointing()
            self.pipeline.vae.enable_gradient_checkpointing()
        if self.is_main:
            self.log = RunLog(self.out, position.total_steps)
            if not self.log.has_tensorboard:
                self.remark("TensorBoard is not installed; the log is log.jsonl alone")
        self.accelerator.wait_for_everyone()
        stopped = False
        while position.stage != FINISHED and not stopped:
            index = self.config.stage_index(position.stage)
            if self.wanted is not None and index != self.wanted:
                break
            position, stopped = self._run_stage(self.config.stages[index], position, state)
            state = None
        checkpoint = self.out / "checkpoint"
        if self.is_main:
            export(self.pipeline, checkpoint, self._header(position))
            self.log.close()
        self.accelerator.wait_for_everyone()
        seconds = time.monotonic() - self.began
        return TrainingResult(position, checkpoint, self.out / LOG_FILE, seconds, stopped, self.is_main)

    # 1. Where the training stands

    def _start(self, resume: bool) -> tuple[Position, AnyToBokehPipeline, Path | None]:
        """Position, networks, and the state to resume inside a stage, if there is one."""
        states = states_in(self.states) if self.states.is_dir() else []
        first = self.config.stages[self.wanted or 0].name
        if states and not resume:
            raise InputError(f"{self.out} holds a training already; pass --resume to go on, or choose another --out")
        if states:
            state = states[-1]
            header = read_header(state)
            check_header(header, state, self.config, self.clips.identity, self.accelerator.num_processes)
            self._check_wanted(header.position, str(state))
            pipeline = self._pipeline()
            load_networks_of(state, header, pipeline)
            self.history = header.history
            if self.accelerator.scaler is not None and header.scaler:
                self.accelerator.scaler.load_state_dict(header.scaler)
            return header.position, pipeline, state
        if resume and self.start_from is None:
            raise InputError(f"{self.out} holds no state to resume; leave out --resume, or give the folder of a run")
        if self.start_from is None:
            if self.wanted:
                before = self.config.stages[self.wanted - 1].name
                raise InputError(
                    f"stage {first} goes on from the weights of stage {before}; "
                    "give them with --start-from or --resume, or train --stage all"
                )
            return Position(first), self._pipeline(), None
        if is_handoff(self.start_from):
            return self._start_from_handoff(self.start_from)
        pipeline = load_networks(self.start_from, self.config.start)
        return Position(first), self._precise(pipeline), None

    def _start_from_handoff(self, folder: Path) -> tuple[Position, AnyToBokehPipeline, None]:
        header, self.carried = read_handoff(folder)
        check_header(header, folder, self.config, header.clips, header.process_count)  # other clips are welcome
        self._check_wanted(header.position, str(folder))
        pipeline = self._pipeline()
        take_up_weights(folder, header, self.carried, pipeline)
        self.carried_updates = header.average_updates
        self.history = header.history
        if self.is_main and (folder / LOG_FILE).is_file():
            with writing(self.out):
                self.out.mkdir(parents=True, exist_ok=True)
                (self.out / LOG_FILE).write_bytes((folder / LOG_FILE).read_bytes())
        return header.position, pipeline, None

    def _check_wanted(self, position: Position, where: str) -> None:
        if self.wanted is None or position.stage == FINISHED:
            return
        if self.config.stage_index(position.stage) < self.wanted:
            raise InputError(
                f"{where} stands in stage {position.stage}, step {position.step}; "
                f"finish it before stage {self.config.stages[self.wanted].name}, or train --stage all"
            )

    def _pipeline(self) -> AnyToBokehPipeline:
        return self._precise(start_networks(self.config.start, self.config.seed))

    def _precise(self, pipeline: AnyToBokehPipeline) -> AnyToBokehPipeline:
        if self.config.precision == "float64":
            to_float64(pipeline.unet)
            to_float64(pipeline.vae)
        return pipeline

    # 2. A stage

    def _run_stage(self, stage: Stage, position: Position, state: Path | None) -> tuple[Position, bool]:
        """Take the remaining steps of a stage; where it then stands, and whether time ran out."""
        loader = self._loader(stage, position.step)
        run = StageRun(self.accelerator, self.pipeline, self.config, stage, position, loader)
        self._take_up(run, state)
        stop = False
        while not run.is_complete and not stop:
            run.take_step(self._annealed())
            stop = self._after_step(run)
        run.finish()
        return self._finish_stage(run) if run.is_complete else (run.position, True)

    def _take_up(self, run: StageRun, state: Path | None) -> None:
        """Optimiser, average and generators of a state inside the stage, or of a handoff."""
        if state is not None and run.position.step > 0:
            load_optimizer(state, run.optimizer, run.average, read_header(state))
            load_random_state(state, self.accelerator.process_index)
        elif self.carried and run.position.step > 0:
            take_up_optimizer(self.carried, run.optimizer, run.average, self.carried_updates)
        self.carried = {}

    def _after_step(self, run: StageRun) -> bool:
        """Log, strip and state where they are due; whether time ran out."""
        step, last, stop = run.position.step, run.is_complete, False
        if step % self.run_options.log_every == 0 or last:
            self._log_steps(run)
            stop = not last and self._out_of_time()
        if self.run_options.strip_every and step % self.run_options.strip_every == 0 and not last:
            self._strip(run.stage, run.position, run.average)
        if stop or (step % self.run_options.state_every == 0 and not last):
            self._save(run)
        if stop:
            self._hand_off(run.position, run)
        return stop

    def _finish_stage(self, run: StageRun) -> tuple[Position, bool]:
        """Close a stage whose steps are taken; where the next one stands, and whether time ran out."""
        stage = run.stage
        if stage.trains in ("autoencoder", "encoder"):
            self._measure_latent_scale(stage)
        self._strip(stage, run.position, None)
        self._close_stage(stage, run.position)
        following = [each.name for each in self.config.stages] + [FINISHED]
        position = replace(run.position, stage=following[following.index(stage.name) + 1], step=0)
        if self.is_main:
            self._save_between_stages(position)
        self.accelerator.wait_for_everyone()
        self._hand_off(position, None)
        return position, position.stage != FINISHED and self._out_of_time()

    def _loader(self, stage: Stage, first_step: int, *, workers: int | None = None) -> Any:
        return window_loader(
            self._windows(stage),
            first_step=first_step,
            steps=stage.steps,
            accumulation=stage.accumulation,
            batch_size=stage.batch_size,
            process=self.accelerator.process_index,
            process_count=self.accelerator.num_processes,
            workers=self.run_options.workers if workers is None else workers,
            pinned=self.accelerator.device.type == "cuda",
        )

    def _windows(self, stage: Stage) -> TrainingWindows:
        return TrainingWindows(
            self.clips.training,
            frames=stage.frames,
            seed=1000 * self.config.seed + self.config.stage_index(stage.name),
            perturbation=stage.perturbation,
            alpha=self.pipeline.card.alpha,
            cut=self.config.cut,
        )

    @torch.no_grad()
    def _measure_latent_scale(self, stage: Stage) -> None:
        """Scale latents so that those of pictures have a deviation of 1, as the U-Net expects of its base."""
        windows = self._windows(stage)
        latents = []
        for number in range(_SCALE_WINDOWS):
            window = windows[number]
            pixels = torch.cat([window["frames"], window["bokeh"]])
            pixels = pixels.to(self.accelerator.device, self.pipeline.vae.dtype)
            with self.accelerator.autocast():
                latents.append(at_least_float32(self.pipeline.vae.encode_frames(to_signed(pixels)).mean).flatten())
        set_latent_scale(self.pipeline.vae, 1.0 / float(torch.cat(latents).std()))

    # 3. What is written

    def _log_steps(self, run: StageRun) -> None:
        steps = run.take_log()
        mean = float(cast(torch.Tensor, self.accelerator.gather(steps.loss[None])).mean())
        if not self.is_main:
            return
        stage, position, norm = run.stage, run.position, run.gradient_norm
        self.log.write(
            "step",
            stage=stage.name,
            step=position.step,
            total_steps=position.total_steps,
            loss=mean,
            learning_rate=run.learning_rate,
            gradient_norm=float(norm) if norm is not None else None,
            seconds=round(steps.seconds, 4),
        )
        speed = steps.count / max(steps.seconds, 1e-9)
        self.report(StepReport(stage.name, position.step, stage.steps, mean, speed))

    def _strip(self, stage: Stage, position: Position, average: WeightAverage | None) -> None:
        """Refocus the sample clip with the averaged weights."""
        if not self.is_main:
            return
        clip = self.clips.sample(stage.frames)
        if average is None:
            with self.accelerator.autocast():
                strip = sample_strip(self.pipeline, clip)
        else:
            with average.applied(), self.accelerator.autocast():
                strip = sample_strip(self.pipeline, clip)
        name = f"{position.total_steps:07d}-stage-{stage.name}.png"
        write_strip(self.out / "strips" / name, strip)
        self.log.write(
            "strip",
            stage=stage.name,
            total_steps=position.total_steps,
            psnr_db=round(strip.psnr_db, 4),
            source_psnr_db=round(strip.source_psnr_db, 4),
        )

    def _close_stage(self, stage: Stage, position: Position) -> None:
        """Add what the stage came to, to the history that travels with the weights."""
        if not self.is_main:
            return
        lines = [line for line in read_log(self.out / LOG_FILE) if line["stage"] == stage.name]
        losses = [(line["step"], line["loss"]) for line in lines if line["kind"] == "step"]
        strip = next((line for line in reversed(lines) if line["kind"] == "strip"), {})
        came_to = {
            "stage": stage.name,
            "total_steps": position.total_steps,
            "steps": stage.steps,
            "loss_curve": thinned_curve(losses),
            "sample_psnr_db": strip.get("psnr_db"),
            "sample_source_psnr_db": strip.get("source_psnr_db"),
            "latent_scale": self.pipeline.vae.latent_scale,
        }
        self.history = [*self.history, came_to]
        self.log.write("stage", **came_to)

    def _save(self, run: StageRun) -> None:
        """A state inside a stage; every process takes part."""
        process = self.accelerator.process_index
        own = {f"{process}/{name}": value for name, value in random_state().items()}
        everyones = gather_object([own])
        if self.is_main:
            random = {name: value for each in everyones for name, value in each.items()}
            header = replace(self._header(run.position), average_updates=run.average.update_count)
            self._write_state(run.position, header, optimizer=run.optimizer, average=run.average, random=random)
        self.accelerator.wait_for_everyone()

    def _save_between_stages(self, position: Position) -> None:
        self._write_state(position, self._header(position))

    def _write_state(self, position: Position, header: StateHeader, **under_way: Any) -> None:
        folder = self.states / f"step-{position.total_steps:07d}"
        save_state(folder, header, self.pipeline, **under_way)
        keep_newest(self.states, self.run_options.states_kept)

    def _hand_off(self, position: Position, run: StageRun | None) -> None:
        """Leave a handoff, inside the stage of ``run`` or between stages."""
        if self.handoff is not None and self.is_main:
            optimizer, average = (None, None) if run is None else (run.optimizer, run.average)
            updates = 0 if average is None else average.update_count
            header = replace(self._header(position), average_updates=updates)
            write_handoff(
                self.handoff, self.out, header, self.pipeline, optimizer, average, self.run_options.handoff_size
            )

    def _header(self, position: Position) -> StateHeader:
        return StateHeader(
            position=position,
            config=self.config.to_json(),
            clips=dict(self.clips.identity),
            process_count=self.accelerator.num_processes,
            latent_scale=self.pipeline.vae.latent_scale,
            scaler=dict(self.accelerator.scaler.state_dict()) if self.accelerator.scaler is not None else {},
            history=self.history,
        )

    def _annealed(self) -> float | None:
        """Factor of the learning rate at this time, the same in every process; None where stages have schedules."""
        if not self.run_options.anneal or self.run_options.minutes is None:
            return None
        factor = [rate_at((time.monotonic() - self.began) / (60 * self.run_options.minutes))]
        return float(broadcast_object_list(factor)[0])

    def _out_of_time(self) -> bool:
        """Whether the minutes are over, as the main process sees it."""
        if self.run_options.minutes is None:
            return False
        answer = [time.monotonic() - self.began > 60 * self.run_options.minutes]
        return bool(broadcast_object_list(answer)[0])


def _mixed_precision(precision: Precision, on_cpu: bool) -> str:
    """What accelerate is to cast forward passes to."""
    if precision == "float64" or (on_cpu and precision == "fp16"):
        return "no"
    return precision
