"""A process of its own for work that may end it: one task after another, begun anew where it dies.

It is spawned, not forked, as threads of numerical libraries do not survive that. It stays between tasks, so that what
they share is imported and compiled once. It ends with the process that started it, however that ends: its pipe is
closed then, which it notices while it works, too.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from typing import Any, Generic, Self, TypeVar

from any2bokeh.errors import InputError, KernelCacheWarning
from any2bokeh.heap import keep_freed_memory
from any2bokeh.interruption import TERMINATED, interruptions_unwind

Task = TypeVar("Task")
Result = TypeVar("Result")

Tell = Callable[[Any], None]
Work = Callable[[Task, Tell], Result]
"""Does a task; what it tells meanwhile arrives where the task was given. It is pickled, as tasks and results are."""

_PATIENCE_S = 10.0  # for a process that was asked to end: a frame takes a second or two
_BEGUN, _TOLD, _WARNED, _DONE, _UNFIT, _DEFECT = range(6)


class WorkerDied(Exception):
    """The process ended in the middle of a task.

    Attributes:
        exit_code: of the process; below 0, the signal that ended it.
    """

    def __init__(self, exit_code: int | None) -> None:
        self.exit_code = exit_code
        super().__init__(_death(exit_code))


class WorkDefect(Exception):
    """Work failed by a defect; the message is its traceback."""


class WorkerProcess(Generic[Task, Result]):
    """A process that does tasks; started with the first of them. A context manager: no process is left at its end.

    Args:
        work: what it does.
        name: of the process, for people.
        threads: of compiled loops; None = all cores.
    """

    def __init__(self, work: "Work[Task, Result]", *, name: str, threads: int | None = None) -> None:
        self._work = pickle.dumps(work)
        self._name = name
        self._threads = threads
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._is_stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *of: object) -> None:
        if kind is not None:
            self.stop()
        self._end()

    @property
    def process(self) -> int | None:
        """Its number; None where there is none."""
        return None if self._process is None else self._process.pid

    def stop(self) -> None:
        """Ask it to end now, from any thread; a task that is under way dies. Harmless when called twice."""
        self._is_stopped = True
        if self._process is not None:
            with suppress(ValueError, AttributeError):  # it has just ended
                self._process.terminate()

    def done(self, task: Task, tell: Tell | None = None) -> Result:
        """Do a task, and wait for it.

        Args:
            task: what is to be done.
            tell: called in this thread with what the work tells meanwhile.

        Raises:
            WorkerDied: the process ended; the next task gets another.
            InputError: as the work raises it.
            WorkDefect: the work raised anything else.
        """
        is_new, is_begun = self._pipe is None, False
        pipe = self._pipe or self._started()
        with suppress(OSError):  # it has ended, which reading from it tells
            pipe.send(task)
        while True:
            try:
                kind, value = pipe.recv()
            except (EOFError, OSError):
                died = self._died()
                if is_new or is_begun:
                    raise died from None
                return self.done(task, tell)  # it died while it had nothing to do
            is_begun = True
            if kind == _TOLD:
                if tell is not None:
                    tell(value)
            elif kind == _WARNED:
                warnings.warn(KernelCacheWarning(value), stacklevel=2)
            elif kind == _DONE:
                return value
            elif kind != _BEGUN:
                raise InputError(value) if kind == _UNFIT else WorkDefect(value)

    def _started(self) -> Connection:
        if self._is_stopped:
            raise WorkerDied(TERMINATED)
        context = multiprocessing.get_context("spawn")
        own, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work, self._threads), name=self._name, daemon=True)
        with _ctrl_c_held_back():
            process.start()
        theirs.close()  # so that the end of either process is seen by the other
        self._process, self._pipe = process, own
        if self._is_stopped:  # meanwhile, by another thread
            process.terminate()
        return own

    def _died(self) -> WorkerDied:
        process = self._process
        assert process is not None
        process.join(_PATIENCE_S)
        died = WorkerDied(process.exitcode)
        self._end()
        return died

    def _end(self) -> None:
        process, pipe = self._process, self._pipe
        if process is None or pipe is None:
            return
        pipe.close()
        try:
            process.join(_PATIENCE_S)
        finally:  # a second Ctrl-C does not wait
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
            self._process = self._pipe = None


def _death(exit_code: int | None) -> str:
    if exit_code is None:
        return "does not answer"
    number = -exit_code if exit_code < 0 else exit_code - 128
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"ended with exit code {exit_code}"
    if name == "SIGKILL":
        return f"was killed (signal {number}, {name}), perhaps for want of memory"
    return f"died (signal {number}, {name})"


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """A process that starts meanwhile never gets a Ctrl-C, which a terminal sends to all: this one ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, pickled_work: bytes, threads: int | None) -> None:
    """Do the tasks that come through the pipe until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.dup2(2, 1)  # standard output is that of who gave the work
    sys.stdout = sys.stderr
    if threads is not None:
        os.environ["NUMBA_NUM_THREADS"] = str(threads)
    keep_freed_memory()
    tasks: SimpleQueue[tuple[Any] | None] = SimpleQueue()
    is_busy = threading.Event()
    one_at_a_time = threading.Lock()

    def send(kind: int, value: Any) -> None:
        with one_at_a_time:  # work tells from several threads
            pipe.send((kind, value))

    with suppress(BrokenPipeError, ConnectionResetError), interruptions_unwind(), _kernel_remarks(send):
        threading.Thread(target=_listen, args=(pipe, tasks, is_busy), daemon=True).start()
        work: Work[Any, Any] = pickle.loads(pickled_work)
        while (task := tasks.get()) is not None:
            is_busy.set()
            send(_BEGUN, None)
            send(*_answer(work, task[0], lambda told: send(_TOLD, told)))
            is_busy.clear()


def _listen(pipe: Connection, tasks: "SimpleQueue[tuple[Any] | None]", is_busy: threading.Event) -> None:
    with suppress(EOFError, OSError):
        while True:
            tasks.put((pipe.recv(),))
    tasks.put(None)
    if not is_busy.wait(0.5):  # a task may just have been taken
        return
    # Who gave the work is gone. Let the work unwind, so that no partial file stays behind, but not for long.
    late = threading.Timer(_PATIENCE_S, os._exit, [1])
    late.daemon = True
    late.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _answer(work: "Work[Any, Any]", task: Any, tell: Tell) -> tuple[int, Any]:
    try:
        return _DONE, work(task, tell)
    except InputError as error:
        return _UNFIT, str(error)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception:
        return _DEFECT, traceback.format_exc()


@contextmanager
def _kernel_remarks(send: Callable[[int, Any], None]) -> Iterator[None]:
    """Let a ``KernelCacheWarning`` be issued where the work was given."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, KernelCacheWarning):
                send(_WARNED, str(message))
            else:
                usual(message, category, *place, **more)

        warnings.showwarning = show
        yield
