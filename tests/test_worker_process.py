"""A process for work that may end it; that of these tests imports nothing heavy."""

import os
import signal
import threading
import time
import warnings
from typing import Any

import pytest

from any2bokeh.errors import InputError, KernelCacheWarning
from any2bokeh.worker_process import Tell, WorkDefect, WorkerDied, WorkerProcess


def work(task: str, tell: Tell) -> Any:
    """What its task says."""
    if task == "tell":
        for each in range(3):
            tell(each)
    elif task == "unfit":
        raise InputError("the clip is bad; give another")
    elif task == "defect":
        raise RuntimeError("tiles are round")
    elif task == "print":
        print("on standard output")
        os.write(1, b"from C\n")
    elif task == "warn":
        warnings.warn(KernelCacheWarning("no cache"), stacklevel=1)
    elif task == "exit":
        os._exit(7)
    elif task == "sleep":
        tell("asleep")
        time.sleep(300)
    elif task.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[task])
        time.sleep(300)
    return os.getpid()


def test_one_process_does_all_tasks(capfd: pytest.CaptureFixture[str]):
    with WorkerProcess[str, int](work, name="test") as process:
        heard: list[int] = []
        one = process.done("tell", heard.append)
        assert heard == [0, 1, 2]
        with pytest.raises(InputError, match="the clip is bad; give another"):
            process.done("unfit")
        with pytest.raises(WorkDefect, match="RuntimeError: tiles are round"):
            process.done("defect")
        with pytest.warns(KernelCacheWarning, match="no cache"):
            process.done("warn")
        assert process.done("print") == one == process.process != os.getpid()
        assert capfd.readouterr().out == ""
    assert not is_there(one)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals that end a process")
def test_another_process_takes_the_place_of_one_that_died():
    numbers: list[int] = []
    with WorkerProcess[str, int](work, name="test") as process:
        for task, told in (
            ("SIGKILL", r"was killed \(signal 9, SIGKILL\), perhaps for want of memory"),
            ("SIGSEGV", r"died \(signal 11, SIGSEGV\)"),
            ("SIGTERM", r"died \(signal 15, SIGTERM\)"),
            ("exit", "ended with exit code 7"),
        ):
            with pytest.raises(WorkerDied, match=told):
                process.done(task)
        numbers.append(process.done("tell"))
        os.kill(numbers[0], signal.SIGKILL)  # while it has nothing to do, which is nobody's failure
        numbers.append(process.done("tell"))
    assert numbers[0] != numbers[1]
    assert not any(map(is_there, numbers))


def test_a_process_can_be_stopped_while_it_works():
    with WorkerProcess[str, int](work, name="test") as process:

        def stop(told: str) -> None:
            assert told == "asleep"
            threading.Thread(target=process.stop).start()

        with pytest.raises(WorkerDied):
            process.done("sleep", stop)
        with pytest.raises(WorkerDied):  # and starts no more
            process.done("tell")
        assert process.process is None


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
