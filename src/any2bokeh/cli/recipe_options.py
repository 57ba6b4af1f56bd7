"""Options that make a recipe, and files of recipes."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from any2bokeh.cli.disparity_options import DisparityOptions
from any2bokeh.cli.edge_options import EdgeOptions
from any2bokeh.cli.engine_options import EngineOptions
from any2bokeh.cli.finish_options import FinishOptions
from any2bokeh.cli.focus_options import FocusOptions
from any2bokeh.cli.look_options import FocusRangeOptions, LookOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.plate_options import PlateOptions
from any2bokeh.cli.source_blur_options import SourceBlurOptions
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.recipe import Recipe
    from any2bokeh.video import VideoInfo


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """Everything that decides the pictures, as typed or from a file."""

    disparity: DisparityOptions = field(default_factory=DisparityOptions)
    edges: EdgeOptions = field(default_factory=EdgeOptions)
    plate: PlateOptions = field(default_factory=PlateOptions)
    source_blur: SourceBlurOptions = field(default_factory=SourceBlurOptions)
    focus: FocusOptions = field(default_factory=FocusOptions)
    look: LookOptions = field(default_factory=LookOptions)
    focus_range: FocusRangeOptions = field(default_factory=FocusRangeOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    finish: FinishOptions = field(default_factory=FinishOptions)
    recipe: Annotated[
        Path | None,
        option(
            "--recipe",
            help="JSON file, as written by --save-recipe, in place of the options for disparity, focus, lens, engine "
            "and finish.",
            common="Options from a file that --save-recipe wrote.",
            panel=Group.RECIPE,
            metavar="FILE",
        ),
    ] = None

    def made(self, info: "VideoInfo", *, first_frame: int = 0, notice: Callable[[str], None] | None = None) -> "Recipe":
        """The recipe for a clip.

        Args:
            info: what the clip is.
            first_frame: first frame that is wanted, from which a focus that no frame decides is counted.
            notice: told what has no effect but may be meant.

        Raises:
            InputError: values outside their range, options that contradict each other or have no effect, or a file
                that is no recipe.
        """
        from any2bokeh.optics.breathing import Breathing
        from any2bokeh.recipe import Recipe
        from any2bokeh.recipe_json import load_recipe

        if self.recipe is not None:
            self._require_nothing_typed()
            return load_recipe(self.recipe)
        settings = self.engine.settings()
        lens = self.focus.lens_with_look(settings.engine, notice)
        return Recipe(
            focus=self.focus.script(self.focus.seen_frame(info), first_frame=first_frame),
            disparity=self.disparity.choice(),
            disparity_reading=self.disparity.reading(),
            edges=self.edges.edges,
            plate=self.plate.plate,
            source_blur=self.source_blur.choice(),
            tracker=self.focus.tracker_choice(),
            blur_strength=self.focus.blur_strength(),
            focus_range=self.focus_range.focus_range(),
            breathing=Breathing(self.finish.breathing),
            look=self.look.look(lens),
            grain=self.finish.grain,
            engine=settings,
        )

    def paths(self) -> list[Path]:
        """Every file and folder that the options name and that is there."""
        return paths_of(self)

    def require_only_disparity(self, holder: str) -> None:
        """Refuse all options but ``--disparity``, which says where the disparity of ``holder`` lies now.

        Raises:
            InputError: another is typed.
        """
        typed = replace(self, disparity=replace(self.disparity, disparity=None))
        for name, value in _differences(typed, RecipeOptions()):
            raise InputError(f"{holder} holds this setting already, so {name} {value} contradicts it; leave {name} out")

    def _require_nothing_typed(self) -> None:
        for name, value in _differences(replace(self, recipe=None), RecipeOptions()):
            raise InputError(
                f"--recipe {self.recipe} holds this setting already, so {name} {value} contradicts it; leave {name} "
                f"out, or change it in the file"
            )


def _differences(typed: Any, default: Any) -> "list[tuple[str, Any]]":
    """Options that are not at their defaults, with their values, from groups within groups."""
    found: list[tuple[str, Any]] = []
    for each in fields(typed):
        value, other = getattr(typed, each.name), getattr(default, each.name)
        if is_dataclass(value):
            found += _differences(value, other)
        elif value != other:
            found.append(("--" + each.name.replace("_", "-"), value))
    return found
