"""A clip that a user has opened, with all that they have decided about it."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from any2bokeh.app import editing
from any2bokeh.app.clip_playback import ClipPlayback
from any2bokeh.app.depth import ClipDepth, shown_name
from any2bokeh.app.drafts import DraftStore
from any2bokeh.app.estimate import FrameEstimates
from any2bokeh.app.final_region import Region
from any2bokeh.app.follower import FocusFollower, samples
from any2bokeh.app.frame_reader import FrameReader
from any2bokeh.app.history import History
from any2bokeh.app.keyframe_rows import rows
from any2bokeh.app.mounted_lens import LENS_SETTINGS, NO_LENS, MountedLens
from any2bokeh.app.outlines import Outline, OutlineFinder, outline_of
from any2bokeh.app.overview import OverviewMaker
from any2bokeh.app.picture import Picture, PictureMaker
from any2bokeh.app.proposal import Proposer
from any2bokeh.app.snapshot import ClipSnapshot
from any2bokeh.disparity.edges import EdgeTreatment, edge_estimator
from any2bokeh.disparity.mending import Stroke, require_count
from any2bokeh.engines import Engine
from any2bokeh.errors import InputError, require_choice
from any2bokeh.focus import FocusScript, TrackerChoice
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.video import VideoSource

DEFAULT_BLUR = 20.0
_TRACK_SAMPLES = 400


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a user has decided; undo and redo go from one to another.

    Attributes:
        script: what is in focus; None where nothing has been said.
        lens: on the camera.
        blur_strength: K that a script begins with.
        lens_gives_blur: whether the blur is to have the strength of the lens, which is not known before the disparity
            of the subject is.
        strokes: of the brush that mends the disparity.
        in_frame, out_frame: first and last frame of the part that is played and rendered; None = that end of the clip.
        edges: how edges of disparity are treated; see ``Recipe``.
    """

    script: FocusScript | None = None
    lens: MountedLens = field(default_factory=MountedLens)
    blur_strength: float = DEFAULT_BLUR
    lens_gives_blur: bool = False
    strokes: tuple[Stroke, ...] = ()
    in_frame: int | None = None
    out_frame: int | None = None
    edges: EdgeTreatment = "auto"

    @property
    def seen(self) -> tuple[FocusScript | None, Look, EdgeTreatment]:
        """What a picture is made with."""
        return self.script, self.lens.look, self.edges


class Project:
    """A clip and what is to be done to it. Not for more than one thread at a time, but for ``picture`` and ``told``.

    Args:
        source: the clip; closed with the project.
        name: what the page calls it.
        depth: its disparity.
        tracker: what follows subjects.
        decisions: to begin with.
        is_demo: whether it is the bundled clip.
        told: called when more is known of it, from any thread.

    Attributes:
        frame: the frame that the page shows.
        engine: that the clip was last rendered with.
        title: what its user calls the project.
    """

    def __init__(
        self,
        source: VideoSource,
        *,
        name: str,
        depth: ClipDepth,
        tracker: TrackerChoice,
        decisions: Decisions | None = None,
        is_demo: bool = False,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.source, self.name, self.depth, self.is_demo = source, name, depth, is_demo
        self.history = History(decisions or Decisions())
        frames = FrameReader(source)
        estimates = FrameEstimates(frames, source.info)
        self.follower = FocusFollower(source, depth, tracker, estimates, told)
        self._folder = Path(tempfile.mkdtemp(prefix="clip-", dir=depth.folder))
        self._drafts = DraftStore(self._folder / "drafts")
        self._pictures = PictureMaker(source, depth, self.follower, frames, estimates, self._drafts)
        self._outlines = OutlineFinder(source.info, frames, depth, tracker)
        self.overview = OverviewMaker(source, depth.opened, told)
        self._proposer = Proposer(source, depth, tracker, told)
        self._product: tuple[object, float | None] | None = None
        self.revision = 0
        self.frame = 0
        self.engine: Engine = "layered"
        self.title = name
        self.playback = ClipPlayback(
            source,
            self._folder,
            depth=depth,
            follower=self.follower,
            frames=frames,
            estimates=estimates,
            drafts=self._drafts,
            decided=lambda: self.now.seen,
            span=self._span,
            told=told,
        )
        self._follow()

    @property
    def path(self) -> Path:
        return self.source.info.path

    @property
    def now(self) -> Decisions:
        return self.history.now

    def focus(self, frame: int, x: float, y: float, *, is_locked: bool) -> None:
        """Focus on what is at a point of a frame, x and y in 0..1, such as a face, and follow it from there on.

        Raises:
            InputError: outside the clip or the picture.
        """
        self._require_frame(frame)
        target = self._outlines.target(frame, x, y)
        self.frame = frame
        self._enter_script(
            editing.focused(
                self.now.script,
                frame,
                target,
                strength="strong" if is_locked else "weak",
                blur_strength=self.now.blur_strength,
                fps=float(self.source.info.fps),
            )
        )

    def blur(self, blur_strength: float, *, frame: int = 0, begins: bool = False, gesture: str = "blur") -> None:
        """Give the blur another strength where it holds at a frame, or, if it ``begins``, from that frame on.

        Args:
            blur_strength: K.
            frame: where.
            begins: see above.
            gesture: see ``History.enter``.

        Raises:
            InputError: no strength, or outside the clip.
        """
        self._require_frame(frame)
        if not 0 <= blur_strength < float("inf"):
            raise InputError(f"blur strength K is {blur_strength:g}; give a number of pixels, 0 or more")
        decisions = replace(self.now, lens_gives_blur=False)
        script = self.now.script
        if script is None:
            decisions = replace(decisions, blur_strength=blur_strength)
        else:
            script = editing.blurred(script, blur_strength, frame=frame, begins=begins)
            decisions = replace(
                decisions, script=script, blur_strength=script.keyframes[0].blur_strength or blur_strength
            )
        self._enter(decisions, gesture=gesture)

    def aperture(self, f_number: float, *, frame: int = 0, begins: bool = False) -> None:
        """Give the blur the strength of an f-number where it holds at a frame, or, if it ``begins``, from there on.

        K is that of the lens on the camera at this f-number. The strength is what is kept, so that a focus script
        means the same without its lens.

        Raises:
            InputError: an f-number outside its range, outside the clip, or nothing in focus yet.
        """
        self.blur(self._blur_of(f_number), frame=frame, begins=begins, gesture="aperture")
        starts = [start for start, _ in self._strengths()]
        if not any(start <= frame for start in starts[1:]):  # the lens is at the f-number that the clip begins with
            self._enter(replace(self.now, lens=self.now.lens.changed(f_number=f_number)), gesture="aperture")

    def _blur_of(self, f_number: float) -> float:
        LENS_SETTINGS["f_number"].require(f_number)
        product = self.f_number_times_blur
        if product is None:
            raise InputError("an f-number needs a subject in focus that is known by now; click the subject, or wait")
        return round(product / f_number, 4)

    @property
    def f_number_times_blur(self) -> float | None:
        """What f-number and K make together with this lens; None until the disparity of the subject is known."""
        script, lens = self.now.script, self.now.lens
        if script is None:
            return None
        first = next((k.frame for k in script.keyframes if k.target is not None), 0)
        # Found anew when the tracker has come there.
        is_known = not np.isnan(self.follower.focus[first])
        target = next((k.target for k in script.keyframes if k.target is not None), None)
        known = target, first, lens, self.depth.nearest(script), is_known
        if self._product is None or self._product[0] != known:
            self._product = known, self._product_of(first, lens)
        return self._product[1]

    def _product_of(self, first: int, lens: MountedLens) -> float | None:
        with suppress(InputError):  # a lens that cannot focus there
            focus = self.follower.at(first)
            if focus is not None and focus.focus_disparity > 0:
                return lens.f_number * lens.optics.blur_strength(focus.focus_disparity)
        return None

    def blur_of_lens(self, /, **numbers: float) -> None:
        """Give the blur the strength of the lens, after changing numbers of it.

        Raises:
            InputError: a number outside its range, or nothing in focus yet, so that the lens has no distance.
        """
        for name in numbers:
            require_choice("number of a lens", name, LENS_SETTINGS)
        if self.now.script is None:
            raise InputError("lens data need a subject in focus; click the subject first")
        lens = self.now.lens.changed(**numbers)
        _ = lens.optics  # refused before anything changes
        self._enter(replace(self.now, lens=lens, lens_gives_blur=True), gesture="lens " + " ".join(numbers))

    def take_lens(self, name: str) -> None:
        """Put on a lens of the catalogue: its look and its numbers, and with them the strength of the blur.

        The distance of the subject is kept. Without a lens, the strength stays as it is.

        Raises:
            InputError: no such lens.
        """
        lens = replace(MountedLens.of(name), focus_distance_m=self.now.lens.focus_distance_m)
        _ = lens.optics  # refused before anything changes
        self._enter(replace(self.now, lens=lens, lens_gives_blur=name != NO_LENS))

    def settle(self) -> None:
        """Give the blur the strength of the lens, if that waits for the disparity of the subject.

        Raises:
            InputError: the lens cannot focus on the subject.
        """
        now = self.now
        if not now.lens_gives_blur or now.script is None or now.script.dense is not None:
            return
        if self.depth.ready(now.script) is None:  # what single frames are estimated at is on a scale of its own
            return
        first = next((k.frame for k in now.script.keyframes if k.target is not None), 0)
        focus = self.follower.at(first)
        if focus is None:
            return
        self.history.amend(replace(now, lens_gives_blur=False))
        strength = round(now.lens.optics.blur_strength(focus.focus_disparity), 2)
        script = editing.scaled(now.script, strength)
        self.history.amend(replace(now, script=script, blur_strength=strength, lens_gives_blur=False))
        self._changed()

    def change_look(self, *, is_choice: bool = False, **values: float | str) -> None:
        """Change what the lens does to light.

        Args:
            is_choice: whether it was chosen from a list, which is one step of undo, and no slider was moved.
            values: by the names of ``LOOK_SETTINGS``.

        Raises:
            InputError: a value outside its range.
        """
        gesture = None if is_choice else "look " + " ".join(values)
        self._enter(replace(self.now, lens=self.now.lens.with_look(**values)), gesture=gesture)

    def treat_edges(self, treatment: EdgeTreatment) -> None:
        """Treat edges of disparity in another way, in pictures and renders.

        Raises:
            InputError: no such treatment, or one that needs a trained network where none is installed.
        """
        edge_estimator(treatment)  # refused before anything changes
        self._enter(replace(self.now, edges=treatment))

    def outline_under(self, frame: int, x: float, y: float) -> Outline | None:
        """What a click would take; see ``OutlineFinder.under``."""
        with self.follower.paused():
            return self._outlines.under(frame, x, y, self.now.script)

    def outlines_offered(self, frame: int) -> list[Outline]:
        """The subjects of a frame; see ``OutlineFinder.offered``."""
        with self.follower.paused():
            return self._outlines.offered(frame, self.now.script)

    def propose(self, lock: AbstractContextManager[object]) -> None:
        """Look for subjects, and take what is found as keyframes, which is one step of undo; an edit ends it.

        Args:
            lock: of the session, which guards the project.

        Raises:
            InputError: it is looking already.
        """

        def found(script: FocusScript) -> None:
            strength = self._strengths()[0][1]
            self._enter_script(editing.blurred(script, strength, frame=script.keyframes[0].frame))

        self._proposer.begin(self.part, found, lock)

    def play_only(self, in_frame: int | None, out_frame: int | None) -> None:
        """Play and render a part of the clip alone, from its in point to its out point.

        Args:
            in_frame, out_frame: first and last frame of the part; None = that end of the clip.

        Raises:
            InputError: outside the clip, or out before in.
        """
        for frame in (in_frame, out_frame):
            if frame is not None:
                self._require_frame(frame)
        last = self.source.info.frame_count - 1
        if (in_frame or 0) > (last if out_frame is None else out_frame):
            raise InputError(f"the in point is frame {in_frame}, after the out point, frame {out_frame}; set it before")
        part = replace(self.now, in_frame=in_frame or None, out_frame=None if out_frame == last else out_frame)
        # A point that is dragged comes through many frames, which are one step of undo.
        moved = [name for name in ("in_frame", "out_frame") if getattr(part, name) != getattr(self.now, name)]
        self._enter(part, gesture=" ".join(moved))

    def keep_part(self, in_frame: int | None, out_frame: int | None) -> None:
        """Take the in and out point of a project that is opened, which is no step of undo."""
        self.history.amend(replace(self.now, in_frame=in_frame, out_frame=out_frame))

    @property
    def in_frame(self) -> int | None:
        """First frame of the part that is played and rendered; None = the clip's."""
        return self.now.in_frame

    @property
    def out_frame(self) -> int | None:
        """Last frame of it; None = the clip's."""
        return self.now.out_frame

    @property
    def part(self) -> tuple[int, int]:
        """The frames ``first <= index < end`` that are played and rendered."""
        return self.in_frame or 0, self.source.info.frame_count if self.out_frame is None else self.out_frame + 1

    @property
    def to_render(self) -> tuple[Decisions, tuple[int, int]]:
        """All that a render depends on."""
        return self.now, self.part

    def move(self, frame: int, to: int) -> None:
        """Put a keyframe at another frame."""
        self._require_frame(to)
        self._enter_script(editing.moved(self._script(), frame, to))

    def change(self, frame: int, changes: dict[str, Any]) -> None:
        """Change values of a keyframe; see ``editing.changed``. An ``f_number`` stands for its K."""
        if "f_number" in changes:
            changes = dict(changes)
            f_number = changes.pop("f_number")
            changes["blur_strength"] = None if f_number is None else self._blur_of(f_number)
        self._enter_script(editing.changed(self._script(), frame, changes))

    def delete(self, frame: int) -> None:
        """Take a keyframe away."""
        self._enter_script(editing.deleted(self._script(), frame))

    def clear(self) -> None:
        """Take all keyframes away."""
        self._enter_script(None)

    def load(self, script: FocusScript) -> None:
        """Take a script from a file.

        Raises:
            InputError: it does not fit the clip, or names files of this machine.
        """
        info = self.source.info
        script = editing.in_frames_of(script, info.fps, info.frame_count)
        given = [k.blur_strength for k in script.keyframes if k.blur_strength is not None]
        if script.dense is None and not given:
            script = editing.blurred(script, self.now.blur_strength)
        self._enter(replace(self.now, script=script, blur_strength=given[0] if given else self.now.blur_strength))

    def paint(self, stroke: Stroke) -> None:
        """Mend the disparity with a stroke of the brush, from its frame on.

        Raises:
            InputError: outside the clip, or there are too many.
        """
        self._require_frame(stroke.frame)
        require_count(len(self.now.strokes) + 1)
        self.frame = stroke.frame
        self._enter(replace(self.now, strokes=(*self.now.strokes, stroke)))

    def wipe(self, frame: int) -> None:
        """Take the strokes of a frame away.

        Raises:
            InputError: there are none.
        """
        kept = tuple(stroke for stroke in self.now.strokes if stroke.frame != frame)
        if len(kept) == len(self.now.strokes):
            raise InputError(f"there is no brush stroke on frame {frame}; go to a frame with one")
        self._enter(replace(self.now, strokes=kept))

    def take(self, decisions: Decisions) -> None:
        """Take all decisions of another; one step of undo."""
        self._enter(decisions)

    def undo(self) -> None:
        """Undo the last decision."""
        self.history.undo()
        self._changed()

    def redo(self) -> None:
        """Redo what was undone."""
        self.history.redo()
        self._changed()

    def picture(self, frame: int, view: str) -> Picture:
        """A frame as the page shows it; see ``PictureMaker.picture``. ``last`` is the result of the setting before.

        Raises:
            InputError: as there; or there is no setting before.
        """
        if view == "last":
            now = self.now
            before = self.history.latest(lambda each: each.seen != now.seen)
            if before is None:
                raise InputError(
                    "there is no earlier setting to compare with; change the focus, the blur, the lens or the edges"
                )
            return self._pictures.earlier(frame, *before.seen)
        self.frame = frame
        return self._pictures.picture(frame, view, *self.now.seen)

    def followed(self, frame: int) -> Outline | None:
        """The outline of the subject that is followed in a frame; None where none is, or it is not known yet."""
        self._require_frame(frame)
        matte = self.follower.followed.matte(self.now.script, frame)
        return None if matte is None else outline_of(matte)

    def quick(self, frame: int) -> Picture:
        """A frame while somebody passes over it; see ``PictureMaker.quick``."""
        self.frame = frame
        return self._pictures.quick(frame, *self.now.seen)

    def play(self, frame: int) -> None:
        """The page plays from a frame on.

        Raises:
            InputError: outside the clip.
        """
        self._require_frame(frame)
        self.playback.play(frame)

    def draft(self, frame: int) -> bytes | None:
        """A frame for playing; see ``ClipPlayback.draft``.

        Raises:
            InputError: outside the clip.
        """
        self._require_frame(frame)
        return self.playback.draft(frame)

    def live_frame(self, frame: int) -> tuple[bytes, str]:
        """A frame for the renderer of the page; see ``PictureMaker.live_frame``."""
        now = self.now
        return self._pictures.live_frame(frame, now.script, now.edges)

    def live_disparity(self, frames: range) -> bytes:
        """Frames that the page refocuses while it plays; see ``ClipPlayback.live_disparity``."""
        return self.playback.live_disparity(frames)

    def live_engine(self) -> bytes:
        """The renderer of the page, with the look of the lens; see ``live.engine_message``."""
        from any2bokeh.app.live import engine_message

        return engine_message(self.now.lens.look, self.source.info.transfer)

    def final(self, frame: int, view: str, region: Region, *, is_first: bool = False) -> tuple[bytes, Region, bool]:
        """A region of a frame as a render will have it; see ``PictureMaker.final``."""
        return self._pictures.final(frame, view, region, *self.now.seen, is_first=is_first)

    def blur_at(self, frame: int) -> float:
        """K at a frame."""
        script = self.now.script
        if script is not None and script.dense is not None:
            return script.dense.blur_strength[frame]
        there = self._strengths()
        return next((strength for start, strength in reversed(there) if start <= frame), there[0][1])

    def snapshot(self) -> ClipSnapshot:
        """What the page shows of it."""
        info, now, progress = self.source.info, self.now, self.follower.progress
        self.overview.want(self.depth.nearest(now.script))
        seen = self.overview.now
        return {
            "name": self.name,
            "width": info.width,
            "height": info.height,
            "fps": round(float(info.fps), 3),
            "frames": info.frame_count,
            "is_demo": self.is_demo,
            "in_frame": self.in_frame,
            "out_frame": self.out_frame,
            "overview": {
                "thumbnails": [len(seen.frames), seen.thumbnails],
                "ribbon": list(seen.ribbon),
                "inverse_metres_per_unit": seen.inverse_metres_per_unit,
            },
            "revision": self.revision,
            "depth": "from a file" if self.depth.given else shown_name(self.depth.name),
            "depth_is_rough": self.depth.given is None and self.depth.name == "rough",
            "keyframes": rows(now.script, float(info.fps)),
            "strengths": self._strengths(),
            "strokes": [(stroke.frame, stroke.tool) for stroke in now.strokes],
            "f_number_times_blur": self.f_number_times_blur,
            "is_dense": now.script is not None and now.script.dense is not None,
            "can_undo": self.history.can_undo,
            "can_redo": self.history.can_redo,
            "finding": {
                "stage": progress.stage,
                "done": progress.done,
                "total": progress.total,
                "message": progress.message,
                "remarks": list(progress.remarks),
            },
            "proposal": {
                "state": self._proposer.progress.state,
                "done": self._proposer.progress.done,
                "total": self._proposer.progress.total,
                "message": self._proposer.progress.message,
            },
            "focus": samples(self.follower.focus, _TRACK_SAMPLES),
            "blur": samples(self.follower.blur, _TRACK_SAMPLES),
            "lens": {
                "name": now.lens.name,
                "look": {name: each.on_choice(getattr(now.lens.look, name)) for name, each in LOOK_SETTINGS.items()},
                "numbers": {name: each.on_slider(getattr(now.lens, name)) for name, each in LENS_SETTINGS.items()},
            },
            "edges": now.edges,
            "playback": self.playback.snapshot(),
        }

    def close(self) -> None:
        """End all work on it and close its files."""
        self._proposer.cancel()
        self.overview.close()
        self.follower.close()
        self.playback.close()
        self._pictures.close()
        self._drafts.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _span(self) -> range:
        """The frames that are played."""
        last = self.source.info.frame_count - 1
        first = min(self.in_frame or 0, last)
        return range(first, max(first, min(last if self.out_frame is None else self.out_frame, last)) + 1)

    def _strengths(self) -> list[tuple[int, float]]:
        script = self.now.script
        return (editing.strengths(script) if script is not None else []) or [(0, self.now.blur_strength)]

    def _script(self) -> FocusScript:
        if self.now.script is None:
            raise InputError("there is no keyframe yet; click the subject that should be in focus")
        return self.now.script

    def _require_frame(self, frame: int) -> None:
        count = self.source.info.frame_count
        if isinstance(frame, bool) or not isinstance(frame, int) or not 0 <= frame < count:
            raise InputError(f"there is no frame {frame}; the clip has frames 0 to {count - 1}")

    def _enter_script(self, script: FocusScript | None) -> None:
        self._enter(replace(self.now, script=script))

    def _enter(self, decisions: Decisions, *, gesture: str | None = None) -> None:
        self.history.enter(decisions, gesture=gesture)
        self._changed()

    def _changed(self) -> None:
        self._proposer.cancel()
        self.revision += 1
        self._follow()
        self.settle()

    def _follow(self) -> None:
        self.depth.strokes = self.now.strokes
        self.follower.want(self.now.script, self.frame)
