"""What stands beside the nodes: workflows that fit them, and what the Comfy registry asks for."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import any2bokeh
from tests.integrations.comfyui.comfy import FOLDER, STAND_IN, load_nodes

WORKFLOWS = sorted((FOLDER / "workflows").glob("*.json"))
# Nodes that ComfyUI brings, with what they take in and give, as 0.3.64 lists them.
CORE: dict[str, tuple[dict[str, str], list[str]]] = {
    "LoadVideo": ({"file": "COMBO"}, ["VIDEO"]),
    "GetVideoComponents": ({"video": "VIDEO"}, ["IMAGE", "AUDIO", "FLOAT"]),
    "CreateVideo": ({"images": "IMAGE", "fps": "FLOAT", "audio": "AUDIO"}, ["VIDEO"]),
    "SaveVideo": ({"video": "VIDEO", "filename_prefix": "STRING", "format": "COMBO", "codec": "COMBO"}, []),
    "PreviewImage": ({"images": "IMAGE"}, []),
}


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(STAND_IN)
        return load_nodes()


def test_each_render_node_has_a_workflow():
    used = {node["type"] for path in WORKFLOWS for node in json.loads(path.read_text())["nodes"]}
    assert {"Any2BokehLayeredRender", "Any2BokehDiffusionRender", "Any2BokehFocusTrack", "Any2BokehDisparity"} <= used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_fits_the_nodes(path: Path, nodes: dict[str, Any]):
    workflow = json.loads(path.read_text())
    assert workflow["version"] == 0.4
    found = {node["id"]: node for node in workflow["nodes"]}
    assert workflow["last_node_id"] == max(found)
    assert {each["type"] for each in found.values()} <= {*CORE, *nodes}
    for node in found.values():
        if node["type"] in CORE:
            taken, given = CORE[node["type"]]
        else:
            schema = nodes[node["type"]].GET_SCHEMA()
            taken = {each.id: each.io_type for each in schema.inputs}
            given = [each.io_type for each in schema.outputs]
            fields = [each for each in schema.inputs if "default" in vars(each)]
            assert len(node["widgets_values"]) == len(fields), f"{path.name}: a field of {node['type']} has no value"
            for field, value in zip(fields, node["widgets_values"], strict=True):
                assert value in getattr(field, "options", [value]), field.id
                assert getattr(field, "min", value) <= value <= getattr(field, "max", value), field.id
                assert isinstance(value, type(field.default)), field.id
            shown = [each["name"] for each in node["inputs"] if "widget" in each]
            assert shown == [field.id for field in fields]
        assert {each["name"]: each["type"] for each in node["inputs"]} == taken
        assert [each["type"] for each in node["outputs"]] == given
    for number, source, slot, target, place, kind in workflow["links"]:
        output, input = found[source]["outputs"][slot], found[target]["inputs"][place]
        assert number in output["links"]
        assert input["link"] == number
        assert output["type"] == input["type"] == kind
    links = [each["link"] for node in found.values() for each in node["inputs"] if each["link"] is not None]
    assert (
        sorted(links) == sorted(link[0] for link in workflow["links"]) == list(range(1, workflow["last_link_id"] + 1))
    )
    for node in found.values():
        if node["type"] in nodes:
            open_ends = [each["name"] for each in node["inputs"] if each["link"] is None and "widget" not in each]
            assert open_ends == []


def test_the_registry_gets_what_it_asks_for():
    """docs.comfy.org/registry/specifications"""
    given = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))
    project, comfy = given["project"], given["tool"]["comfy"]
    assert re.fullmatch(r"[A-Za-z](?:[._-]?[A-Za-z0-9])*", project["name"])
    assert "comfyui" not in project["name"].lower()
    assert len(project["name"]) < 100
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert project["version"] == any2bokeh.__version__
    assert project["license"] == {"text": "Apache-2.0"}
    assert project["dependencies"] == ["any2bokeh"]
    assert "urls" in project
    assert {"PublisherId", "DisplayName", "requires-comfyui"} <= set(comfy)
