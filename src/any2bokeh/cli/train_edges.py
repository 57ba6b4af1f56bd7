"""``any2bokeh train edges`` and ``train mixed``: the networks of ``--edges auto`` and ``learned``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from any2bokeh.cli.output_options import ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.errors import InputError, require_extra

if TYPE_CHECKING:
    from any2bokeh.training.edges.trainer import EdgeReport


@dataclass(frozen=True, slots=True)
class EdgeRun:
    """What of the options of ``train`` matters here, see there; and which of the two networks is trained."""

    network: Literal["edges", "mixed"]
    out: Path
    resume: bool
    start_from: Path | None
    handoff: Path | None
    device: Literal["auto", "cpu", "cuda"]
    workers: int
    minutes: float | None
    anneal: bool
    install: Path | None


def run_edges(run: EdgeRun, report: ReportOptions) -> None:
    """Train, or put weights into the package.

    Raises:
        InputError: see ``training.edges.trainer.train_edges`` and ``training.edges.packaging.install``.
    """
    if run.install is not None:
        from any2bokeh.training.edges.packaging import install, install_mixing

        if run.network == "mixed":
            summary = install_mixing(run.install).card["calibration"]
        else:
            model = install(run.install)
            summary = {**asdict(model.gates), "is_preferred": model.is_preferred, **model.card["calibration"]}
        tell(summary, f"installed {run.install}: " + ", ".join(f"{k} {v}" for k, v in summary.items()), report)
        return
    with require_extra(f"train {run.network}", "train", error=InputError):
        import torch

        from any2bokeh.training.edges.config import of_mixed_pixels, on_cpu, on_gpu
        from any2bokeh.training.edges.trainer import EdgeRunOptions, train_edges
    device = run.device if run.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    state = train_edges(
        of_mixed_pixels() if run.network == "mixed" else on_gpu() if device == "cuda" else on_cpu(),
        run.out,
        resume=run.resume,
        start_from=run.start_from,
        handoff=run.handoff,
        run_options=EdgeRunOptions(device, run.workers, run.minutes, anneal=run.anneal),
        report=None if report.quiet or report.json else _line,
        remark=None if report.quiet or report.json else lambda line: print(line, flush=True),
    )
    summary = {"out": str(run.out), "step": state.step, "frames": state.frames, "held_out": state.curve[-1]}
    tell(summary, f"{run.out}: {state.step} steps, {state.frames} frames, held out {_figures(state.curve[-1])}", report)


def _line(said: "EdgeReport") -> None:
    if said.held_out is not None:
        print(f"step {said.step}, {said.frames} frames, held out: {_figures(said.held_out)}", flush=True)
    else:
        print(
            f"step {said.step}, {said.frames} frames, loss {said.loss:.4f}, {said.steps_per_second:.2f} steps a second",
            flush=True,
        )


def _figures(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items() if name not in ("step", "frames"))
