"""Projects of the studio on the command line: ``--project`` stands for the clip, the recipe and the encoding."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.cli.output_options import EncodingOptions
    from any2bokeh.cli.recipe_options import RecipeOptions
    from any2bokeh.project_file import ProjectFile
    from any2bokeh.recipe import Recipe
    from any2bokeh.video import Encoding, VideoSource

ProjectInput = Annotated[
    str | None,
    typer.Argument(
        metavar="INPUT",
        help="Video file, folder of frames, file name pattern such as shot.####.exr, or - for YUV4MPEG2 on standard "
        "input. Not needed with --project if the clip lies where it lay.",
        show_default=False,
    ),
]
ProjectPath = Annotated[
    Path | None,
    option(
        "--project",
        help="Project saved in the studio, in place of INPUT and of the options for disparity, focus, lens, engine and "
        "finish. The clip must be the one that the project was made with; --disparity says where its disparity lies "
        "now.",
        common="Saved in the studio; holds all other options.",
        panel=Group.RECIPE,
        metavar="FILE",
    ),
]


@dataclass(frozen=True, slots=True)
class OpenedProject:
    """A project whose clip, and disparity, have been found where its user says that they are.

    Attributes:
        path: of the project.
        file: what it holds.
        input: the clip.
        disparity: its disparity; None where that is estimated.
    """

    path: Path
    file: "ProjectFile"
    input: str
    disparity: Path | None

    @classmethod
    def of(cls, path: Path, input: str | None, disparity: Path | None = None) -> "OpenedProject":
        """Open one.

        Args:
            path: of the project.
            input: where the clip lies, as typed; None = where it lay.
            disparity: the same of its disparity.

        Raises:
            InputError: it cannot be read, or there is no clip.
        """
        from any2bokeh.project_file import load_project

        file = load_project(path)
        if input is None and file.clip.path is None:
            raise InputError(
                f"project {path} was made with {file.clip.name}, which was uploaded to the studio; give INPUT, the "
                f"clip, too"
            )
        if disparity is not None and file.disparity is None:
            raise InputError(
                f"--disparity {disparity} contradicts project {path}, whose disparity is estimated; leave it out"
            )
        if file.disparity is not None:
            disparity = disparity or file.disparity.path
            if disparity is None:
                raise InputError(
                    f"project {path} was made with {file.disparity.name}, which was uploaded to the studio; give "
                    f"--disparity, too"
                )
        return cls(path, file, input or str(file.clip.path), disparity)

    def recipe(self, source: "VideoSource", *, needs_focus: bool = True) -> "Recipe":
        """What decides the pictures.

        Args:
            source: the clip.
            needs_focus: refuse a project in which nothing is in focus yet.

        Raises:
            InputError: the clip or the disparity holds something else than when the project was made, or nothing has
                been put in focus.
        """
        from any2bokeh.project_file import render_recipe
        from any2bokeh.segments.fingerprint import clip_content, file_content

        if needs_focus and self.file.script is None:
            raise InputError(
                f"project {self.path} has nothing in focus yet; open it in the studio and click the subject"
            )
        self.file.clip.require_same(
            clip_content(source.info), title=str(source.info.path), remedy="give INPUT, the clip, where it lies now"
        )
        recipe = self.file.recipe
        if self.file.disparity is not None and self.disparity is not None:
            self.file.disparity.require_same(
                file_content(self.disparity), title=str(self.disparity), remedy="give --disparity where it lies now"
            )
            recipe = replace(recipe, disparity=self.disparity)
        return render_recipe(recipe)

    def paths(self) -> list[Path]:
        """What a run must not replace."""
        return [self.path, *([] if self.disparity is None else [self.disparity])]


def require_input(project: Path | None, input: str | None) -> str:
    """INPUT, which stands in no project.

    Raises:
        InputError: it is missing.
    """
    if input is None:
        raise InputError("Missing argument 'INPUT'; give a clip" + ("" if project else ", or --project FILE"))
    return input


@dataclass(frozen=True, slots=True)
class Order:
    """What ``any2bokeh refocus`` is to make, from options or from a project."""

    input: str
    output: Path
    encoding: "Encoding"
    recipe: "Callable[[VideoSource, int, Callable[[str], None] | None], Recipe]"
    frames: tuple[int, int | None] | None
    paths: list[Path]
    project: OpenedProject | None = None


def ordered(
    project: Path | None,
    input: str | None,
    output: Path | None,
    options: "RecipeOptions",
    encoding: "EncodingOptions",
) -> Order:
    """What is to be made.

    Raises:
        InputError: INPUT or OUT is missing, or an option contradicts the project.
    """
    if project is None:
        input = require_input(project, input)
        if output is None:
            raise InputError("Missing option '--output' / '-o'; say where the result goes")
        return Order(
            input,
            output,
            encoding.encoding(),
            lambda source, first, notice: options.made(source.info, first_frame=first, notice=notice),
            None,
            options.paths(),
        )
    from any2bokeh.project_file import FORMATS

    options.require_only_disparity(f"project {project}")
    opened = OpenedProject.of(project, input, options.disparity.disparity)
    output = output or Path(f"{Path(opened.file.name).stem}-bokeh.mp4")
    typed = encoding.encoding()
    usual = dict(FORMATS.values())
    if typed == type(encoding)().encoding():  # nothing is typed: as the studio encodes it
        typed = usual.get(output.suffix.lower(), typed)
    return Order(
        opened.input,
        output,
        typed,
        lambda source, first, notice: opened.recipe(source),
        opened.file.frames,
        [*options.paths(), *opened.paths()],
        opened,
    )
