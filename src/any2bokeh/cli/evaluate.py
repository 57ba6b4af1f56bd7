"""``any2bokeh evaluate``: engines and results against ground truth, or on real clips without one."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from any2bokeh.cli.completion import depth_model_names
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import progress_report
from any2bokeh.cli.report import tell, warn
from any2bokeh.disparity.edges.choice import EdgeTreatment
from any2bokeh.engines import Device, diffusion_is_installed
from any2bokeh.errors import InputError, require_choice, require_extra
from any2bokeh.plate.choice import PlateChoice

if TYPE_CHECKING:
    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.evaluation import EvaluationClip, Method, Networks
    from any2bokeh.evaluation.runner import Bench
    from any2bokeh.source_blur import SourceBlur
    from any2bokeh.subject.seed import ClipSeed
    from any2bokeh.video import VideoSource

Suite = Literal["layered", "robustness", "control", "degraded"]
ENGINES = ("source", "gather", "scatter", "layered", "diffusion")

_MOST_PROCESSES = 64

_SCORED, _CLIPS, _NETWORKS = Group.SCORED, Group.CLIPS, Group.NETWORKS
_REAL = Group.REAL
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
            common="Engine to score, repeatable (default: all).",
            panel=_SCORED,
            metavar="|".join(ENGINES),
        ),
    ] = None
    results: Annotated[
        list[str] | None,
        option(
            "--results",
            help="Folder with one result per clip to score, with a name for the report; may be given several times.",
            common="Folder of results to score, one per clip.",
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
        option(
            "--suite", help="Suite of made-up clips, the same every time, in place of CLIPS.", common=True, panel=_CLIPS
        ),
    ] = None
    limit: Annotated[
        int | None,
        option("--limit", help="Score only the first N clips (default: all).", common=True, panel=_CLIPS, metavar="N"),
    ] = None
    frames: Annotated[
        int | None,
        option(
            "--frames",
            help="Score only the first N frames of each clip (default: all).",
            common=True,
            panel=_CLIPS,
            metavar="N",
        ),
    ] = None

    edges: Annotated[
        list[str] | None,
        option(
            "--edges",
            help="How edges of disparity are treated, as in refocus; repeat to compare (default: auto; each of them in "
            "--suite degraded).",
            panel=_CLIPS,
            metavar="|".join(get_args(EdgeTreatment)),
        ),
    ] = None
    plate: Annotated[
        list[str] | None,
        option(
            "--plate",
            help="Where hidden background comes from, as in refocus; repeat to compare (default: auto; both in "
            "--suite degraded).",
            panel=_CLIPS,
            metavar="|".join(get_args(PlateChoice)),
        ),
    ] = None

    source_blur: Annotated[
        list[str] | None,
        option(
            "--source-blur",
            help="Blur that the clips have already, as in refocus but for maps; repeat to compare (default: off).",
            panel=_CLIPS,
            metavar="auto|off|K,D",
        ),
    ] = None

    def clips(
        self, folder: Path | None, real: "RealOptions", device: Device, notice: Callable[[str], None] | None
    ) -> "list[EvaluationClip]":
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
        edges, plates = self._treatments()
        blurs = self._source_blurs()
        real.require_effect()
        if folder is not None and real.real:
            return real.clips(folder, edges, plates, blurs, self.frames, device, notice)[: self.limit]
        if folder is not None:
            from any2bokeh.evaluation import open_clips

            found = open_clips(folder)
        else:
            from any2bokeh.evaluation.suites import suite_clips

            assert self.suite is not None
            found = suite_clips(self.suite)
        from any2bokeh.evaluation.clips import treated

        # Cut first: a plate must not have frames read that are not wanted.
        found = found if self.frames is None else [clip.shortened(self.frames) for clip in found]
        return treated(found, edges=edges, plates=plates, source_blurs=blurs)[: self.limit]

    def _treatments(self) -> tuple[list[EdgeTreatment], list[PlateChoice]]:
        for option_name, names, allowed in (
            ("--edges", self.edges, get_args(EdgeTreatment)),
            ("--plate", self.plate, get_args(PlateChoice)),
        ):
            for name in names or []:
                require_choice(option_name, name, allowed)
        all_of_them = self.suite == "degraded"
        edges = self.edges or (sorted(get_args(EdgeTreatment), key=_off_first) if all_of_them else ["auto"])
        plates = self.plate or (sorted(get_args(PlateChoice), key=_off_first) if all_of_them else ["auto"])
        return cast("list[EdgeTreatment]", list(dict.fromkeys(edges))), cast(
            "list[PlateChoice]", list(dict.fromkeys(plates))
        )

    def _source_blurs(self) -> "list[SourceBlur]":
        from any2bokeh.source_blur import typed_source_blur

        found: list[SourceBlur] = []
        for typed in dict.fromkeys(self.source_blur or ["off"]):
            choice = typed_source_blur(typed)
            if isinstance(choice, Path):
                raise InputError(f"--source-blur is {typed}; give auto, off or the lens as K,D, such as 8,0.4")
            found.append(choice)
        return found


def _off_first(name: str) -> bool:
    return name != "off"


@dataclass(frozen=True, slots=True)
class RealOptions:
    """What is done to real clips, as typed."""

    real: Annotated[
        bool,
        option(
            "--real",
            help="CLIPS are footage without ground truth: each a folder with frames, mask (the subject) and disparity.",
            common="CLIPS are footage without ground truth.",
            panel=_REAL,
        ),
    ] = False
    blur: Annotated[
        list[float] | None,
        option(
            "--blur",
            help="Blur strength K, 0 or more (default: 20). Repeat to compare; with three or more, how well the "
            "blur follows K is scored.",
            common="Blur strength K, repeatable (default: 20).",
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
            completion=depth_model_names,
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
        self,
        folder: Path,
        edges: list[EdgeTreatment],
        plates: list[PlateChoice],
        source_blurs: "list[SourceBlur]",
        frames: int | None,
        device: Device,
        notice: Callable[[str], None] | None,
    ) -> "list[EvaluationClip]":
        """Raises InputError for a K that is negative or not finite, or where there is no such clip."""
        from any2bokeh.cli.clip_options import ModelOptions
        from any2bokeh.evaluation.real_clips import BLUR_STRENGTH, open_real_clips
        from any2bokeh.focus.script import require_blur_strength

        strengths = list(dict.fromkeys(self.blur or [BLUR_STRENGTH]))
        for strength in strengths:
            require_blur_strength(strength, "--blur")
        model = ModelOptions(self.depth_model, self.allow_noncommercial).model()

        def estimate(source: "VideoSource", seed: "ClipSeed", stop: int) -> "EstimatedDisparity":
            return model.estimated(source, seed=seed, stop=stop, device=device, notice=notice)

        return open_real_clips(
            folder,
            blur_strengths=strengths,
            edges=edges,
            plates=plates,
            source_blurs=source_blurs,
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


def _require_effect(methods: MethodOptions, chosen: ClipChoice, networks: NetworkOptions, real: RealOptions) -> None:
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
    treatments = {"--edges": chosen.edges, "--plate": chosen.plate, "--source-blur": chosen.source_blur}
    for name, value in treatments.items():
        if value and not runs and methods.model is None and not real.real:
            raise InputError(f"{name} {value[0]} is for engines, none of which is scored; leave it out")
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
        Path,
        option(
            "--output",
            "-o",
            metavar="OUT",
            help="Folder for scores, table, curves and strips.",
            common=True,
            panel=Group.OUTPUT,
        ),
    ],
    clips: Annotated[
        Path | None,
        typer.Argument(
            metavar="CLIPS",
            help="Folder of clips with ground truth: shards made by synth, or scenes. With --real, of real clips.",
        ),
    ] = None,
    processes: Annotated[
        int,
        option(
            "--processes",
            help="Number of clips that are scored at the same time, each in a process of its own, 1 to 64; the scores "
            "are the same (default: 1).",
            common="Clips that are scored at the same time.",
            panel=_CLIPS,
            metavar="N",
        ),
    ] = 1,
    overwrite: Overwrite = False,
) -> None:
    """Score engines, or results in folders, against ground truth, or on real clips without it."""
    from any2bokeh.evaluation import evaluate
    from any2bokeh.evaluation.processes import evaluate_apart
    from any2bokeh.evaluation.report import ReportFolder, as_markdown
    from any2bokeh.pending_output import PendingOutput, check_target, named_finally, writing
    from any2bokeh.read_paths import ReadPaths

    chosen_results = [given.rpartition("=")[2] for given in methods.results or []]
    read = ReadPaths(paths_of(clips, methods, networks, *(methods.results or []), *chosen_results))
    read.require_kept(output, replaces="tree")
    check_target(output, clips or output / "suite", overwrite=overwrite)
    if not 1 <= processes <= _MOST_PROCESSES:
        raise InputError(f"--processes is {processes}; give 1 to {_MOST_PROCESSES}")
    notice = None if report.quiet else _once(warn)
    make_bench = partial(_bench, methods, chosen, real, networks, clips)
    bench = make_bench(notice)
    _require_effect(methods, chosen, networks, real)
    pending = PendingOutput.folder(output)
    try:
        folder = ReportFolder(pending.temporary, suite=chosen.suite)
        with named_finally(pending), progress_report(quiet=report.quiet or report.json) as progress:
            if processes == 1:
                who, behind = bench.methods, bench.networks
                evaluation = evaluate(bench.clips, who, networks=behind, progress=progress, show=folder.show)
            else:
                evaluation = evaluate_apart(
                    bench, make_bench, processes, progress=progress, show=folder.show, notice=notice or _unheard
                )
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


def _bench(
    methods: MethodOptions,
    chosen: ClipChoice,
    real: RealOptions,
    networks: NetworkOptions,
    folder: Path | None,
    notice: Callable[[str], None] | None,
) -> "Bench":
    """What the options name, made in whichever process asks."""
    from any2bokeh.evaluation.runner import Bench

    clips = chosen.clips(folder, real, methods.device, notice)
    return Bench(clips, methods.methods(), networks.networks(methods.device))


def _once(shown: Callable[[str], None]) -> Callable[[str], None]:
    """Shows each remark once: a clip is read again for each K and treatment of edges."""
    told: set[str] = set()

    def once(remark: str) -> None:
        if remark not in told:
            told.add(remark)
            shown(remark)

    return once


def _unheard(remark: str) -> None:
    """Where nothing but errors is told."""
