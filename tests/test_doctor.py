"""What the doctor says of machines on which something does not work: real conditions, and no finding that raises."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import any2bokeh
from any2bokeh import doctor
from any2bokeh.doctor import BASE, EXTRAS, Finding, findings
from tests.disparity.estimators.test_choice import hub_home

__all__ = ["hub_home"]

_PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def found(name: str) -> Finding:
    [finding] = findings([name])
    return finding


def closed(folder: Path) -> Path:
    """A folder that cannot be made, not even by root: a file stands above it."""
    folder.write_text("")
    return folder / "below"


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=! ]", each)[0] for each in requirements}


def test_every_line_is_one_and_what_is_not_there_has_a_remedy():
    every = findings()
    assert [each.name for each in every][:4] == ["python", "packages", "codecs", "compiled code"]
    for each in every:
        assert "\n" not in str(each)
        assert each.state == "ok" or each.remedy, each
        assert "could not be looked at" not in each.found, each


def test_it_knows_the_packages_of_the_project():
    assert set(BASE.values()) == names_of(_PROJECT["dependencies"])
    extras = _PROJECT["optional-dependencies"]
    assert set(EXTRAS) == set(extras) - {"docs", "dev"}
    for extra in EXTRAS:
        assert set(EXTRAS[extra]) >= names_of(extras[extra]) - {"any2bokeh"}, extra


@pytest.mark.parametrize(
    ("package", "name", "remedy"),
    [
        ("wgpu", "GPU", "any2bokeh[gpu]"),
        ("torch", "torch", "any2bokeh[depth]"),
        ("uvicorn", "studio", "any2bokeh[app]"),
    ],
)
def test_an_extra_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, package: str, name: str, remedy: str):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    finding = found(name)
    assert finding.state == "missing"
    assert remedy in str(finding)
    extras = [extra for extra, packages in EXTRAS.items() if package in packages]
    assert [each.state for each in findings(f"[{extra}]" for extra in extras)] == ["missing"] * len(extras)


def test_an_extra_whose_modules_are_not_called_as_its_packages():
    pytest.importorskip("otio_fcp_adapter", reason="needs the timeline extra")
    finding = found("[timeline]")
    assert finding.state == "ok"
    assert re.fullmatch(r"OpenTimelineIO [\d.]+, otio-fcp-adapter [\d.]+", finding.found)


def test_compiled_code_that_cannot_be_kept(tmp_path: Path):
    """A package whose folder cannot be written, for a user whose cache folder cannot be written either."""
    assert found("compiled code").state == "ok"
    package = tmp_path / "any2bokeh"
    package.mkdir()
    for each in Path(any2bokeh.__file__).parent.iterdir():
        if each.name != "__pycache__":
            (package / each.name).symlink_to(each)
    (package / "__pycache__").write_text("")
    env = os.environ | {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(closed(tmp_path / "file"))}
    env.pop("NUMBA_CACHE_DIR", None)
    code = "from any2bokeh.doctor import findings; [found] = findings(['compiled code']); print(found.state, found)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.startswith("missing cannot be kept"), done.stdout
    assert "NUMBA_CACHE_DIR" in done.stdout


@pytest.mark.parametrize(
    ("name", "variable"), [("estimates", "XDG_CACHE_HOME"), ("model cache", "HF_HOME"), ("model cache", "HF_HUB_CACHE")]
)
def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, variable: str):
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "new"))
    finding = found(name)
    assert (finding.state, str(tmp_path / "new") in finding.found) == ("ok", True)
    assert not (tmp_path / "new").exists()
    monkeypatch.setenv(variable, str(closed(tmp_path / "file")))
    finding = found(name)
    assert finding.state == "missing"
    assert "cannot be written" in finding.found


@pytest.mark.parametrize(
    ("driver", "said", "patience_s"),
    [
        ("import time; time.sleep(300)", "has not answered", 0.5),
        ("import os; os._exit(139)", "exit code 139", 300),
        ("raise RuntimeError('no ICD')", "no ICD", 300),
    ],
)
def test_a_graphics_driver_that_hangs_or_crashes(
    monkeypatch: pytest.MonkeyPatch, driver: str, said: str, patience_s: float
):
    pytest.importorskip("wgpu", reason="needs the gpu extra")
    monkeypatch.setattr(doctor, "_GPU_TIMEOUT_S", patience_s)
    monkeypatch.setattr(doctor, "_ADAPTERS", driver)
    finding = found("GPU")
    assert (finding.state, said in finding.found) == ("missing", True), finding


def test_codecs_that_pyav_does_not_have(monkeypatch: pytest.MonkeyPatch):
    from dataclasses import replace

    from any2bokeh.video.encoding import VIDEO_CODECS

    monkeypatch.setitem(VIDEO_CODECS, "hevc", replace(VIDEO_CODECS["hevc"], encoder="libnone"))
    finding = found("codecs")
    assert (finding.state, "hevc (libnone)" in finding.found) == ("broken", True)


def test_depth_models_that_are_here(hub_home: Path):
    assert "models get small" in str(found("models"))
    pytest.importorskip("transformers", reason="needs the depth extra")
    from any2bokeh.disparity.estimators.registry import DEFAULT_MODEL
    from tests.disparity.estimators.models import write_hub_cache

    write_hub_cache(hub_home, DEFAULT_MODEL.hub_id)
    finding = found("models")
    assert (finding.state, finding.found) == ("ok", "small, compact, edges")
