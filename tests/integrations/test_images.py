"""The container's recipe and the Space's layout, as far as they can be checked without either."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from scripts.docs_site.command_reference import commands

ROOT = Path(__file__).resolve().parents[2]
SPACE = ROOT / "integrations" / "huggingface-space"


def pins(path: Path) -> dict[str, str]:
    """Versions by the names of packages, in small letters."""
    found = re.findall(r"^([\w.-]+)==([^\s\\]+)", path.read_text(), re.MULTILINE)
    return {name.lower(): version for name, version in found}


def front_matter() -> dict[str, str]:
    text = (SPACE / "README.md").read_text()
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert match
    return {
        key.strip(): value.strip().strip('"') for key, _, value in (x.partition(":") for x in match[1].splitlines())
    }


def test_space_has_the_settings_of_a_space():
    told = front_matter()
    # The parameters of the Spaces Configuration Reference that matter here.
    assert told["sdk"] == "docker"
    steps = dockerfile(SPACE / "Dockerfile")
    assert ("EXPOSE", told["app_port"]) in steps
    [command] = [rest for word, rest in steps if word == "CMD"]
    assert (SPACE / [word.strip('",') for word in shlex.split(command.strip("[]"))][1]).is_file()
    # Spaces run containers as user 1000, whose files the steps must make.
    assert [rest for word, rest in steps if word == "USER"] == ["user"]
    assert ("RUN", "useradd --create-home --uid 1000 user") in steps
    colors = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {told["colorFrom"], told["colorTo"]} <= colors
    assert len(told["short_description"]) <= 60
    assert told["license"] == "apache-2.0"


def test_space_takes_what_the_package_needs_at_the_locked_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[>=\[]", name)[0].lower() for name in project["dependencies"]}
    needed |= {re.split(r"[>=\[]", name)[0].lower() for name in project["optional-dependencies"]["app"]}
    wanted, locked = pins(SPACE / "requirements.txt"), pins(ROOT / "locks" / "dev.txt")
    assert set(wanted) == needed
    assert wanted == {name: locked[name] for name in wanted}


def space_app():
    spec = spec_from_file_location("space_app", SPACE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_space_asks_for_what_the_command_line_has(monkeypatch: pytest.MonkeyPatch):
    module = space_app()
    asked: list[list[str]] = []
    monkeypatch.setattr(module, "run", lambda arguments: asked.append(arguments) or 0)
    monkeypatch.delenv("SPACE_HOST", raising=False)
    assert module.main() == 0
    monkeypatch.setenv("SPACE_HOST", "someone-any2bokeh.hf.space")
    assert module.main() == 0
    elsewhere, there = (commands()[name].make_context(name, arguments).params for name, *arguments in asked)
    for params in (elsewhere, there):
        assert (params["host"], params["port"], params["password"]) == ("0.0.0.0", 7860, "off")
    assert not elsewhere["host_name"]
    assert list(there["host_name"]) == ["someone-any2bokeh.hf.space"]
    assert list(there["framed_by"]) == ["https://huggingface.co"]


@pytest.mark.slow
def test_space_serves_the_studio_from_its_own_folder(tmp_path: Path):
    """As its README says: the package lies beside app.py, and is not installed."""
    space = tmp_path / "space"
    shutil.copytree(SPACE, space)
    shutil.copytree(ROOT / "src" / "any2bokeh", space / "any2bokeh", ignore=shutil.ignore_patterns("__pycache__"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (space / "app.py").write_text((space / "app.py").read_text().replace('"7860"', f'"{port}"'))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with (tmp_path / "log").open("w") as log:
        job = subprocess.Popen(
            [sys.executable, "-P", "-c", _FROM_ITS_FOLDER],
            cwd=space,
            env=environment | {"SPACE_HOST": "someone-any2bokeh.hf.space"},
            stdout=log,
            stderr=log,
        )
    try:
        page = _page(f"http://127.0.0.1:{port}/", job)
    finally:
        job.terminate()
        job.wait(timeout=300)
    assert "any2bokeh studio" in page, (tmp_path / "log").read_text()
    assert str(space) in (tmp_path / "log").read_text()


# Runs app.py as its folder's own program, and tells which package it took.
_FROM_ITS_FOLDER = """
import os, runpy, sys
sys.path.insert(0, os.getcwd())
import any2bokeh
print(any2bokeh.__file__, flush=True)
runpy.run_path("app.py", run_name="__main__")
"""


def _page(address: str, job: subprocess.Popen[bytes]) -> str:
    for _ in range(120):
        assert job.poll() is None, "the studio ended"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(1)
    raise AssertionError(f"nothing at {address} within two minutes")


def dockerfile(path: Path = ROOT / "Dockerfile") -> list[tuple[str, str]]:
    """Instructions of a Dockerfile, with lines that go on joined."""
    text = re.sub(r"\\\n\s*", "", path.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_container_runs_the_studio_as_a_user_without_rights():
    steps = dockerfile()
    users = [rest for word, rest in steps if word == "USER"]
    assert users == ["bokeh"]
    [command] = [rest for word, rest in steps if word == "CMD"]
    program, name, *arguments = [word.strip('",') for word in shlex.split(command.strip("[]"))]
    assert program == "any2bokeh"
    context = commands()[name].make_context(name, arguments)
    assert context.params["host"] == "0.0.0.0"
    assert ("EXPOSE", str(context.params["port"])) in steps


def test_container_asks_the_studio_whether_it_lives():
    from any2bokeh.app.guard import LIVE_PATH

    [check] = [rest for word, rest in dockerfile() if word == "HEALTHCHECK"]
    assert f"127.0.0.1:7860{LIVE_PATH}" in check


def test_container_copies_what_is_there_and_sent():
    ignored = (ROOT / ".dockerignore").read_text().split()
    for _, rest in (step for step in dockerfile() if step[0] == "COPY"):
        *sources, _ = rest.split()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source.rstrip('/')}" in ignored, f".dockerignore holds {source} back"


def test_container_installs_from_the_locks():
    steps = " ".join(rest for word, rest in dockerfile() if word == "RUN")
    assert "--require-hashes --no-deps --requirement locks/run.txt" in steps
    assert "--constraint locks/dev.txt starlette uvicorn" in steps
    assert "--no-deps ." in steps
