"""Nodes that share no folder: all that they have in common is a store, which a server of the S3 protocol plays here."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.test_nodes import FRAMES, HANG_S, HEIGHT, WIDTH, command, inputs, wait_until

pytest.importorskip("ray", reason="the package ray is not installed: pip install 'any2bokeh[cluster]'")
pytest.importorskip("psutil", reason="the package psutil is not installed: pip install psutil")
pytest.importorskip("moto.server", reason="the package moto is not installed: pip install 'moto[server]'")
s3fs: Any = pytest.importorskip("s3fs", reason="the package s3fs is not installed: pip install s3fs")
if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("unshare") is None:
    pytest.skip("a folder that only one node sees takes Linux, root and unshare", allow_module_level=True)

from tests.cluster.nodes import Nodes  # noqa: E402 - needs psutil

pytestmark = pytest.mark.slow
__all__ = ["inputs"]


@pytest.fixture
def store(inputs: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """A store with a clip and its disparity, and the environment in which it is found."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "FSSPEC_S3_ENDPOINT_URL": url}
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + HANG_S
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert server.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        files = s3fs.S3FileSystem(key="any", secret="any", endpoint_url=url, skip_instance_cache=True)
        files.mkdir("rushes")
        files.put(str(inputs / "clip.mp4"), "rushes/clip.mp4")
        files.put(str(inputs / "maps"), "rushes/maps", recursive=True)
        assert (len(files.ls("rushes/maps")), WIDTH, HEIGHT) == (FRAMES, WIDTH, HEIGHT)
        yield files, keys
    finally:
        server.kill()
        server.wait()


def names(files: Any) -> list[str]:
    files.invalidate_cache()
    return sorted(files.ls("rushes", detail=False))


def test_machines_without_a_shared_folder_render_the_same(
    inputs: Path, tmp_path: Path, store: tuple[Any, dict[str, str]]
):
    files, keys = store
    with Nodes(2, is_apart=True, environment=keys) as nodes:
        process = command(nodes, "s3://rushes", tmp_path, output="s3://rushes/many.mp4")
        wait_until(lambda: all(nodes.copies_of(node) for node in (0, 1)), process)
        told = process.communicate(timeout=HANG_S)[0]
        assert process.returncode == 0, told
        assert [nodes.copies_of(node) for node in (0, 1)] == [[], []]
        assert list(nodes.copies.iterdir()) == []
    assert "s3://rushes/many.mp4: 64 frames" in told
    assert files.cat("rushes/many.mp4") == (inputs / "one.mp4").read_bytes()
    assert names(files) == ["rushes/clip.mp4", "rushes/many.mp4", "rushes/maps"]


def test_ctrl_c_leaves_no_copies(tmp_path: Path, store: tuple[Any, dict[str, str]]):
    files, keys = store
    with Nodes(2, is_apart=True, environment=keys) as nodes:
        process = command(nodes, "s3://rushes", tmp_path, output="s3://rushes/many.mp4")
        wait_until(lambda: nodes.rendering(0) and nodes.rendering(1) and files.exists("rushes/many.mp4.parts"), process)
        os.killpg(process.pid, signal.SIGINT)
        told = process.communicate(timeout=HANG_S)[0]
        assert process.returncode == 128 + signal.SIGINT, told
        assert nodes.working() == []
        assert [nodes.copies_of(node) for node in (0, 1)] == [[], []]
        assert list(nodes.copies.iterdir()) == []
    assert names(files) == ["rushes/clip.mp4", "rushes/maps"]
