"""A job as it is sent to another process, which opens it again from the same files."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from any2bokeh import recipe_json
from any2bokeh.segments.cut import Segmentation
from any2bokeh.segments.parts import Job
from any2bokeh.video import Encoding, Reading, open_source

if TYPE_CHECKING:
    from any2bokeh.aov.kinds import AovRequest


@dataclass(frozen=True, slots=True)
class Order:
    """A job in plain values, all paths of which are absolute; it can be pickled.

    Attributes:
        clip: of the source.
        fps, reading: how it was opened.
        recipe: in JSON.
        output, start, stop, encoding, segmentation, aovs: see ``Job``.
        made_of: see ``Parts.made_of``.
    """

    clip: Path
    fps: float | Fraction | str | None
    reading: Reading | None
    recipe: str
    output: Path
    start: int
    stop: int
    encoding: Encoding
    segmentation: Segmentation
    aovs: "AovRequest | None"
    made_of: str

    @classmethod
    def of(cls, job: Job, made_of: str) -> "Order":
        """That of a job.

        Raises:
            InputError: the recipe holds what is no file or value.
        """
        source = job.source
        return cls(
            clip=source.info.path.absolute(),
            fps=source.fps_given,
            reading=source.reading,
            recipe=recipe_json.dumps(job.recipe),
            output=job.output.absolute(),
            start=job.start,
            stop=job.stop,
            encoding=job.encoding,
            segmentation=job.segmentation,
            aovs=None if job.aovs is None else replace(job.aovs, folder=job.aovs.folder.absolute()),
            made_of=made_of,
        )

    def job(self) -> Job:
        """The job, its source open; whoever asks closes that.

        Raises:
            InputError: the clip or a file of the recipe cannot be read here.
        """
        recipe = recipe_json.loads(self.recipe, title=f"the recipe for {self.clip}", root=self.clip.parent)
        source = open_source(self.clip, fps=self.fps, reading=self.reading)
        return Job(source, recipe, self.output, self.start, self.stop, self.encoding, self.segmentation, self.aovs)
