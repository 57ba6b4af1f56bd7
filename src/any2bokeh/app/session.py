"""One open page: its folder, its clip, its render."""

import secrets
import shlex
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from any2bokeh import demo, project_file
from any2bokeh.app.autosave import Autosave
from any2bokeh.app.commands import Command
from any2bokeh.app.depth import ClipDepth, Maps
from any2bokeh.app.depth_download import ModelDownloads, offered
from any2bokeh.app.events import Changes
from any2bokeh.app.final_region import Region
from any2bokeh.app.kept_projects import KeptProject, Shelf
from any2bokeh.app.picture import Picture
from any2bokeh.app.project import Decisions, Project
from any2bokeh.app.refusal import Busy, Gone, NotYet
from any2bokeh.app.render_job import JobKind, RenderJob
from any2bokeh.app.render_list import RenderList
from any2bokeh.app.render_queue import RenderQueue
from any2bokeh.app.render_work import FORMATS, NO_DIFFUSION, RenderWork
from any2bokeh.app.reopening import Awaited, disparity_of, is_demo, opened_clip, remark_on_disparity, taken_up
from any2bokeh.app.saving import apply, decisions_of, require_shown
from any2bokeh.app.settings import Settings
from any2bokeh.app.snapshot import DownloadSnapshot, Snapshot
from any2bokeh.app.upload import display_name, open_video, suffix_of, with_name
from any2bokeh.disparity import DepthModel
from any2bokeh.disparity.estimators import DEFAULT_CHOICE, ROUGH
from any2bokeh.engines import Engine, EngineSettings
from any2bokeh.errors import InputError, require_choice
from any2bokeh.focus import FocusScript, Keyframe, PointTarget
from any2bokeh.optics.look import Look
from any2bokeh.recipe import Recipe
from any2bokeh.video import VideoSource, open_source

_MOST_STREAMS = 8
_MOST_PICTURES = 6

_DEMO_SUBJECT = PointTarget(0.31, 0.52, track=True)
_DEMO_BLUR = 26.0


class Session:
    """What one page works on. Every path is ours; the page knows a token.

    Args:
        folder: theirs alone; removed when they leave.
        settings: of the studio.
        queue: where renders wait.
        shelf: where projects are kept between runs; None keeps none.
        downloads: of depth models.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        queue: RenderQueue,
        shelf: Shelf | None = None,
        downloads: ModelDownloads | None = None,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        self.folder = folder
        self.project: Project | None = None
        self.job: RenderJob | None = None
        self.renders = RenderList(queue)
        self.results: dict[JobKind, RenderJob] = {}
        self.changes = Changes()
        self.streams = 0
        self.seen_s = time.monotonic()
        self._settings, self._queue = settings, queue
        self.autosave = Autosave(shelf, settings, self._is_upload, self.changes.tell)
        self.awaited: Awaited | None = None
        self._downloads = downloads or ModelDownloads()
        self._is_downloading = False
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
        self.autosave.changed()
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
        awaited, project = self.awaited, self.opened()
        if awaited is not None and self.autosave.file_of(project).clip.is_same(awaited.file.clip):
            project.take(decisions_of(awaited.file, source))
            apply(awaited.file, project)
            self.awaited = None

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
            awaited = self.awaited
            if awaited is not None:
                awaited.require_clip(source, name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if awaited is not None:
            self._give_clip(source, name, awaited)
            return
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
                depth.opened(Maps(path)).at(0)
            except InputError as error:
                source.close()
                raise InputError(with_name(error, path, name)) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        again = Project(
            source,
            name=project.name,
            depth=depth,
            tracker=self._settings.tracker,
            decisions=project.now,
            is_demo=project.is_demo,
            told=self.changes.tell,
        )
        taken_up(project, again)
        self._take(again, place=self.autosave.kept, is_saved=False)
        self.autosave.changed()

    def load_script(self, text: str) -> None:
        """Take a focus script.

        Raises:
            InputError: it has a fault, does not fit the clip, or names files of this machine.
        """
        with self.lock:
            self.opened().load(FocusScript.loads(text))
        self.autosave.changed()
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

    def go_on_with(self, id: str) -> None:
        """Go on with a project that is kept.

        Raises:
            InputError: there is none, or another page has it open. Where its clip is gone, the clip is awaited.
        """
        file, kept = self._shelf().take(id)
        try:
            found = opened_clip(file, kept, self._settings.limits)
            if found is None:
                kept.release()
                self.awaited = Awaited(file, id)
                return
            self._reopen(found, file.clip.name, file, kept)
        except BaseException:
            kept.release()
            raise

    def discard(self, id: str) -> None:
        """Remove a project that is kept, and its uploads.

        Raises:
            InputError: there is none, or a page has it open.
        """
        self._shelf().discard(id)
        if self.awaited is not None and self.awaited.id == id:
            self.awaited = None

    def load_project(self, text: str, name: str) -> None:
        """Take a project from a file: for the clip that is open, if it is of that; otherwise its clip is awaited.

        Raises:
            InputError: it has a fault, or sets what the studio cannot show.
        """
        file = project_file.loads(text, title=name)
        with self.lock:
            require_shown(file)
            project = self.project
            opened = None if project is None else self.autosave.file_of(project)
            if project is None or opened is None or not opened.clip.is_same(file.clip):
                self.awaited = Awaited(file)
            else:
                project.take(decisions_of(file, project.source))
                apply(file, project)
                self.awaited, self.autosave.remark = None, remark_on_disparity(file, opened.disparity)
        self.autosave.changed()
        self.changes.tell()

    def project_text(self) -> tuple[str, str]:
        """The project as a file, and a name for it.

        Raises:
            InputError: no clip is open, or it cannot be read.
        """
        project = self.opened()
        text = project_file.dumps(self.autosave.file_of(project))
        return text, _file_name(project)

    def get_depth_model(self, name: str) -> None:
        """Estimate the disparity with a depth model, once it is on this machine.

        Raises:
            InputError: no such model, no clip is open, or what runs models is not installed.
            Busy: another is being fetched.
        """
        self.opened()
        self._downloads.start(name, told=self.changes.tell, done=self._use_depth_model)
        self._is_downloading = True

    def _use_depth_model(self, name: str) -> None:
        """Open the clip again with disparity of another model; what was decided stays."""
        with self.lock:
            project = self.project
            if project is None or self._is_closed:
                return
            source = open_source(project.path)
            depth = self._depth(source, None)
            depth.model = name
            again = Project(
                source,
                name=project.name,
                depth=depth,
                tracker=self._settings.tracker,
                decisions=project.now,
                is_demo=project.is_demo,
                told=self.changes.tell,
            )
            taken_up(project, again)
            self._take(again, place=self.autosave.kept, is_saved=False)
        self.autosave.changed()

    def _download(self) -> DownloadSnapshot | None:
        newest = self._downloads.newest
        if newest is None or not self._is_downloading:
            return None
        return {
            "name": newest.name,
            "state": newest.state,
            "share": round(newest.share, 3),
            "message": newest.message,
        }

    def _give_clip(self, source: VideoSource, name: str, awaited: Awaited) -> None:
        """Go on with a project whose clip has come."""
        kept: KeptProject | None = None
        try:
            if awaited.id is not None:
                kept = self._shelf().take(awaited.id)[1]
            self._reopen(source, name, awaited.file, kept)
        except BaseException:
            source.close()
            if source.info.path.parent == self.folder:
                source.info.path.unlink(missing_ok=True)
            if kept is not None:
                kept.release()
            raise

    def _reopen(self, source: VideoSource, name: str, file: project_file.ProjectFile, kept: KeptProject | None) -> None:
        """Open the clip of a project with what the project holds."""
        try:
            decisions = decisions_of(file, source)
            disparity = None if kept is None else disparity_of(file, kept)
            depth = self._depth(source, disparity, "" if file.disparity is None else file.disparity.name)
            model = file.recipe.disparity.name if isinstance(file.recipe.disparity, DepthModel) else ""
            if model in (ROUGH, *offered()):  # none that only a file names
                depth.model = model
            project = Project(
                source,
                name=name,
                depth=depth,
                tracker=self._settings.tracker,
                decisions=decisions,
                is_demo=is_demo(source.info.path),
                told=self.changes.tell,
            )
        except BaseException:
            source.close()
            raise
        apply(file, project)
        self._take(project, place=kept, is_saved=kept is not None and project.path.parent != self.folder)
        self.awaited = None
        if kept is not None:
            self.autosave.saved = file.saved
        if disparity is None:
            self.autosave.remark = remark_on_disparity(file, None)
        self.autosave.changed()
        self.changes.tell()

    def _shelf(self) -> Shelf:
        if self.autosave.shelf is None:
            raise InputError("this studio keeps no projects; save yours as a file, and open that")
        return self.autosave.shelf

    def _is_upload(self, path: Path) -> bool:
        kept = self.autosave.kept
        return path.parent == self.folder or (kept is not None and path.parent == kept.folder)

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

    def proxy(self, of: str | None = None) -> Path:
        """The small copy of the clip.

        Args:
            of: the clip that the page shows, as its snapshot names it (``playback.of``); None takes the one of now.

        Raises:
            InputError: no clip is open.
            NotYet: there is no copy, it is not ready, or another clip has been opened.
        """
        proxy = self.opened().playback.proxy
        if of not in (None, proxy.path.parent.name):
            raise NotYet("another clip has been opened; reload the page")
        if not proxy.is_ready:
            raise NotYet("the small copy of the clip is still being made; try again in a few seconds")
        return proxy.path

    def live_frame(self, frame: int) -> tuple[bytes, str]:
        """A frame for the renderer of the page; see ``PictureMaker.live_frame``.

        Raises:
            Busy, InputError, NotYet: as there and for ``picture``.
        """
        with self._one_picture():
            return self.opened().live_frame(frame)

    def live_disparity(self, frames: range) -> bytes:
        """Frames that the page refocuses while it plays; see ``PlayedFrames.message``.

        Raises:
            Busy, InputError, NotYet: as there and for ``picture``.
        """
        with self._one_picture():
            return self.opened().live_disparity(frames)

    def final(self, frame: int, view: str, region: Region, *, is_first: bool = False) -> tuple[bytes, Region, bool]:
        """A region of a frame as a render will have it; see ``PictureMaker.final``.

        Raises:
            Busy, InputError: as for ``picture``; or the focus is still being found.
        """
        with self._one_picture():
            return self.opened().final(frame, view, region, is_first=is_first)

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
        """Ask for a render of the clip, from its in point to its out point.

        Raises:
            InputError: nothing is in focus, or too many of theirs are not over yet, or wait.
        """
        require_choice("format", format, FORMATS)
        with self.lock:
            project = self.opened()
            work, decisions = self._work(project, engine), project.to_render
            project.engine = engine
            self._number += 1
            number = self._number
            name = self.renders.name_for(Path(display_name(project.title)).stem or "clip", FORMATS[format][0])
            if self._is_closed:
                raise Gone("this page has been closed; reload it")
            job = RenderJob(
                "render",
                lambda report: work.whole(report, format=format, number=number),
                name=name,
                decisions=decisions,
                changed=self.changes.tell,
            )
            self.renders.add(number, job)
            self.job = job

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
                renders=self.renders.snapshot(None if project is None else project.to_render),
                results={
                    kind: {"file": job.result.name, "name": job.name, "is_current": _is_current(job, project)}
                    for kind, job in self.results.items()
                    if job.result is not None
                },
                engines=self._settings.engines,
                command="" if project is None else self._command(project),
                project={
                    "title": "" if project is None else project.title,
                    "keeps": self.autosave.is_on,
                    "saved": self.autosave.saved,
                    "notice": self.autosave.notice,
                    "remark": self.autosave.remark,
                    "awaits": "" if self.awaited is None else self.awaited.file.clip.name,
                },
                download=self._download(),
            )
            if told != self._told:
                told["number"] += 1
                self._told = told
            return told

    @property
    def is_busy(self) -> bool:
        return self.renders.is_live or (self.job is not None and self.job.is_live)

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
        self.autosave.close()
        self.cancel()
        self.renders.cancel_all()
        if self.project is not None:
            self.project.close()
        if self.job is not None:
            self.job.wait(30)
        self.renders.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _take(self, project: Project, *, place: KeptProject | None = None, is_saved: bool = True) -> None:
        with self.lock:
            if self._is_closed:
                project.close()
                raise InputError("this page has been closed; reload it")
            self.cancel()
            self.renders.cancel_all()
            before, self.project = self.project, project
            job, self.job, self.results = self.job, None, {}
            renders, self.renders = self.renders, RenderList(self._queue)
            self.autosave.begin(project, place, is_saved=is_saved)
        kept = {project.path, project.depth.given}
        threading.Thread(
            target=self._forget, args=(before, job, renders, kept), name="any2bokeh closing", daemon=True
        ).start()

    def _forget(
        self, project: Project | None, job: RenderJob | None, renders: RenderList, kept: set[Path | None]
    ) -> None:
        """Remove what a clip that was replaced has left in the folder."""
        if project is None:
            return
        project.close()
        if job is not None:
            job.wait(60)
        renders.wait(60)
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
            strokes=project.now.strokes,
            edges=project.now.edges,
            tracker=self._settings.tracker,
            look=project.now.lens.look if engine == "layered" else Look(),
            engine=self._engine(engine),
        )
        return RenderWork(project.path, project.depth, project.follower, recipe, self.folder, _part_of(project))

    def _engine(self, engine: Engine) -> EngineSettings:
        require_choice("engine", engine, get_args(Engine))
        if engine == "layered":
            return EngineSettings()
        if self._settings.model is None:
            raise InputError(NO_DIFFUSION)
        return EngineSettings(engine="diffusion", model=self._settings.model, device=self._settings.device)

    def _keep_result(self) -> None:
        """The newest render that is done is the result."""
        with self.lock:
            newest = self.renders.newest_done
            if newest is not None:
                self.results["render"] = newest
            else:
                self.results.pop("render", None)

    def _command(self, project: Project) -> str:
        """The same render on the command line, with files that the user has or that the page offers."""
        if project.now.strokes:
            words = ["any2bokeh", "refocus", project.name, "--project", _file_name(project)]
            given = [] if project.depth.given is None else ["--disparity", project.depth.given_name]
            return shlex.join([*words, *given, "-o", "out.mp4"])
        words = ["any2bokeh", "refocus", project.name]
        if project.depth.given is not None:
            words += ["--disparity", project.depth.given_name]
        elif project.depth.model != DEFAULT_CHOICE:
            words += ["--depth-model", project.depth.model]
        words += ["--focus-script", "focus.json", *project.now.lens.typed_look()]
        if project.now.edges != "auto":
            words += ["--edges", project.now.edges]
        if (part := _part_of(project)) is not None:
            words += ["--frames", f"{part[0]}:{part[1]}"]
        words += ["-o", "out.mp4"]
        return shlex.join(words)


def _file_name(project: Project) -> str:
    """What the file of a project is called when it is saved."""
    return f"{Path(display_name(project.title)).stem or 'project'}{project_file.SUFFIX}"


def _part_of(project: Project) -> tuple[int, int] | None:
    """The frames ``first <= index < end`` that a render makes; None = all."""
    return None if project.part == (0, project.source.info.frame_count) else project.part


def _is_current(job: RenderJob, project: Project | None) -> bool:
    return project is not None and job.decisions == project.to_render
