"""A project that is gone on with: where its clip and its disparity are found."""

from dataclasses import dataclass
from pathlib import Path

from any2bokeh import demo
from any2bokeh.app.kept_projects import KeptProject
from any2bokeh.app.project import Project
from any2bokeh.app.settings import Limits
from any2bokeh.app.upload import open_video
from any2bokeh.errors import InputError
from any2bokeh.project_file import FileReference, ProjectFile
from any2bokeh.segments.fingerprint import clip_content, file_content
from any2bokeh.video import VideoSource, open_source


@dataclass(frozen=True, slots=True)
class Awaited:
    """A project whose clip its user is asked for.

    Attributes:
        file: the project.
        id: of its place, where it is a kept one.
    """

    file: ProjectFile
    id: str | None = None

    def require_clip(self, source: VideoSource, name: str) -> None:
        """Refuse a clip that is another; it is closed then.

        Args:
            source: the clip that was given.
            name: what messages call it.

        Raises:
            InputError: it holds something else than the project's clip.
        """
        try:
            self.file.clip.require_same(
                clip_content(source.info),
                title=name,
                remedy="choose the clip of the project, or press Forget the project to open this one",
            )
        except BaseException:
            source.close()
            raise


def opened_clip(file: ProjectFile, kept: KeptProject, limits: Limits) -> VideoSource | None:
    """The clip of a project that the studio has kept itself; None where it is gone, or has changed.

    Args:
        file: the project.
        kept: its place, which may hold the upload.
        limits: of the studio.
    """
    try:
        if kept.clip is not None:
            return open_video(kept.clip, limits, name=file.clip.name)
        if file.clip.path is None:
            return None
        source = open_source(file.clip.path)
    except InputError:
        return None
    if clip_content(source.info) != (file.clip.size, file.clip.sha256):
        source.close()
        return None
    return source


def disparity_of(file: ProjectFile, kept: KeptProject) -> Path | None:
    """The same of its disparity; None also where it is estimated."""
    if file.disparity is None:
        return None
    if kept.disparity is not None:
        return kept.disparity
    path = file.disparity.path
    if path is None or not path.exists():
        return None
    return path if file_content(path) == (file.disparity.size, file.disparity.sha256) else None


def remark_on_disparity(file: ProjectFile, present: FileReference | None) -> str:
    """What a user should know where a project was made with other disparity; nothing where it was not.

    Args:
        file: the project.
        present: the disparity that was given for the clip that is open; None where it is estimated.
    """
    made = file.disparity
    if made is None:
        return "" if present is None else f"The project was made with estimated disparity; it has {present.name} now."
    if present is not None and present.is_same(made):
        return ""
    return f"The project was made with the disparity {made.name}; add it with Add disparity."


def taken_up(before: Project, again: Project) -> None:
    """Give the same clip, opened again, what stands beside the decisions."""
    again.title, again.engine = before.title, before.engine
    again.keep_part(before.in_frame, before.out_frame)


def is_demo(path: Path) -> bool:
    """Whether a clip is the bundled one."""
    return path == demo.CLIP_FOLDER / "clip.mp4"
