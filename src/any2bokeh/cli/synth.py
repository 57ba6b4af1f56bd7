"""``any2bokeh synth``: clips with ground truth for training and tests, as shards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.errors import InputError
from any2bokeh.read_paths import ReadPaths

if TYPE_CHECKING:
    from any2bokeh.synthesis.maker import ClipMaker
    from any2bokeh.synthesis.picture import Source

SceneChoice = Literal["rich", "paper"]
TransferChoice = Literal["srgb", "none"]
ScheduleChoice = Literal["mixed", "fixed", "ramp", "sweep"]

_SCENES = Group.SCENES
_LENS = Group.SCENE_LENS


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """What the clips are of."""

    source: Annotated[
        Path | None,
        option(
            "--source",
            help="Folder of subjects: RGBA pictures, or subfolders fgr and pha, or original and mask (default: "
            "made-up subjects).",
            common=True,
            panel=_SCENES,
            metavar="FOLDER",
        ),
    ] = None
    background: Annotated[
        Path | None,
        option(
            "--background", help="Folder of background pictures or videos (default: made-up backgrounds).", common=True,
            panel=_SCENES, metavar="FOLDER",
        ),
    ] = None  # fmt: skip
    scenes: Annotated[
        SceneChoice,
        option(
            "--scenes",
            help="Kind of scene: rich, or paper for flat subjects before a far background and a still camera.",
            common="Rich scenes, or flat ones as in the paper.",
            panel=_SCENES,
        ),
    ] = "rich"
    highlights: Annotated[
        bool,
        option(
            "--highlights/--no-highlights",
            help="Add lights brighter than white to made-up scenes.",
            common=True,
            panel=_SCENES,
        ),
    ] = True


@dataclass(frozen=True, slots=True)
class LensOptions:
    """What the lens does."""

    blur: Annotated[
        str,
        option(
            "--blur",
            help="Blur strength K of all clips, or the range that it is drawn from.",
            common=True,
            panel=_LENS,
            metavar="K|K0,K1",
        ),
    ] = "4,32"
    schedule: Annotated[
        ScheduleChoice,
        option("--schedule", help="How focus and blur strength change over a clip.", common=True, panel=_LENS),
    ] = "mixed"
    samples: Annotated[
        int,
        option("--samples", help="Number of rays through the lens per pixel, at least 1.", common=True, panel=_LENS),
    ] = 256
    round_aperture: Annotated[
        float, option("--round-aperture", help="Share of clips with a round aperture (0 to 1).", panel=_LENS)
    ] = 1.0
    transfer: Annotated[
        TransferChoice,
        option("--transfer", help="Blur linear light (srgb), or the pixel values as they are (none).", panel=_LENS),
    ] = "srgb"


def synth_command(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the clips, one file each.")],
    scene: SceneOptions,
    lens: LensOptions,
    report: ReportOptions,
    clips: Annotated[int, option("--clips", help="Number of clips, at least 1.", common=True, panel=Group.CLIPS)] = 8,
    seed: Annotated[
        int,
        option(
            "--seed", help="Random seed, 0 or more; the same seed makes the same clips.", common=True, panel=Group.CLIPS
        ),
    ] = 0,
    size: Annotated[
        str,
        option(
            "--size",
            help="Width and height of the frames, in pixels, at least 16 each.",
            common=True,
            panel=Group.CLIPS,
            metavar="WxH",
        ),
    ] = "512x288",
    frames: Annotated[
        int, option("--frames", help="Number of frames per clip, at least 1.", common=True, panel=Group.CLIPS)
    ] = 25,
    processes: Annotated[
        int,
        option(
            "--processes",
            help="Number of clips that are made at the same time, each by a process of its own, at least 1; each "
            "process takes about 0.7 GB for clips of 25 frames of 512x288.",
            common="Clips that are made at the same time.",
            panel=Group.CLIPS,
        ),
    ] = 1,
    overwrite: Overwrite = False,
) -> None:
    """Make clips with ground truth for training and evaluation: layered scenes, ray traced through a thin lens.

    A run that was interrupted continues when it is started again with the same arguments; clips that are complete are
    kept.
    """
    if clips < 1:
        raise InputError(f"number of clips is {clips}; give 1 or more")
    if seed < 0:
        raise InputError(f"seed is {seed}; give 0 or more")
    if processes < 1:
        raise InputError(f"number of processes is {processes}; give 1 or more")
    width_px, height_px = _size(size)
    _require_effect(scene)
    ReadPaths(paths_of(scene)).require_kept(output, replaces="tree")
    maker = _maker(scene, lens, clips, seed, (width_px, height_px), frames)
    started = time.monotonic()
    with _output_folder(output):
        kept = _write(maker, output, processes, overwrite=overwrite, quiet=report.quiet or report.json)
    elapsed_s = time.monotonic() - started
    summary = {
        "output": str(output),
        "clips": clips,
        "kept": kept,
        "frames": frames,
        "width": width_px,
        "height": height_px,
        "seed": seed,
        "samples": lens.samples,
        "transfer": lens.transfer,
        "elapsed_s": round(elapsed_s, 3),
    }
    there = f", {kept} of them there already" if kept else ""
    tell(summary, f"{output}: {clips} clips of {frames} frames, {size}{there}, in {elapsed_s:.1f} s", report)


def _require_effect(scene: SceneOptions) -> None:
    """Refuse made-up lights, or none of them, where nothing is made up."""
    if scene.source is not None and scene.background is not None and not scene.highlights:
        raise InputError("--no-highlights is for made-up scenes, and both --source and --background are given")


def _maker(
    scene: SceneOptions, lens: LensOptions, clips: int, seed: int, size: tuple[int, int], frames: int
) -> "ClipMaker":
    from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
    from any2bokeh.synthesis.scene import SceneConfig

    if not 0 <= lens.round_aperture <= 1:
        raise InputError(f"share of round apertures is {lens.round_aperture:g}; give 0 to 1")
    config = ClipConfig(
        width=size[0],
        height=size[1],
        frame_count=frames,
        lens_samples=lens.samples,
        transfer=lens.transfer,
        blur_strength=_blur_range(lens.blur),
        schedules=ClipConfig().schedules if lens.schedule == "mixed" else (lens.schedule,),
        round_aperture=lens.round_aperture,
        scene=SceneConfig.paper() if scene.scenes == "paper" else SceneConfig(),
    )
    subjects, backgrounds = _sources(scene)
    return ClipMaker(config, seed=seed, count=clips, subjects=subjects, backgrounds=backgrounds, threads=None)


def _sources(scene: SceneOptions) -> "tuple[Source, Source]":
    from any2bokeh.synthesis.procedural import ProceduralBackgrounds, ProceduralSubjects
    from any2bokeh.synthesis.source import FolderBackgrounds, FolderSubjects

    made_subjects = ProceduralSubjects() if scene.highlights else ProceduralSubjects(highlights=0)
    made_backgrounds = ProceduralBackgrounds() if scene.highlights else ProceduralBackgrounds(highlights=0)
    return (
        made_subjects if scene.source is None else FolderSubjects(scene.source),
        made_backgrounds if scene.background is None else FolderBackgrounds(scene.background),
    )


def _write(maker: "ClipMaker", output: Path, processes: int, *, overwrite: bool, quiet: bool) -> int:
    """Write what is not there yet; how many clips were."""
    from any2bokeh.cli.progress import progress_report
    from any2bokeh.synthesis import shard
    from any2bokeh.synthesis.shard_writing import write_shards

    _check_present(maker, output, overwrite=overwrite)
    paths = [output / shard.name(index) for index in range(len(maker))]
    missing = [(index, path) for index, path in enumerate(paths) if overwrite or not path.exists()]
    if missing:
        with progress_report(quiet=quiet) as progress:
            write_shards(maker, missing, processes=processes, progress=progress)
    return len(maker) - len(missing)


def _check_present(maker: "ClipMaker", output: Path, *, overwrite: bool) -> None:
    """Raise InputError unless the shards in the folder are of these very clips, or may be replaced."""
    from any2bokeh.synthesis import shard

    if overwrite:
        return
    for path in sorted(output.glob(f"*{shard.SUFFIX}")):
        index = next((i for i in range(len(maker)) if shard.name(i) == path.name), None)
        about = shard.about(path)
        if index is None or about.get("made_from") != maker.made_from(index):
            raise InputError(f"{path} was made with other settings; choose another folder, or pass --overwrite")


@contextmanager
def _output_folder(output: Path) -> Iterator[None]:
    """Make the folder, and take it away again where a failure leaves it empty."""
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file; give a folder")
    made = not output.exists()
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make folder {output} ({error.strerror}); choose another place") from None
    try:
        yield
    except BaseException:
        if made and not any(output.iterdir()):
            output.rmdir()
        raise


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise InputError(f"size is {text!r}; give width and height such as 512x288") from None
    return width, height


def _blur_range(text: str) -> tuple[float, float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(0 <= value < float("inf") for value in values):
        raise InputError(f"blur is {text!r}; give one blur strength K, or the lowest and highest, such as 4,32")
    return values[0], values[-1]
