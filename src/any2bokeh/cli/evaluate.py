"""``any2bokeh evaluate``: engines and results against ground truth."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import progress_report
from any2bokeh.cli.report import tell
from any2bokeh.engines import Device, diffusion_is_installed
from any2bokeh.errors import InputError, require_choice, require_extra

if TYPE_CHECKING:
    from any2bokeh.evaluation import EvaluationClip, Method, Networks

Suite = Literal["layered", "robustness", "control"]
ENGINES = ("source", "gather", "scatter", "layered", "diffusion")

_SCORED, _CLIPS, _NETWORKS = "What is scored", "Clips", "Networks behind metrics (left out unless given)"
_WITHOUT_WEIGHTS = ENGINES[:4]


def _installed() -> tuple[str, ...]:
    return ENGINES if diffusion_is_installed() else _WITHOUT_WEIGHTS


@dataclass(frozen=True, slots=True)
class MethodOptions:
    """What is scored, as typed."""

    engine: Annotated[
        list[str] | None,  # typer takes no list of Literal
        option(
            "--engine",
            help="Engine to score; may be given several times (default: all that are installed; none with --results).",
            panel=_SCORED,
            metavar="|".join(ENGINES),
        ),
    ] = None
    results: Annotated[
        list[str] | None,
        option(
            "--results",
            help="Folder with one result per clip to score, with a name for the report; may be given several times.",
            panel=_SCORED,
            metavar="[NAME=]DIR",
        ),
    ] = None
    model: Annotated[
        str | None,
        option(
            "--model",
            help="Folder or hub id of the diffusion engine's weights (default: the compact model of this package).",
            panel=_SCORED,
            metavar="PATH|ID",
        ),
    ] = None
    device: Annotated[Device, option("--device", help="Device that networks run on.", panel=_SCORED)] = "auto"
    threads: Annotated[
        int | None,
        option(
            "--threads",
            help="Number of threads of the engines that run on the CPU, 1 to 1024 (default: all cores).",
            panel=_SCORED,
            metavar="N",
        ),
    ] = None

    def methods(self) -> "list[Method]":
        """Raises InputError for an engine that cannot be had."""
        from any2bokeh.evaluation import FolderMethod, plain_method

        if self.threads is not None and not 1 <= self.threads <= 1024:
            raise InputError(f"--threads is {self.threads}; give a number from 1 to 1024")
        engines = list(self.engine or ([] if self.results else _installed()))
        for name in engines:
            require_choice("--engine", name, ENGINES)
        if self.model is not None and "diffusion" not in engines:
            if self.engine:
                raise InputError(f"--model {self.model} is for --engine diffusion, which is not among the engines")
            engines.append("diffusion")
        found: list[Method] = []
        for name in engines:
            found.append(self._diffusion() if name == "diffusion" else plain_method(name, threads=self.threads))
        for given in self.results or []:
            name, _, folder = given.rpartition("=") if not Path(given).is_dir() else ("", "", given)
            found.append(FolderMethod(folder, name or None))
        return found

    def _diffusion(self) -> "Method":
        from any2bokeh.evaluation import RendererMethod

        with require_extra("--engine diffusion", "diffusion"):
            from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT
            from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer
        # One for all transfers: the model learnt its own.
        renderer = DiffusionRenderer.load(self.model or COMPACT, device=self.device)
        return RendererMethod("diffusion" if self.model else COMPACT, lambda transfer: renderer)


@dataclass(frozen=True, slots=True)
class ClipChoice:
    """Which clips are scored, as typed."""

    suite: Annotated[
        Suite | None,
        option("--suite", help="Suite of made-up clips, the same every time, in place of CLIPS.", panel=_CLIPS),
    ] = None
    limit: Annotated[
        int | None, option("--limit", help="Score only the first N clips (default: all).", panel=_CLIPS, metavar="N")
    ] = None
    frames: Annotated[
        int | None,
        option(
            "--frames", help="Score only the first N frames of each clip (default: all).", panel=_CLIPS, metavar="N"
        ),
    ] = None

    def clips(self, folder: Path | None) -> "list[EvaluationClip]":
        """Raises InputError where there is no clip, or both a folder and a suite."""
        for name, value in (("--limit", self.limit), ("--frames", self.frames)):
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}; give 1 or more")
        if (folder is None) == (self.suite is None):
            given = "both CLIPS and --suite are" if folder else "neither CLIPS nor --suite is"
            raise InputError(f"{given} given; give a folder of clips with ground truth, or --suite layered")
        if folder is not None:
            from any2bokeh.evaluation import open_clips

            found = open_clips(folder)
        else:
            from any2bokeh.evaluation.suites import suite_clips

            assert self.suite is not None
            found = suite_clips(self.suite)
        found = found[: self.limit]
        return found if self.frames is None else [clip.shortened(self.frames) for clip in found]


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Weights of networks behind metrics, as typed."""

    lpips: Annotated[
        Path | None,
        option(
            "--lpips",
            help="Safetensors file with the weights of LPIPS on AlexNet, for LPIPS.",
            panel=_NETWORKS,
            metavar="FILE",
        ),
    ] = None
    raft: Annotated[
        Path | None,
        option(
            "--raft",
            help="Safetensors file with the weights of RAFT, for optical flow in place of DIS.",
            panel=_NETWORKS,
            metavar="FILE",
        ),
    ] = None
    video_features: Annotated[
        Path | None,
        option("--video-features", help="Folder of a video network, for FVD.", panel=_NETWORKS, metavar="DIR"),
    ] = None
    image_features: Annotated[
        Path | None,
        option("--image-features", help="Folder of an image network, for VFID.", panel=_NETWORKS, metavar="DIR"),
    ] = None

    def networks(self, device: Device) -> "Networks":
        """Raises InputError where something given does not load."""
        from any2bokeh.evaluation import Networks
        from any2bokeh.evaluation.metrics.features import FeatureKind, TransformersFeatures
        from any2bokeh.evaluation.metrics.flow import DisFlow, RaftFlow
        from any2bokeh.evaluation.metrics.lpips import Lpips

        if all(given is None for given in (self.lpips, self.raft, self.video_features, self.image_features)):
            return Networks()
        with require_extra("a network behind a metric", "diffusion"):
            from any2bokeh.renderers.diffusion.renderer import resolve_device
        place = str(resolve_device(device))

        def features(kind: FeatureKind, folder: Path | None) -> TransformersFeatures | None:
            return None if folder is None else TransformersFeatures(folder, kind=kind, device=place)

        return Networks(
            flow=RaftFlow(self.raft, device=place) if self.raft else DisFlow(),
            lpips=Lpips(self.lpips, device=place) if self.lpips else None,
            video_features=features("video", self.video_features),
            image_features=features("image", self.image_features),
        )


def _require_effect(methods: MethodOptions, networks: NetworkOptions) -> None:
    """Refuse options of what is not scored.

    Raises:
        InputError: names the option.
    """
    runs = {engine for engine in methods.engine or () if engine in ENGINES} or (
        set() if methods.results else set(_installed())
    )
    has_networks = any(getattr(networks, field.name) is not None for field in fields(networks))
    if methods.threads is not None and not runs & {"gather", "scatter", "layered"}:
        raise InputError(
            f"--threads {methods.threads} is for gather, scatter and layered, none of which is scored; leave it out"
        )
    if methods.device != "auto" and not has_networks and "diffusion" not in runs and methods.model is None:
        raise InputError(f"--device {methods.device} is for networks, of which none runs; leave it out")


def evaluate_command(
    methods: MethodOptions,
    chosen: ClipChoice,
    networks: NetworkOptions,
    report: ReportOptions,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="Folder for scores, table, curves and strips.")
    ],
    clips: Annotated[
        Path | None,
        typer.Argument(metavar="CLIPS", help="Folder of clips with ground truth: shards made by synth, or scenes."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Score engines, or results in folders, against ground truth."""
    from any2bokeh.evaluation import evaluate
    from any2bokeh.evaluation.report import ReportFolder, as_markdown
    from any2bokeh.pending_output import PendingOutput, check_target, named_finally, writing
    from any2bokeh.read_paths import ReadPaths

    chosen_results = [given.rpartition("=")[2] for given in methods.results or []]
    read = ReadPaths(paths_of(clips, methods, networks, *(methods.results or []), *chosen_results))
    read.require_kept(output, replaces="tree")
    check_target(output, clips or output / "suite", overwrite=overwrite)
    found = chosen.clips(clips)
    who = methods.methods()
    _require_effect(methods, networks)
    behind = networks.networks(methods.device)
    pending = PendingOutput.folder(output)
    try:
        folder = ReportFolder(pending.temporary, suite=chosen.suite)
        with named_finally(pending), progress_report(quiet=report.quiet or report.json) as progress:
            evaluation = evaluate(found, who, networks=behind, progress=progress, show=folder.show)
        with writing(output):
            result = folder.write(evaluation)
        pending.publish()
    finally:
        pending.discard()
    tell(
        {"output": str(output), **result},
        f"{as_markdown(evaluation, suite=chosen.suite)}\n{output}: scores, table, curves and strips",
        report,
    )
