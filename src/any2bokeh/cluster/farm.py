"""The machines of a Ray cluster as ``SegmentWorkers``."""

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from any2bokeh.cluster import metrics, tasks
from any2bokeh.cluster.need import CORES, Need, need_of_look, need_of_segment
from any2bokeh.errors import InputError, require_extra
from any2bokeh.events import SegmentFailed, SegmentFinished, SegmentQueued, Watch
from any2bokeh.remote.stage import stage_around
from any2bokeh.segments.cut import Segment
from any2bokeh.segments.order import Order
from any2bokeh.segments.parts import segment_name

if TYPE_CHECKING:
    from any2bokeh.remote.stage import Staged

Notice = Callable[[str], None]

AUTO = "auto"
"""In place of an address: a cluster of this machine alone, which ends with the farm."""

_RETRIES = 3
"""How often a task begins again whose machine or process was lost; other tasks go on meanwhile."""

_TRIES = 2
"""How often a task may fail by itself."""

_POLL_S = 0.5
_ENDING_S = 20.0
_ANSWER_S = 10.0
_OBJECT_STORE_BYTES = 100 << 20  # tasks exchange names of files; pictures lie in the shared folder


class Farm:
    """A connection to a Ray cluster; ``SegmentWorkers`` for ``refocus``. One at a time in a process.

    Clips, files of recipes and results must lie in folders that all machines have under the same paths.

    Args:
        address: of the head node of a cluster, such as ``10.0.0.5:6379``, from one of its machines; or ``auto``.
        cores: of each task.

    Raises:
        InputError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str = AUTO, *, cores: int = CORES) -> None:
        _use_token(address)
        with require_extra("--cluster", "cluster", instead="leave it out to render on this machine"):
            self._ray: Any = import_module("ray")  # no stubs where it is not installed
        self._address = address
        self._cores = cores
        self._folder: Path | None = None
        self._remote: dict[Callable[..., Any], Any] = {}
        self._is_ended = threading.Event()

    def __enter__(self) -> Self:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it remarks on that
        with _signals_kept():
            try:
                self._connect()
            except (OSError, RuntimeError, ValueError) as error:
                self._remove_folder()
                raise InputError(f"--cluster {self._address} {_why_not(error)}") from None
        most = max((int(node["Resources"].get("CPU", 0)) for node in self._nodes), default=0)
        if most == 0:
            raise InputError(f"--cluster {self._address} has no machine with a free core; add machines to it")
        self._cores = min(self._cores, most)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        with _signals_kept():
            self._ray.shutdown()
        self._remove_folder()

    @property
    def cores(self) -> int:
        """Of all machines."""
        return sum(int(node["Resources"].get("CPU", 0)) for node in self._nodes)

    @property
    def at_once(self) -> int:
        """Tasks that have room at one time."""
        return sum(int(node["Resources"].get("CPU", 0)) // self._cores for node in self._nodes)

    def stop(self) -> None:
        """See ``SegmentWorkers.stop``."""
        self._is_ended.set()

    def look(self, order: Order, notice: Notice | None) -> None:
        """See ``SegmentWorkers.look``; first a machine makes sure that it sees what this one sees."""
        job = order.job()
        with job.source:
            need = need_of_look(job.recipe, job.source.info, cores=self._cores, has_gpu=self._has_gpu)
        what = f"looking along {order.clip.name}"
        with self._staged(order) as staged:
            self._result("probe", what, Need(1, 0), tasks.probe, order, staged)
            remarks: list[str] = self._result("look", what, need, tasks.look, order, self._cores, staged)
            if staged is not None:
                staged.fetch_notes()
        for remark in remarks:
            if notice:
                notice(remark)

    def render(
        self,
        order: Order,
        segments: list[Segment],
        progress: Callable[[int, int], None],
        notice: Notice | None,
        watch: Watch | None = None,
    ) -> int:
        """See ``SegmentWorkers.render``; where finished segments are kept, others are finished before one is told."""
        job = order.job()
        with job.source:
            need = need_of_segment(job.recipe, job.source.info, cores=self._cores, has_gpu=self._has_gpu)

        tell = watch or (lambda event: None)

        def begun(segment: Segment) -> Any:
            tell(SegmentQueued(segment.start, segment.stop))
            return self._begun("segment", need, tasks.render, order, segment, self._cores, staged)

        total, done, end = sum(len(each.frames) for each in segments), 0, segments[-1].stop
        failures: dict[Segment, InputError | RuntimeError] = {}
        told: set[str] = set()
        progress(0, total)
        with self._staged(order, is_last=True) as staged, self._cancelled_on_failure() as pending:
            pending.update((begun(each), (each, 1)) for each in segments)
            for task, segment, tries in self._finished(pending):
                try:
                    rendered: tasks.Rendered = self._ray.get(task)
                except Exception as error:
                    failure = self._failure(error, _of(segment, order))
                    is_tried_again = tries < _TRIES and not self._is_lost(error)
                    metrics.count_failure(self._kind(error))
                    tell(SegmentFailed(segment.start, segment.stop, " ".join(str(failure).split()), is_tried_again))
                    if is_tried_again:
                        pending[begun(segment)] = segment, tries + 1
                        continue
                    failures[segment] = failure
                    if not order.segmentation.keeps:
                        break
                    continue
                if staged is not None:
                    staged.fetch_segment(segment_name(segment))
                if rendered.frames < len(segment.frames):
                    end = min(end, segment.start + rendered.frames)
                stop = segment.start + rendered.frames
                tell(SegmentFinished(segment.start, stop, rendered.seconds, None, rendered.host))
                for remark in rendered.remarks:
                    if notice and remark not in told:
                        notice(remark)
                    told.add(remark)
                done += len(segment.frames)
                metrics.show_waiting(order.clip.name, len(pending))
                progress(done, total)
            if failures:
                raise failures[min(failures)]
        return end

    @contextmanager
    def _staged(self, order: Order, *, is_last: bool = False) -> Iterator["Staged | None"]:
        """What of an order lies at addresses, and is copied to machines; no copy is left after its last task."""
        stage = stage_around(order.output, order.clip)
        if stage is None:
            yield None
            return
        staged = stage.staged
        staged.mirror()
        try:
            yield staged
        except BaseException:
            self._leave(staged)
            raise
        if is_last:
            self._leave(staged)

    def _leave(self, staged: "Staged") -> None:
        """Let all machines remove their copies of what lies at addresses."""
        strategy = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        task = self._ray.remote(num_cpus=0, max_retries=0)(tasks.leave)
        with suppress(Exception):
            left = [
                task.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(staged)
                for node in self._nodes
            ]
            self._ray.wait(left, num_returns=len(left), timeout=_ENDING_S)

    def _result(self, name: str, what: str, need: Need, task: Callable[..., Any], *given: Any) -> Any:
        with self._cancelled_on_failure() as pending:
            pending[self._begun(name, need, task, *given)] = None, 1
            for ref, _, tries in self._finished(pending):
                try:
                    return self._ray.get(ref)
                except Exception as error:
                    metrics.count_failure(self._kind(error))
                    if tries >= _TRIES or self._is_lost(error) or self._is_input_error(error):
                        raise self._failure(error, what) from error
                    pending[self._begun(name, need, task, *given)] = None, tries + 1
        raise AssertionError("a task ends in a result or a failure")

    def _begun(self, name: str, need: Need, task: Callable[..., Any], *given: Any) -> Any:
        # A machine that has less shall try it; Ray would wait for a larger one for ever.
        need = replace(need, memory_bytes=min(need.memory_bytes, self._most_memory_bytes))
        if task not in self._remote:  # each is sent to the machines once
            self._remote[task] = self._ray.remote(max_retries=_RETRIES)(task)
        return self._remote[task].options(name=f"any2bokeh {name}", **need.resources).remote(*given)

    def _finished(self, pending: dict[Any, Any]) -> Iterator[tuple[Any, Any, int]]:
        """Tasks as they end, whichever way, with what they are for and how often it was tried."""
        while pending:
            if self._is_ended.is_set():
                raise InputError("the cluster was left while it worked")
            try:
                ready, _ = self._ray.wait(list(pending), timeout=_POLL_S)
            except SystemExit:  # Ray puts one of its own, with a text, in the place of a signal handler's
                raise SystemExit(128 + signal.SIGTERM) from None
            for task in ready:
                yield task, *pending.pop(task)

    @contextmanager
    def _cancelled_on_failure(self) -> Iterator[dict[Any, Any]]:
        """Tasks, none of which is left on any exception."""
        pending: dict[Any, Any] = {}
        try:
            yield pending
        except BaseException:
            for by_force in (False, True):
                for task in pending:
                    with suppress(Exception):
                        self._ray.cancel(task, force=by_force)
                with suppress(Exception):
                    _, left = self._ray.wait(list(pending), num_returns=len(pending), timeout=_ENDING_S)
                    if not left:
                        break
            raise

    def _is_lost(self, error: Exception) -> bool:
        """Whether Ray has begun a task again and again, and its process was lost each time."""
        return not isinstance(error, self._ray.exceptions.RayTaskError)

    def _is_input_error(self, error: Exception) -> bool:
        return isinstance(getattr(error, "cause", None), InputError)

    def _kind(self, error: Exception) -> metrics.Failure:
        if self._is_lost(error):
            return "lost"
        return "input" if self._is_input_error(error) else "defect"

    def _failure(self, error: Exception, what: str) -> InputError | RuntimeError:
        if self._is_lost(error):
            reason = " ".join(str(error).split())[:300]
            return InputError(f"{what} ended its worker {_RETRIES + 1} times, perhaps for want of memory ({reason})")
        cause = getattr(error, "cause", None)
        if isinstance(cause, InputError):
            return InputError(f"{what}: {cause}")
        if isinstance(cause, ImportError):
            return InputError(f"{what}: a machine lacks a package ({cause}); install any2bokeh alike on all")
        failure = RuntimeError(f"{what} failed {_TRIES} times")
        failure.__cause__ = error
        return failure

    def _connect(self) -> None:
        quiet: Mapping[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if self._address != AUTO:
            _require_answer(self._address)
            self._ray.init(address=self._address, **quiet)
            return
        self._folder = Path(tempfile.mkdtemp(prefix="a2b-ray-"))  # short: sockets lie in it
        self._ray.init(
            address="local",
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            _temp_dir=str(self._folder),
            **quiet,
        )

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    @property
    def _most_memory_bytes(self) -> int:
        """Of one machine."""
        return max(int(node["Resources"].get("memory", 0)) for node in self._nodes)

    @property
    def _has_gpu(self) -> bool:
        return any(node["Resources"].get("GPU", 0) >= 1 for node in self._nodes)


def _use_token(address: str) -> None:
    """Let Ray show the token of this machine, if it has one.

    A cluster is started with the token that ``ray get-auth-token --generate`` has written, but by itself Ray shows it
    to no address that is given, and is not let in. A cluster without tokens does not mind one.
    """
    if "RAY_AUTH_MODE" in os.environ:
        return
    has_token = (
        any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
        or (Path.home() / ".ray" / "auth_token").is_file()
    )
    if not has_token and address == AUTO:
        os.environ["RAY_AUTH_TOKEN"] = uuid.uuid4().hex  # else Ray leaves one in the home folder, for clusters to come
        has_token = True
    if has_token:
        os.environ["RAY_AUTH_MODE"] = "token"
        if "ray" in sys.modules:  # it was imported without, and has to read it again, as it does itself
            with suppress(AttributeError):
                sys.modules["ray"]._raylet.Config.initialize("")


def _why_not(error: BaseException) -> str:
    """Why a cluster could not be joined, and what to do."""
    link: BaseException | None = error
    while link is not None:
        if "AuthToken" in str(link):
            return (
                "lets in only who has its token; copy ~/.ray/auth_token from its head to the home folder of this "
                "machine, or name the file in RAY_AUTH_TOKEN_PATH"
            )
        link = link.__cause__ or link.__context__
    return f"does not answer ({' '.join(str(error).split())[:200]}); start it, or give auto"


def _require_answer(address: str) -> None:
    """Ray waits for a minute where nothing answers, and then ends the process.

    Raises:
        OSError: nothing does.
    """
    host, colon, port = address.rpartition(":")
    if colon and "/" not in host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def _of(segment: Segment, order: Order) -> str:
    return f"frames {segment.start} to {segment.stop - 1} of {order.clip.name}"


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray puts handlers of its own in the place of ours, which unwind the stack."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
