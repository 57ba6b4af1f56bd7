"""A project that is open, as the file that it is saved in, and back."""

from dataclasses import dataclass, fields, replace

from any2bokeh.app import editing
from any2bokeh.app.mounted_lens import MountedLens
from any2bokeh.app.project import Decisions, Project
from any2bokeh.disparity import DepthModel
from any2bokeh.disparity.edges import edge_estimator
from any2bokeh.engines import Engine, EngineSettings
from any2bokeh.errors import InputError
from any2bokeh.focus import Autofocus, FocusScript, TrackerChoice
from any2bokeh.optics.lens import Lens
from any2bokeh.project_file import FileReference, ProjectFile, ProjectLens, now
from any2bokeh.recipe import Recipe
from any2bokeh.video import VideoSource


@dataclass(frozen=True, slots=True)
class Work:
    """What of an open project is worth saving; equal while nothing has changed.

    Attributes:
        name: of the project.
        decisions: what its user has decided.
        in_frame, out_frame: see ``Project``.
        engine: that it was last rendered with.
    """

    name: str
    decisions: Decisions
    in_frame: int | None
    out_frame: int | None
    engine: Engine

    @classmethod
    def of(cls, project: Project) -> "Work":
        """That of a project now."""
        return cls(project.title, project.now, project.in_frame, project.out_frame, project.engine)

    def file(
        self,
        clip: FileReference,
        disparity: FileReference | None,
        *,
        depth_model: str,
        tracker: TrackerChoice,
        model: str | None,
    ) -> ProjectFile:
        """As a file.

        Args:
            clip: which clip it is of.
            disparity: the disparity that was given; None where it is estimated.
            depth_model: by which.
            tracker: what follows subjects.
            model: weights of the diffusion engine.
        """
        lens, decisions = self.decisions.lens, self.decisions
        engine = EngineSettings() if self.engine == "layered" else EngineSettings(engine="diffusion", model=model)
        recipe = Recipe(
            # A project in which nothing is in focus yet has what finds the focus by itself.
            focus=decisions.script or Autofocus(),
            disparity=DepthModel(depth_model) if disparity is None or disparity.path is None else disparity.path,
            strokes=decisions.strokes,
            tracker=tracker,
            edges=decisions.edges,
            look=lens.look,
            engine=engine,
        )
        numbers = {each.name: getattr(lens, each.name) for each in fields(Lens)}
        return ProjectFile(
            name=self.name,
            clip=clip,
            recipe=recipe,
            disparity=disparity,
            in_frame=self.in_frame,
            out_frame=self.out_frame,
            lens=ProjectLens(lens.name, gives_blur=decisions.lens_gives_blur, **numbers),
            blur_strength=decisions.blur_strength,
            saved=now(),
        )


def decisions_of(file: ProjectFile, source: VideoSource) -> Decisions:
    """What a file says has been decided, for the clip that it is of.

    Raises:
        InputError: it does not fit the clip, names files of this machine, or sets what the studio does not show.
    """
    recipe, info = file.recipe, source.info
    require_shown(file)
    script = file.script
    if script is not None:
        script = editing.in_frames_of(script, info.fps, info.frame_count)
    last = info.frame_count - 1
    for name, frame in {"in_frame": file.in_frame, "out_frame": file.out_frame}.items():
        if frame is not None and frame > last:
            raise InputError(f"{name} is {frame}, but the clip has frames 0 to {last}; the project is of another clip")
    for number, stroke in enumerate(recipe.strokes):
        if stroke.frame > last:
            raise InputError(
                f"stroke {number} is on frame {stroke.frame}, but the clip has frames 0 to {last}; the project is of "
                f"another clip"
            )
    numbers = {each.name: getattr(file.lens, each.name) for each in fields(Lens)}
    lens = MountedLens(name=file.lens.name, look=recipe.look, **numbers)
    edge_estimator(recipe.edges)  # refused where it needs a network that is not here
    return Decisions(
        script,
        lens,
        file.blur_strength,
        file.lens.gives_blur,
        recipe.strokes,
        file.in_frame,
        file.out_frame,
        recipe.edges,
    )


def require_shown(file: ProjectFile) -> None:
    """Refuse what the studio would not show, and what would make it open a file because a project names it.

    Raises:
        InputError: names the setting.
    """
    recipe, plain = file.recipe, Recipe(Autofocus())
    if recipe.look.aperture_image is not None:
        raise InputError("look: aperture_image names a file, and the studio opens no files that a project names")
    for name in (
        "disparity_reading",
        "plate",
        "source_blur",
        "blur_strength",
        "focus_range",
        "breathing",
        "grain",
    ):
        if getattr(recipe, name) != getattr(plain, name):
            raise InputError(
                f"recipe: {name} is set, which the studio cannot show; render this project with any2bokeh refocus "
                f"--project, or take {name} out"
            )
    if recipe.focus != plain.focus and not isinstance(recipe.focus, FocusScript):
        raise InputError("recipe: focus is no script; give one, or take focus out")


def apply(file: ProjectFile, project: Project) -> None:
    """Give an open project what stands beside the decisions."""
    project.title = file.name
    project.engine = file.recipe.engine.engine


def without_path(reference: FileReference | None) -> FileReference | None:
    """A reference that a page may have: by name and content alone."""
    return None if reference is None else replace(reference, path=None)
