"""One open page: its folder, its clip, its render."""

import secrets
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from any2bokeh import demo
from any2bokeh.app.commands import Command
from any2bokeh.app.depth import ClipDepth
from any2bokeh.app.events import Changes
from any2bokeh.app.final_frame import Region
from any2bokeh.app.picture import Picture
from any2bokeh.app.project import Decisions, Project
from any2bokeh.app.refusal import Busy, Gone
from any2bokeh.app.render_job import JobKind, RenderJob, Report
from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.app.render_work import FORMATS, NO_DIFFUSION, RenderWork
from any2bokeh.app.settings import Settings
from any2bokeh.app.snapshot import Snapshot
from any2bokeh.app.upload import open_video, suffix_of, with_name
from any2bokeh.disparity.estimators import DEFAULT_CHOICE
from any2bokeh.engines import Engine, EngineSettings
from any2bokeh.errors import InputError, require_choice
from any2bokeh.focus import FocusScript, Keyframe, PointTarget
from any2bokeh.optics.look import Look
from any2bokeh.recipe import Recipe
from any2bokeh.video import open_source

_MOST_STREAMS = 8
_MOST_PICTURES = 4

_DEMO_SUBJECT = PointTarget(0.31, 0.52, track=True)
_DEMO_BLUR = 26.0


class Session:
    """What one page works on. Every path is ours; the page knows a token.

    Args:
        folder: theirs alone; removed when they leave.
        settings: of the studio.
        queue: where renders wait.
    """

    def __init__(self, folder: Path, settings: Settings, queue: RenderQueue) -> None:
        self.token = secrets.token_urlsafe(24)
        self.folder = folder
        self.project: Project | None = None
        self.job: RenderJob | None = None
        self.results: dict[JobKind, RenderJob] = {}
        self.changes = Changes()
        self.streams = 0
        self.seen_s = time.monotonic()
        self._settings, self._queue = settings, queue
        self._number = 0
        self._is_closed = False
        self._told: Snapshot | None = None
        self._receiving = threading.Lock()
        self._drawing = threading.BoundedSemaphore(_MOST_PICTURES)
        self.lock = threading.RLock()
        folder.mkdir(mode=0o700)

    def run(self, command: Command) -> None:
        """Do what a page asks for.

        Raises:
            InputError: it cannot be done.
        """
        self.seen_s = time.monotonic()
        with self.lock:
            command.run(self)
        self.changes.tell()

    def join(self) -> None:
        """A page begins to watch.

        Raises:
            Busy: too many do.
        """
        with self.lock:
            if self.streams >= _MOST_STREAMS:
                raise Busy(f"{self.streams} pages already show this session; close one")
            self.streams += 1

    def leave(self) -> None:
        """A page watches no more."""
        with self.lock:
            self.streams -= 1
            self.seen_s = time.monotonic()

    def open_demo(self) -> None:
        """Open the bundled clip, focused on its nearer subject."""
        folder = demo.CLIP_FOLDER
        source = open_source(folder / "clip.mp4")
        script = FocusScript(
            keyframes=(Keyframe(0, _DEMO_SUBJECT, blur_strength=_DEMO_BLUR, strength="weak"),),
            fps=float(source.info.fps),
        )
        depth = self._depth(source, folder / "disparity.mkv", "disparity.mkv")
        decisions = Decisions(script=script, blur_strength=_DEMO_BLUR)
        self._take(
            Project(
                source,
                name="demo.mp4",
                depth=depth,
                tracker=self._settings.tracker,
                decisions=decisions,
                is_demo=True,
                told=self.changes.tell,
            )
        )

    def open_given(self, clip: Path, disparity: Path | None) -> None:
        """Open a clip that the studio was started with; its owner named it, no page did.

        Raises:
            InputError: it cannot be read.
        """
        source = open_source(clip)
        self._take(
            Project(
                source,
                name=clip.name,
                depth=self._depth(source, disparity, disparity.name if disparity else ""),
                tracker=self._settings.tracker,
                told=self.changes.tell,
            )
        )

    def new_file(self) -> Path:
        """A name in the folder that nothing has."""
        with self.lock:
            self._number += 1
            return self.folder / f"upload-{self._number}"

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """While a file comes in; one at a time.

        Raises:
            InputError: another is on its way.
        """
        if not self._receiving.acquire(blocking=False):
            raise Busy("another upload is in progress; wait until it has finished")
        try:
            yield
        finally:
            self._receiving.release()

    def open_video(self, upload: Path, name: str) -> None:
        """Open a video that was received into the folder.

        Raises:
            InputError: it is none, or too large; the file is removed then.
        """
        path = self._named(upload, "video", name)
        try:
            source = open_video(path, self._settings.limits, name=name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._take(
            Project(
                source,
                name=name,
                depth=self._depth(source, None),
                tracker=self._settings.tracker,
                told=self.changes.tell,
            )
        )

    def give_disparity(self, upload: Path, name: str) -> None:
        """Take disparity for the clip that is open; what was decided stays.

        Raises:
            InputError: no clip is open, or the file does not fit it; it is removed then.
        """
        path = self._named(upload, "disparity", name)
        try:
            project = self.opened()
            source = open_source(project.path)
            depth = self._depth(source, path, name)
            try:
                depth.opened(path).at(0)
            except InputError as error:
                source.close()
                raise InputError(with_name(error, path, name)) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._take(
            Project(
                source,
                name=project.name,
                depth=depth,
                tracker=self._settings.tracker,
                decisions=project.now,
                is_demo=project.is_demo,
                told=self.changes.tell,
            )
        )

    def load_script(self, text: str) -> None:
        """Take a focus script.

        Raises:
            InputError: it has a fault, does not fit the clip, or names files of this machine.
        """
        with self.lock:
            self.opened().load(FocusScript.loads(text))
        self.changes.tell()

    def script_text(self) -> str:
        """The focus script, as ``--focus-script`` reads it.

        Raises:
            InputError: there is none.
        """
        script = self.opened().now.script
        if script is None:
            raise InputError("there is no focus script yet; click the subject that should be in focus")
        return script.dumps()

    def picture(self, frame: int, view: str) -> Picture:
        """A frame as the page shows it.

        Raises:
            Busy: too many are wanted at a time.
            InputError: no clip is open, or it has no such frame.
        """
        with self._one_picture():
            return self.opened().picture(frame, view)

    def quick(self, frame: int) -> Picture:
        """A frame while somebody passes over it; see ``PictureMaker.quick``.

        Raises:
            Busy, InputError: as for ``picture``.
        """
        with self._one_picture():
            return self.opened().quick(frame)

    def draft(self, frame: int) -> bytes | None:
        """A frame for playing, as JPEG; None where it has not been made yet.

        Raises:
            InputError: no clip is open, or it has no such frame.
        """
        self.seen_s = time.monotonic()
        return self.opened().draft(frame)

    def proxy(self) -> Path:
        """The small copy of the clip.

        Raises:
            InputError: there is none, or it is not ready.
        """
        proxy = self.opened().playback.proxy
        if not proxy.is_ready:
            raise InputError("the small copy of the clip is still being made; try again in a few seconds")
        return proxy.path

    def final(self, frame: int, view: str, region: Region) -> tuple[bytes, Region]:
        """A region of a frame as a render will have it; see ``PictureMaker.final``.

        Raises:
            Busy, InputError: as for ``picture``; or the focus is still being found.
        """
        with self._one_picture():
            return self.opened().final(frame, view, region)

    @contextmanager
    def _one_picture(self) -> Iterator[None]:
        self.seen_s = time.monotonic()
        if not self._drawing.acquire(blocking=False):
            raise Busy(f"{_MOST_PICTURES} pictures are already being made for this page; ask for one at a time")
        try:
            yield
        finally:
            self._drawing.release()

    def render(self, *, engine: Engine = "layered", format: str = "mp4") -> None:
        """Ask for a render of the whole clip.

        Raises:
            InputError: nothing is in focus, a render of theirs is not over yet, or too many wait.
        """
        require_choice("format", format, FORMATS)
        with self.lock:
            project = self.opened()
            work, decisions = self._work(project, engine), project.now
            self._number += 1
            number = self._number
            name = f"{Path(project.name).stem or 'clip'}-bokeh{FORMATS[format][0]}"
            self._start("render", lambda report: work.whole(report, format=format, number=number), name, decisions)

    def cancel(self) -> None:
        """End the render, if there is one."""
        if self.job is not None:
            self.job.cancel()

    def result(self, kind: JobKind) -> RenderJob:
        """The newest render of a kind that is complete.

        Raises:
            InputError: there is none.
        """
        self._keep_result()
        if kind not in self.results:
            raise InputError("nothing has been rendered yet; render the clip first")
        return self.results[kind]

    def opened(self) -> Project:
        """The clip that is open.

        Raises:
            InputError: none is.
        """
        if self.project is None:
            raise InputError("no clip is open; open a video or the demo first")
        return self.project

    def snapshot(self) -> Snapshot:
        """Everything that the page shows."""
        with self.lock:
            self._keep_result()
            project, job = self.project, self.job
            if project is not None:
                with suppress(InputError):  # a lens that cannot focus there leaves the blur as it is
                    project.settle()
            told = Snapshot(
                number=0 if self._told is None else self._told["number"],
                clip=None if project is None else project.snapshot(),
                job=None if job is None else job.snapshot(ahead=self._queue.place(job)),
                results={
                    kind: {"file": job.result.name, "name": job.name, "is_current": _is_current(job, project)}
                    for kind, job in self.results.items()
                    if job.result is not None
                },
                engines=self._settings.engines,
                command="" if project is None else self._command(project),
            )
            if told != self._told:
                told["number"] += 1
                self._told = told
            return told

    @property
    def is_busy(self) -> bool:
        return self.job is not None and self.job.is_live

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        """End all work and remove the folder."""
        with self.lock:
            if self._is_closed:
                return
            self._is_closed = True
        self.changes.tell()
        self.cancel()
        if self.project is not None:
            self.project.close()
        if self.job is not None:
            self.job.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _take(self, project: Project) -> None:
        with self.lock:
            if self._is_closed:
                project.close()
                raise InputError("this page has been closed; reload it")
            self.cancel()
            before, self.project = self.project, project
            job, self.job, self.results = self.job, None, {}
        kept = {project.path, project.depth.given}
        threading.Thread(target=self._forget, args=(before, job, kept), name="any2bokeh closing", daemon=True).start()

    def _forget(self, project: Project | None, job: RenderJob | None, kept: set[Path | None]) -> None:
        """Remove what a clip that was replaced has left in the folder."""
        if project is None:
            return
        project.close()
        if job is not None:
            job.wait(60)
        for path in (project.path, project.depth.given):
            if path is not None and path not in kept and path.parent == self.folder:
                path.unlink(missing_ok=True)

    def _named(self, upload: Path, kind: Any, name: str) -> Path:
        try:
            suffix = suffix_of(upload, kind=kind, name=name)
        except BaseException:
            upload.unlink(missing_ok=True)
            raise
        return upload.rename(upload.with_suffix(suffix))

    def _depth(self, source: Any, given: Path | None, given_name: str = "") -> ClipDepth:
        settings = self._settings
        return ClipDepth(
            source,
            given=given,
            given_name=given_name,
            model=settings.depth_model,
            device=settings.device,
            cache=self.folder / "disparity",
        )

    def _work(self, project: Project, engine: Engine) -> RenderWork:
        """What a render of the project needs.

        Raises:
            InputError: nothing is in focus, or an engine that is not here.
        """
        if project.now.script is None:
            raise InputError("nothing is in focus yet; click the subject first")
        recipe = Recipe(
            focus=project.now.script,
            tracker=self._settings.tracker,
            look=project.now.lens.look if engine == "layered" else Look(),
            engine=self._engine(engine),
        )
        return RenderWork(project.path, project.depth, project.follower, recipe, self.folder)

    def _engine(self, engine: Engine) -> EngineSettings:
        require_choice("engine", engine, get_args(Engine))
        if engine == "layered":
            return EngineSettings()
        if self._settings.model is None:
            raise InputError(NO_DIFFUSION)
        return EngineSettings(engine="diffusion", model=self._settings.model, device=self._settings.device)

    def _start(self, kind: JobKind, work: Callable[[Report], Path], name: str, decisions: Decisions) -> None:
        if self._is_closed:
            raise Gone("this page has been closed; reload it")
        if self.is_busy:
            raise InputError("your last render is still running; wait for it or cancel it")
        self._keep_result()
        job = RenderJob(kind, work, name=name, decisions=decisions, changed=self.changes.tell)
        self._queue.add(job)
        self.job = job

    def _keep_result(self) -> None:
        """A render that is done takes the place of the one of its kind before."""
        with self.lock:
            job = self.job
            if job is None or job.state != "done" or self.results.get(job.kind) is job:
                return
            before = self.results.get(job.kind)
            if before is not None and before.result is not None:
                before.result.unlink(missing_ok=True)
            self.results[job.kind] = job

    def _command(self, project: Project) -> str:
        """The same render on the command line, with files that the user has or that the page offers."""
        words = ["any2bokeh", "refocus", project.name]
        if project.depth.given is not None:
            words += ["--disparity", project.depth.given_name]
        elif self._settings.depth_model != DEFAULT_CHOICE:
            words += ["--depth-model", self._settings.depth_model]
        words += ["--focus-script", "focus.json", *project.now.lens.typed_look(), "-o", "out.mp4"]
        return shlex.join(words)


def _is_current(job: RenderJob, project: Project | None) -> bool:
    return project is not None and job.decisions == project.now
