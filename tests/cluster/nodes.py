"""Nodes of a Ray cluster on this machine, each with an address of its own, started as docs/cluster.md says."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from any2bokeh.errors import InputError

START_S = 90.0
"""Only catches a hang; a node takes about 5 s of a free core."""


class Nodes:
    """A head and others, of one core each, at 127.0.0.2, 127.0.0.3 and so on.

    Args:
        count: of all.
        is_open: let everybody in; otherwise only who has the token.
        is_apart: give each a temporary folder that no other one sees, which takes root.
        environment: of them and of commands that are given their address.
    """

    def __init__(
        self, count: int, *, is_open: bool = False, is_apart: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        self._count = count
        self._is_apart = is_apart
        self._folder = Path(tempfile.mkdtemp(prefix="a2b-nodes-"))  # short: sockets lie in it
        self._port = _free_port("127.0.0.2")
        self._nodes: list[subprocess.Popen[bytes]] = []
        # As on a user's machine: the token is a file in the home folder, and nothing says that it is to be shown.
        home = self._folder / "home"
        (home / ".ray").mkdir(parents=True)
        if not is_open:
            (home / ".ray" / "auth_token").write_text("0123456789abcdef0123456789abcdef")
        ray_free = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
        self.copies = self._folder / "tmp"
        self.copies.mkdir()
        self.environment = {**ray_free, "HOME": str(home), "TMPDIR": str(self.copies), **(environment or {})}
        self._of_nodes = {**self.environment, "RAY_AUTH_MODE": "disabled" if is_open else "token"}

    @property
    def address(self) -> str:
        return f"127.0.0.2:{self._port}"

    def __enter__(self) -> Self:
        try:
            self._start("--head", f"--port={self._port}", "--include-dashboard=false", f"--temp-dir={self._folder}/ray")
            for _ in range(1, self._count):
                self._start(f"--address={self.address}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def rendering(self, node: int) -> list[int]:
        """Processes of a node, counted from the head at 0, that render a segment now."""
        return [each.pid for each in self._family(node) if "ray::any2bokeh segment" in _command(each)]

    def working(self) -> list[int]:
        """Processes of all nodes that do a task of ours now."""
        return [
            each.pid for node in range(self._count) for each in self._family(node) if "ray::any2bokeh" in _command(each)
        ]

    def copies_of(self, node: int) -> list[str]:
        """What lies in the temporary folder of a node."""
        return sorted(each.name for each in Path(f"/proc/{self._nodes[node].pid}/root{self.copies}").iterdir())

    def kill(self, node: int) -> None:
        """End a node as when its power fails: all of its processes at once, by SIGKILL."""
        family = self._family(node)
        for each in family:
            each.suspend()  # none shall see another one die
        for each in family:
            each.kill()
        psutil.wait_procs(family, timeout=START_S)

    def _start(self, *options: str) -> None:
        host = f"127.0.0.{2 + len(self._nodes)}"
        log = (self._folder / f"{host}.log").open("wb")
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--node-ip-address={host}"]
        command += ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats", "--block"]
        if self._is_apart:
            own = f'mount -t tmpfs none {self.copies} && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", own, "sh", *command]
        with log:
            node = subprocess.Popen(
                command, env=self._of_nodes, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._nodes.append(node)
        until = time.monotonic() + START_S
        while b"Ray runtime started" not in (told := Path(log.name).read_bytes()):
            if node.poll() is not None or time.monotonic() > until:
                raise InputError(f"a node at {host} did not start: {told.decode(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def _family(self, node: int) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._nodes[node].pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _end(self) -> None:
        for node in reversed(range(len(self._nodes))):
            self.kill(node)
            self._nodes[node].wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
