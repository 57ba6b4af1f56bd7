"""``any2bokeh train``: the training, from a config and clips to a checkpoint."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.errors import InputError
from any2bokeh.read_paths import ReadPaths

if TYPE_CHECKING:
    from any2bokeh.training.trainer import StepReport

EDGES = ("edges", "mixed")
"""The configs of the networks for edges and for mixed pixels, which have a trainer of their own."""

_RUN = Group.RUN
_SECONDS_BETWEEN_LINES = 5.0


def train_command(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="Training configuration: paper, compact, compact-cpu, debug, a TOML file that changes one of them, or "
            "edges or mixed, the networks of --edges learned for edges and for mixed pixels.",
        ),
    ],
    report: ReportOptions,
    data: Annotated[
        str,
        option(
            "--data",
            help="Folder of clips made by synth, or 'procedural' to make clips on the fly.",
            common=True,
            panel=Group.TRAINING,
            metavar="SHARDS|procedural",
        ),
    ] = "procedural",
    out: Annotated[
        Path | None,
        option("--out", help="Folder of the run (default: train-CONFIG).", common=True, panel=Group.TRAINING),
    ] = None,
    stage: Annotated[
        str,
        option(
            "--stage",
            help="Stage to train, or all of them in order.",
            common=True,
            panel=Group.TRAINING,
            metavar="1|2|3|all",
        ),
    ] = "all",
    resume: Annotated[
        bool,
        option("--resume", help="Continue from the newest saved state in --out.", common=True, panel=Group.TRAINING),
    ] = False,
    start_from: Annotated[
        Path | None,
        option(
            "--start-from",
            help="Checkpoint or handoff to start from if there is no saved state.",
            common="Checkpoint or handoff to start from.",
            panel=Group.TRAINING,
            metavar="FOLDER",
        ),
    ] = None,
    samples: Annotated[
        Path | None,
        option(
            "--samples",
            help="Folder of clips, the first of which is shown in sample strips (default: a training clip).",
            panel=Group.TRAINING,
            metavar="SHARDS",
        ),
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], option("--device", help="Device to train on.", common=True, panel=_RUN)
    ] = "auto",
    workers: Annotated[
        int,
        option(
            "--workers",
            help="Number of processes that read or make clips; 0 uses the training process.",
            common="Processes that read or make clips.",
            panel=_RUN,
        ),
    ] = 0,
    state_every: Annotated[
        int, option("--state-every", help="Number of steps between saved states.", common=True, panel=_RUN)
    ] = 500,
    states_kept: Annotated[
        int, option("--states-kept", help="Number of saved states to keep, newest first.", panel=_RUN)
    ] = 2,
    strip_every: Annotated[
        int,
        option(
            "--strip-every",
            help="Number of steps between sample strips; 0 makes one at the end of each stage.",
            panel=_RUN,
        ),
    ] = 0,
    log_every: Annotated[int, option("--log-every", help="Number of steps between lines of the log.", panel=_RUN)] = 1,
    minutes: Annotated[
        float | None,
        option(
            "--minutes",
            help="Stop after this many minutes, ready for --resume (default: no limit).",
            common="Stop after this many minutes.",
            panel=_RUN,
        ),
    ] = None,
    anneal: Annotated[
        bool,
        option(
            "--anneal",
            help="Raise the learning rate and let it fall to 0 over --minutes, whatever the schedule of the stage; "
            "for the last run of a training (default: the schedule of the stage).",
            panel=_RUN,
        ),
    ] = False,
    install: Annotated[
        Path | None,
        option(
            "--install",
            help="With edges: calibrate the gates of the weights in this run or handoff and put them into the package, "
            "instead of training.",
            panel=_RUN,
            metavar="FOLDER",
        ),
    ] = None,
    handoff: Annotated[
        Path | None,
        option(
            "--handoff",
            help="Folder to write a handoff to, from which --start-from continues on another machine.",
            common="Folder for a handoff to another machine.",
            panel=_RUN,
            metavar="FOLDER",
        ),
    ] = None,
    handoff_size: Annotated[
        Literal["compact", "full"],
        option(
            "--handoff-size",
            help="Contents of the handoff: compact holds averaged weights and second moments in 16 bits; full is four "
            "times as large and continues exactly.",
            panel=_RUN,
        ),
    ] = "compact",
) -> None:
    """Train the diffusion engine, on one device or, under torchrun, on several; or the network for edges, on one."""
    if config in EDGES:
        from any2bokeh.cli.train_edges import EdgeRun, run_edges

        if data != "procedural" or stage != "all" or samples is not None:
            raise InputError(
                f"train {config} makes its own frames in one stage; leave out --data, --stage and --samples"
            )
        folder = out or Path(f"train-{config}")
        _require_kept(folder, handoff, paths_of(start_from))
        network = "mixed" if config == "mixed" else "edges"
        run_edges(
            EdgeRun(network, folder, resume, start_from, handoff, device, workers, minutes, anneal, install), report
        )
        return
    if install is not None:
        raise InputError(
            f"--install puts weights of edges into the package; config is {config}, allowed are edges and mixed"
        )
    from any2bokeh.training.clips import open_clips
    from any2bokeh.training.registry import find_config
    from any2bokeh.training.trainer import RunOptions, train

    the_config = find_config(config)
    if stage != "all":
        the_config.stage_index(stage)
    if samples is not None and not samples.is_dir():
        raise InputError(f"there is no folder {samples}; give --samples a folder of clips, or leave it out")
    _require_kept(out or Path(f"train-{the_config.name}"), handoff, paths_of(config, data, samples, start_from))
    first_process = os.environ.get("RANK", "0") == "0"
    quiet = report.quiet or report.json or not first_process
    result = train(
        the_config,
        open_clips(data, the_config.clips, samples),
        out or Path(f"train-{the_config.name}"),
        stage=stage,
        resume=resume,
        start_from=start_from,
        handoff=handoff,
        device=device,
        run_options=RunOptions(
            state_every, states_kept, strip_every, log_every, workers, minutes, handoff_size, anneal
        ),
        report=None if quiet else _lines(),
        remark=None if quiet else lambda line: typer.echo(line),
    )
    if not first_process:
        return
    position = result.position
    where = "finished" if position.stage == "finished" else f"stands in stage {position.stage}, step {position.step}"
    summary = {
        "checkpoint": str(result.checkpoint),
        "log": str(result.log),
        "stage": position.stage,
        "step": position.step,
        "total_steps": position.total_steps,
        "stopped_early": result.stopped_early,
        "elapsed_s": round(result.seconds, 3),
    }
    line = f"{result.checkpoint}: {position.total_steps} steps, {where}, in {result.seconds:.1f} s"
    tell(summary, line, report)


def _require_kept(out: Path, handoff: Path | None, read: list[Path]) -> None:
    """Refuse to write where clips or the weights to start from lie."""
    for folder in (out, out / "checkpoint", handoff):
        if folder is not None:
            ReadPaths(read).require_kept(folder, replaces="tree" if folder != out else "pictures")


def _lines() -> "Callable[[StepReport], None]":
    """Tells the first step of each stage, the last, and one every few seconds."""
    told = 0.0

    def line(step: "StepReport") -> None:
        nonlocal told
        now = time.monotonic()
        if step.step not in (1, step.stage_steps) and now - told < _SECONDS_BETWEEN_LINES:
            return
        told = now
        print(
            f"stage {step.stage}: {step.step}/{step.stage_steps} steps, loss {step.loss:.5g}, "
            f"{step.steps_per_second:.2f} steps a second",
            flush=True,
            file=sys.stdout,
        )

    return line
