"""``any2bokeh evaluate``: engines and results against ground truth, or on real clips without one."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import progress_report
from any2bokeh.cli.report import tell, warn
from any2bokeh.disparity.edges.choice import EdgeTreatment
from any2bokeh.engines import Device, diffusion_is_installed
from any2bokeh.errors import InputError, require_choice, require_extra

if TYPE_CHECKING:
    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.evaluation import EvaluationClip, Method, Networks
    from any2bokeh.subject.seed import ClipSeed
    from any2bokeh.video import VideoSource

Suite = Literal["layered", "robustness", "control", "degraded"]
ENGINES = ("source", "gather", "scatter", "layered", "diffusion")

_SCORED, _CLIPS, _NETWORKS = "What is scored", "Clips", "Networks behind metrics (left out unless given)"
_REAL = "Real clips (--real)"
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

    edges: Annotated[
        list[str] | None,
        option(
            "--edges",
            help="How edges of disparity are treated in --real and --suite degraded: auto, classical, learned or off; "
            "repeat to compare. Default: auto; off and auto in --suite degraded.",
            panel=_CLIPS,
            metavar="|".join(get_args(EdgeTreatment)),
        ),
    ] = None

    def clips(self, folder: Path | None, real: "RealOptions", device: Device, *, quiet: bool) -> "list[EvaluationClip]":
        """Raises InputError where there is no clip, or both a folder and a suite."""
        for name, value in (("--limit", self.limit), ("--frames", self.frames)):
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}; give 1 or more")
        if real.real and (folder is None or self.suite is not None):
            given = (
                "--real has no CLIPS" if folder is None else f"--real and --suite {self.suite} contradict each other"
            )
            raise InputError(f"{given}; give --real and a folder of real clips")
        if (folder is None) == (self.suite is None):
            given = "both CLIPS and --suite are" if folder else "neither CLIPS nor --suite is"
            raise InputError(f"{given} given; give a folder of clips with ground truth, or --suite layered")
        edges = self._edges()
        if edges and not real.real and self.suite != "degraded":
            raise InputError(f"--edges {edges[0]} is for --real and for --suite degraded; leave it out")
        real.require_effect()
        if folder is not None and real.real:
            return real.clips(folder, edges or ["auto"], self.frames, device, quiet=quiet)[: self.limit]
        if folder is not None:
            from any2bokeh.evaluation import open_clips

            found = open_clips(folder)
        else:
            from any2bokeh.evaluation.suites import suite_clips

            assert self.suite is not None
            found = suite_clips(self.suite, edges=edges or ["off", "auto"])
        found = found[: self.limit]
        return found if self.frames is None else [clip.shortened(self.frames) for clip in found]

    def _edges(self) -> list[EdgeTreatment]:
        allowed = get_args(EdgeTreatment)
        for name in self.edges or []:
            if name not in allowed:
                raise InputError(f"--edges is {name!r}; it must be one of {', '.join(allowed)}")
        return cast("list[EdgeTreatment]", list(dict.fromkeys(self.edges or [])))


@dataclass(frozen=True, slots=True)
class RealOptions:
    """What is done to real clips, as typed."""

    real: Annotated[
        bool,
        option(
            "--real",
            help="CLIPS are footage without ground truth: each a folder with frames, mask (the subject) and disparity.",
            panel=_REAL,
        ),
    ] = False
    blur: Annotated[
        list[float] | None,
        option(
            "--blur",
            help="Blur strength K, 0 or more (default: 20). Repeat to compare; with three or more, how well the "
            "blur follows K is scored.",
            panel=_REAL,
            metavar="K",
        ),
    ] = None
    depth_model: Annotated[
        str | None,
        option(
            "--depth-model",
            help="Depth model that estimates the disparity of all clips: auto, rough, a known name such as small, a "
            "hub id or a folder (default: auto, for clips without disparity).",
            panel=_REAL,
            metavar="auto|ID|FOLDER",
        ),
    ] = None
    allow_noncommercial: Annotated[
        bool,
        option(
            "--allow-noncommercial",
            help="Allow depth models whose licence restricts how they may be used.",
            panel=_REAL,
        ),
    ] = False

    def require_effect(self) -> None:
        """Raises InputError for an option of real clips where there are none."""
        typed = {
            "--blur": self.blur and self.blur[0],
            "--depth-model": self.depth_model,
            "--allow-noncommercial": self.allow_noncommercial or None,
        }
        for name, value in typed.items():
            if value is not None and not self.real:
                raise InputError(f"{name} {value} is for --real; leave it out, or give --real")

    def clips(
        self, folder: Path, edges: list[EdgeTreatment], frames: int | None, device: Device, *, quiet: bool
    ) -> "list[EvaluationClip]":
        """Raises InputError for a K that is negative or not finite, or where there is no such clip."""
        from any2bokeh.cli.clip_options import ModelOptions
        from any2bokeh.evaluation.real_clips import BLUR_STRENGTH, open_real_clips
        from any2bokeh.focus.script import require_blur_strength

        strengths = list(dict.fromkeys(self.blur or [BLUR_STRENGTH]))
        for strength in strengths:
            require_blur_strength(strength, "--blur")
        model = ModelOptions(self.depth_model, self.allow_noncommercial).model()
        told: set[str] = set()

        def once(remark: str) -> None:  # a clip is read again for each K and treatment of edges
            if remark not in told:
                told.add(remark)
                warn(remark)

        def estimate(source: "VideoSource", seed: "ClipSeed", stop: int) -> "EstimatedDisparity":
            return model.estimated(source, seed=seed, stop=stop, device=device, notice=None if quiet else once)

        return open_real_clips(
            folder,
            blur_strengths=strengths,
            edges=edges,
            estimate=estimate,
            is_estimated=self.depth_model is not None,
            frame_count=frames,
        )


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Weights of networks behind metrics, as typed."""

    lpips: Annotated[
        Path | None,
        option(
            "--lpips",
            help="Safetensors file with the weights of LPIPS on SqueezeNet (as published) or on AlexNet.",
            panel=_NETWORKS,
            metavar="FILE",
        ),
    ] = None
    raft: Annotated[
        Path | None,
        option(
            "--raft",
            help="Safetensors file with the weights of RAFT (needs torchvision), for FD, and in place of DIS "
            "for all optical flow.",
            panel=_NETWORKS,
            metavar="FILE",
        ),
    ] = None
    video_features: Annotated[
        Path | None,
        option(
            "--video-features",
            help="Folder of a video network: VideoMAE-g gives FVD as published, another a Fréchet distance.",
            panel=_NETWORKS,
            metavar="DIR",
        ),
    ] = None
    i3d: Annotated[
        Path | None,
        option("--i3d", help="Safetensors file with the weights of I3D, for VFID.", panel=_NETWORKS, metavar="FILE"),
    ] = None
    resnext: Annotated[
        Path | None,
        option(
            "--resnext",
            help="Safetensors file with the weights of a 3D ResNeXt-101, for VFID.",
            panel=_NETWORKS,
            metavar="FILE",
        ),
    ] = None
    image_features: Annotated[
        Path | None,
        option(
            "--image-features",
            help="Folder of an image network, for a Fréchet distance of frames.",
            panel=_NETWORKS,
            metavar="DIR",
        ),
    ] = None

    def networks(self, device: Device) -> "Networks":
        """Raises InputError where something given does not load."""
        from any2bokeh.evaluation import Networks
        from any2bokeh.evaluation.metrics.features import FeatureExtractor, TransformersFeatures
        from any2bokeh.evaluation.metrics.flow import DisFlow, RaftFlow
        from any2bokeh.evaluation.metrics.lpips import Lpips
        from any2bokeh.evaluation.metrics.vfid import VfidFeatures

        if not self.given():
            return Networks()
        with require_extra("a network behind a metric", "diffusion"):
            from any2bokeh.renderers.diffusion.renderer import resolve_device
        place = str(resolve_device(device))
        features: list[FeatureExtractor] = []
        if self.video_features is not None:
            features.append(TransformersFeatures(self.video_features, kind="video", device=place))
        if self.image_features is not None:
            features.append(TransformersFeatures(self.image_features, kind="image", device=place))
        if self.i3d is not None:
            features.append(VfidFeatures("i3d", self.i3d, device=place))
        if self.resnext is not None:
            features.append(VfidFeatures("resnext", self.resnext, device=place))
        return Networks(
            flow=RaftFlow(self.raft, device=place) if self.raft else DisFlow(),
            lpips=Lpips(self.lpips, device=place) if self.lpips else None,
            features=features,
        )

    def given(self) -> dict[str, Path]:
        """What is given, by option."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {f"--{name.replace('_', '-')}": path for name, path in values.items() if path is not None}


def _require_effect(methods: MethodOptions, networks: NetworkOptions, real: RealOptions) -> None:
    """Refuse options of what is not scored.

    Raises:
        InputError: names the option.
    """
    runs = {engine for engine in methods.engine or () if engine in ENGINES} or (
        set() if methods.results else set(_installed())
    )
    has_networks = bool(networks.given()) or real.depth_model is not None
    if methods.threads is not None and not runs & {"gather", "scatter", "layered"}:
        raise InputError(
            f"--threads {methods.threads} is for gather, scatter and layered, none of which is scored; leave it out"
        )
    if methods.device != "auto" and not has_networks and "diffusion" not in runs and methods.model is None:
        raise InputError(f"--device {methods.device} is for networks, of which none runs; leave it out")
    for name, path in networks.given().items() if real.real else ():
        if name != "--raft":
            raise InputError(f"{name} {path} is for clips with ground truth, which --real has not; leave it out")


def evaluate_command(
    methods: MethodOptions,
    chosen: ClipChoice,
    real: RealOptions,
    networks: NetworkOptions,
    report: ReportOptions,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="Folder for scores, table, curves and strips.")
    ],
    clips: Annotated[
        Path | None,
        typer.Argument(
            metavar="CLIPS",
            help="Folder of clips with ground truth: shards made by synth, or scenes. With --real, of real clips.",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Score engines, or results in folders, against ground truth, or on real clips without it."""
    from any2bokeh.evaluation import evaluate
    from any2bokeh.evaluation.report import ReportFolder, as_markdown
    from any2bokeh.pending_output import PendingOutput, check_target, named_finally, writing
    from any2bokeh.read_paths import ReadPaths

    chosen_results = [given.rpartition("=")[2] for given in methods.results or []]
    read = ReadPaths(paths_of(clips, methods, networks, *(methods.results or []), *chosen_results))
    read.require_kept(output, replaces="tree")
    check_target(output, clips or output / "suite", overwrite=overwrite)
    found = chosen.clips(clips, real, methods.device, quiet=report.quiet)
    who = methods.methods()
    _require_effect(methods, networks, real)
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
