"""The focus script's JSON Schema: the keys of the parser, what it reads is valid, and what it refuses is not."""

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any2bokeh.cli.main import run
from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, script_json
from any2bokeh.focus.easing import Easing
from any2bokeh.focus.script import DEFAULT_EASING, DEFAULT_STRENGTH, MAX_FRAME, Strength
from tests.docs.markdown import ROOT, blocks
from tests.focus.json_schema import is_valid
from tests.focus.test_script_json import EXAMPLE, dense_scripts, keyframe_scripts

SCHEMA: dict[str, Any] = json.loads(script_json.SCHEMA.read_text(encoding="utf-8"))
KEYFRAME: dict[str, Any] = SCHEMA["$defs"]["keyframe"]
JUNK = (None, True, -1, 0.5, 2.5, 10**10, "", "x", "smooth", [], [0.5], [0.1, 0.2], [0.1, "x"], [{}], {})


def valid(script: Any) -> bool:
    return is_valid(script, SCHEMA, SCHEMA)


def is_read(script: Any) -> bool:
    try:
        FocusScript.loads(json.dumps(script))
    except InputError:
        return False
    return True


def test_the_schema_has_the_keys_of_the_parser() -> None:
    named = {name: vars(script_json)[f"_{name}_KEYS"] for name in ("HEAD", "DENSE", "KEYFRAME", "TARGET")}
    dense = {*named["DENSE"], *script_json._DENSE_MORE}  # pyright: ignore[reportPrivateUsage]
    assert set(SCHEMA["properties"]) == {*named["HEAD"], *dense, "$schema"}
    assert set(KEYFRAME["properties"]) == {*named["KEYFRAME"], *named["TARGET"], "track"}
    assert set(KEYFRAME["dependentSchemas"]) == {*named["TARGET"], "track"}


def test_the_schema_has_the_choices_defaults_and_limits_of_the_script() -> None:
    properties = KEYFRAME["properties"]
    assert SCHEMA["properties"]["version"]["const"] == script_json.VERSION
    assert properties["easing"]["enum"] == list(get_args(Easing))
    assert properties["easing"]["default"] == DEFAULT_EASING
    assert properties["strength"]["enum"] == list(get_args(Strength))
    assert properties["strength"]["default"] == DEFAULT_STRENGTH
    assert properties["frame"]["maximum"] == MAX_FRAME


def test_every_key_is_described() -> None:
    for key, schema in (*SCHEMA["properties"].items(), *KEYFRAME["properties"].items()):
        assert schema["description"].endswith("."), key


def test_the_scripts_of_the_page_and_of_the_demo_are_valid() -> None:
    page = [block.text for block in blocks(ROOT / "docs/focus-script.md") if block.language == "json"]
    scripts = [json.loads(text) for text in page if "version" in json.loads(text)]
    assert len(scripts) >= 2
    for script in (*scripts, json.loads((CLIP_FOLDER / "focus.json").read_text())):
        assert valid(script)
        assert is_read(script)


@settings(max_examples=40)
@given(st.one_of(keyframe_scripts(), dense_scripts))
def test_a_written_script_is_valid(script: FocusScript) -> None:
    assert valid(json.loads(script.dumps()))


def mended(change: Callable[[dict[str, Any]], object], text: str = EXAMPLE) -> dict[str, Any]:
    script = json.loads(text)
    change(script)
    return script


def broken() -> dict[str, Any]:
    """Scripts that are wrong in one place, by what was done to them."""
    dense = '{"version": 1, "focus_disparity": [0.5], "blur_strength": [1], "focus_slab": [0.1]}'
    tracked = '{"version": 1, "keyframes": [{"frame": 3, "point": [0.5, 0.2], "track": true, "cut": true}]}'
    masked = '{"version": 1, "fps": 24, "keyframes": [{"frame": 3, "mask": "m", "strength": "weak"}]}'
    boxed = '{"version": 1, "keyframes": [{"frame": 3, "box": [0, 0, 1, 1], "easing": "hold", "transition_s": 1}]}'
    cases: dict[str, Any] = {}
    for name, text in {"dense": dense, "point": tracked, "mask": masked, "box": boxed, "example": EXAMPLE}.items():
        for key in (*json.loads(text), "title", "focus_slab", "keyframes", "blur_strength"):
            cases[f"{name} without {key}"] = mended(lambda script, key=key: script.pop(key, None), text)
            for junk in JUNK:
                cases[f"{name}, {key}: {junk}"] = mended(lambda s, key=key, junk=junk: s.update({key: junk}), text)
        for key in KEYFRAME["properties"] if name != "dense" else ():
            at = f"{name}, keyframe"
            cases[f"{at} without {key}"] = mended(lambda s, key=key: s["keyframes"][-1].pop(key, None), text)
            for junk in JUNK:
                cases[f"{at}, {key}: {junk}"] = mended(
                    lambda s, key=key, junk=junk: s["keyframes"][-1].update({key: junk}), text
                )
    return cases


def beyond_a_schema(script: dict[str, Any]) -> bool:
    """Whether two values of a script that is refused contradict each other, which no schema can say."""
    lengths = {len(script[key]) for key in ("focus_disparity", "blur_strength", "focus_slab") if key in script}
    frames = [keyframe["frame"] for keyframe in script.get("keyframes", ())]
    return len(lengths) > 1 or frames != sorted(set(frames))


def test_what_the_parser_reads_is_valid_and_what_it_refuses_is_not() -> None:
    outcomes = {"read": 0, "refused": 0}
    for name, script in broken().items():
        if is_read(script):
            assert valid(script), name
            outcomes["read"] += 1
        elif valid(script):
            assert beyond_a_schema(script), name
        else:
            outcomes["refused"] += 1
    assert outcomes["read"] > 50
    assert outcomes["refused"] > 600


def test_a_script_may_name_its_schema() -> None:
    named = {"$schema": "focus-script.schema.json"} | json.loads(EXAMPLE)
    assert valid(named)
    assert FocusScript.loads(json.dumps(named)) == FocusScript.loads(EXAMPLE)
    assert "$schema" not in FocusScript.loads(json.dumps(named)).dumps()
    with pytest.raises(InputError, match=r"unknown key 'title'; a focus script knows version, fps, keyframes") as error:
        FocusScript.loads(json.dumps(named | {"title": "x"}))
    assert "$schema" not in str(error.value)


def test_a_keyframe_names_no_schema() -> None:
    script = {"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5, "$schema": "x"}]}
    assert not valid(script)
    assert not is_read(script)


def test_track_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["track", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
