"""Commands for projects and brushes; see ``commands``. None has a path."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from any2bokeh.disparity.mending import strokes_of
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.app.session import Session


@dataclass(frozen=True, slots=True)
class Paint:
    """Mend the disparity with a stroke of the brush; see ``mending.Stroke``."""

    frame: int
    tool: str
    points: list[Any]
    radius: float
    strength: float
    softness: float = 0.5

    def run(self, session: "Session") -> None:
        given = {name: getattr(self, name) for name in ("frame", "tool", "points", "radius", "strength", "softness")}
        [stroke] = strokes_of([given])
        session.opened().paint(stroke)


@dataclass(frozen=True, slots=True)
class Wipe:
    """Take the brush strokes of a frame away."""

    frame: int

    def run(self, session: "Session") -> None:
        session.opened().wipe(self.frame)


@dataclass(frozen=True, slots=True)
class NameProject:
    """Call the project by another name."""

    name: str

    def run(self, session: "Session") -> None:
        name = " ".join(self.name.split())
        if not name or not name.isprintable():
            raise InputError("the project needs a name; type one")
        session.opened().title = name


@dataclass(frozen=True, slots=True)
class OpenKept:
    """Go on with a project that is kept; ``id`` is one of those that the page was offered."""

    id: str

    def run(self, session: "Session") -> None:
        session.go_on_with(self.id)


@dataclass(frozen=True, slots=True)
class DiscardKept:
    """Remove a project that is kept, and its uploads."""

    id: str

    def run(self, session: "Session") -> None:
        session.discard(self.id)


@dataclass(frozen=True, slots=True)
class ForgetProject:
    """Wait no more for the clip of a project that was loaded."""

    nothing: bool = field(default=True)

    def run(self, session: "Session") -> None:
        session.awaited = None


@dataclass(frozen=True, slots=True)
class GetDepthModel:
    """Estimate the disparity with a depth model, which is fetched if it is not on this machine."""

    name: str

    def run(self, session: "Session") -> None:
        session.get_depth_model(self.name)


@dataclass(frozen=True, slots=True)
class EndRender:
    """End a render of the list, or remove it with its result where it is over."""

    number: int

    def run(self, session: "Session") -> None:
        session.renders.cancel(self.number)


PROJECT_COMMANDS: dict[str, Any] = {
    "paint": Paint,
    "wipe": Wipe,
    "name": NameProject,
    "end render": EndRender,
    "depth model": GetDepthModel,
    "open project": OpenKept,
    "discard project": DiscardKept,
    "forget project": ForgetProject,
}
