"""The focus script's file."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from any2bokeh import json_file
from any2bokeh.errors import InputError
from any2bokeh.focus import (
    BoxTarget,
    DisparityTarget,
    FocusScript,
    Keyframe,
    MaskTarget,
    PointTarget,
)

EXAMPLE = """{"version": 1, "fps": 24, "keyframes": [
  {"frame": 0,  "focus_disparity": 0.82, "blur_strength": 16},
  {"frame": 40, "point": [0.31, 0.45], "blur_strength": 24, "easing": "smooth", "transition_s": 0.8}]}"""

unit = st.floats(0, 1)
spans = st.tuples(unit, unit).filter(lambda ends: ends[0] != ends[1]).map(sorted)
boxes = st.builds(lambda s, t, track: BoxTarget(s[0], t[0], s[1], t[1], track), spans, spans, st.booleans())
paths = st.text(min_size=1).filter(lambda text: "\0" not in text)
targets = st.one_of(
    st.builds(DisparityTarget, unit),
    st.builds(PointTarget, unit, unit, st.booleans()),
    boxes,
    st.builds(MaskTarget, paths),
)
strengths = st.one_of(st.integers(0, 100), st.floats(0, 1e6))
frames = st.sets(st.integers(0, 10**6), min_size=1, max_size=5).map(sorted)


@st.composite
def keyframe_scripts(draw: st.DrawFn) -> FocusScript:
    def keyframe(frame: int) -> Keyframe:
        return Keyframe(
            frame,
            draw(targets),
            draw(st.none() | strengths),
            draw(st.sampled_from(["hold", "linear", "smooth"])),
            draw(st.none() | st.floats(0, 100)),
            draw(st.sampled_from(["weak", "strong"])),
            draw(st.booleans()),
        )

    keyframes = [keyframe(frame) for frame in draw(frames)]
    keyframes.append(Keyframe(keyframes[-1].frame + 1, blur_strength=draw(strengths)))
    return FocusScript(tuple(keyframes), fps=draw(st.none() | st.floats(1, 240)))


dense_scripts = st.tuples(st.lists(st.tuples(unit, strengths, unit), min_size=1, max_size=9), st.booleans()).map(
    lambda given: FocusScript.from_dense(*list(zip(*given[0], strict=True))[: 2 + given[1]])
)


@given(st.one_of(keyframe_scripts(), dense_scripts))
def test_a_written_script_reads_back_equal(script: FocusScript) -> None:
    text = script.dumps()
    assert FocusScript.loads(text) == script
    assert json.loads(text)["version"] == 1


def test_the_example_of_the_design() -> None:
    assert FocusScript.loads(EXAMPLE) == FocusScript(
        (
            Keyframe(0, DisparityTarget(0.82), 16),
            Keyframe(40, PointTarget(0.31, 0.45), 24, easing="smooth", transition_s=0.8),
        ),
        fps=24,
    )


def test_a_point_of_an_old_file_is_held_as_before() -> None:
    [keyframe] = FocusScript.loads('{"version": 1, "keyframes": [{"frame": 0, "point": [0.1, 0.2]}]}').keyframes
    assert keyframe.target == PointTarget(0.1, 0.2, track=False)
    assert "track" not in FocusScript.at_point(0.1, 0.2, 16).dumps()


def test_a_file_reads_back_equal_and_knows_its_folder(tmp_path: Path) -> None:
    script = FocusScript.on_mask("masken/Tänzer", 12)
    script.save(tmp_path / "rack.json")
    loaded = FocusScript.load(tmp_path / "rack.json")
    assert loaded == script
    assert loaded.root == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["rack.json"]


def test_saving_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "rack.json"
    FocusScript.constant(0.1, 1).save(path)
    FocusScript.constant(0.2, 2).save(path)
    assert FocusScript.load(path) == FocusScript.constant(0.2, 2)


def test_a_script_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "nowhere" / "rack.json", tmp_path / "taken"):
        with pytest.raises(InputError, match="cannot write focus script"):
            FocusScript.constant(0.1, 1).save(path)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(EXAMPLE, encoding="utf-8-sig")
    assert FocusScript.load(tmp_path / "s.json") == FocusScript.loads(EXAMPLE)


def keyframed(**keyframe: object) -> str:
    return json.dumps({"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.5}, {"frame": 7, **keyframe}]})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"malformed JSON at line 1, column 1"),
        ('{"version": 1,\n "keyframes": [}', r"malformed JSON at line 2, column 16"),
        ("[1, 2]", r"focus script: it is \[1, 2\]; it must be an object"),
        ("null", r"must be an object"),
        ("{}", r"version is missing"),
        ('{"version": 2, "keyframes": []}', r"version is 2; this release reads version 1"),
        ('{"version": true, "keyframes": []}', r"version is True"),
        ('{"version": 1}', r"it has neither keyframes nor focus_disparity"),
        ('{"version": 1, "keyframes": []}', r"give a list of at least one keyframe"),
        ('{"version": 1, "keyframes": {"frame": 0}}', r"give a list of at least one keyframe"),
        ('{"version": 1, "keyframes": [3]}', r"keyframes\[0\]: it is 3; a keyframe is an object"),
        ('{"version": 1, "frames": []}', r"unknown key 'frames'; a focus script knows version, fps, keyframes"),
        ('{"version": 1, "keyframes": [], "title": "x"}', r"unknown key 'title'; a focus script knows"),
        ('{"version": 1, "keyframes": [], "focus_disparity": [0.5]}', r"it has both keyframes and focus_disparity"),
        ('{"version": 1, "focus_disparity": [0.5]}', r"blur_strength is None; without keyframes it must be a list"),
        ('{"version": 1, "version": 1}', r"key 'version' is given twice"),
        ('{"version": 1, "fps": null, "keyframes": [{"frame": 0, "focus_disparity": 0.5}]}', r"fps is null"),
        ('{"version": 1, "fps": 0, "keyframes": [{"frame": 0, "focus_disparity": 0.5}]}', r"fps is 0; allowed"),
        ('{"version": 1, "fps": NaN}', r"NaN is not a number that JSON knows"),
        ('{"version": 1, "fps": -Infinity}', r"-Infinity is not a number"),
        ('{"version": 1, "focus_disparity": [1e999], "blur_strength": [1]}', r"focus_disparity\[0\] is inf"),
        (
            '{"version": 1, "focus_disparity": [0.1, 0.2], "blur_strength": [1]}',
            r"has 2 values but blur_strength has 1",
        ),
        ('{"version": 1, "focus_disparity": 0.1, "blur_strength": [1]}', r"focus_disparity is 0\.1; without keyframes"),
        ("[" * 100_000, r"nested too deeply"),
        ('{"version": ' + "9" * 5000 + "}", r"malformed"),
        (keyframed(point=[0.1, 0.2], box=[0, 0, 1, 1]), r"keyframes\[1\]: it has point and box; give one target"),
        (keyframed(), r"keyframes\[1\]: it has no focus_disparity, point, box or mask, and no blur_strength"),
        (keyframed(point=[0.1, 1.2]), r"keyframes\[1\]: point y is 1\.2; allowed is a number from 0 to 1"),
        (keyframed(point=[0.1]), r"point is \[0\.1\]; give \[x, y\]"),
        (keyframed(point={"x": 1}), r"give \[x, y\]"),
        (keyframed(box=[0.1, 0.2, 0.3]), r"give \[x0, y0, x1, y1\]"),
        (keyframed(box=[0.5, 0, 0.1, 1]), r"x0 must be less than x1"),
        (keyframed(point=[0.1, 0.2], track="yes"), r"keyframes\[1\]: track is 'yes'; allowed is true or false"),
        (keyframed(box=[0, 0, 1, 1], track=1), r"track is 1; allowed is true or false"),
        (keyframed(mask="m", track=True), r"it has track without a point or box"),
        (keyframed(blur_strength=3, track=False), r"it has track without a point or box"),
        (keyframed(mask=3), r"mask is 3; give the path"),
        (keyframed(focus_disparity=-0.1), r"keyframes\[1\]: focus_disparity is -0\.1"),
        (keyframed(focus_disparity="0.5"), r"focus_disparity is '0\.5'"),
        (keyframed(focus_disparity=0.5, blur=3), r"keyframes\[1\]: unknown key 'blur'; a keyframe knows frame, "),
        (keyframed(focus_disparity=0.5, blur_strength=None), r"blur_strength is null"),
        (keyframed(focus_disparity=0.5, blur_strength=-3), r"blur_strength is -3; allowed"),
        (keyframed(focus_disparity=0.5, easing="bounce"), r"easing is 'bounce'; allowed is hold, linear or smooth"),
        (keyframed(focus_disparity=0.5, cut="yes"), r"cut is 'yes'"),
        (keyframed(focus_disparity=0.5, strength=1), r"strength is 1; allowed is weak or strong"),
        (keyframed(focus_disparity=0.5).replace('"frame": 7', '"frame": 0'), r"keyframe at frame 0 follows"),
        (keyframed(focus_disparity=0.5).replace('"frame": 7, ', ""), r"frame is missing"),
        (keyframed(focus_disparity=0.5).replace('"frame": 7', '"frame": 7.5'), r"frame is 7\.5; allowed is a whole"),
        (keyframed(focus_disparity=0.5).replace('"frame": 7', '"frame": 1e400'), r"frame is inf"),
    ],
)
def test_what_is_refused_and_how(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refused:
        FocusScript.loads(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    for document in (value, {"version": 1, "keyframes": value}, {"version": 1, "keyframes": [value]}):
        with pytest.raises(InputError):
            FocusScript.loads(json.dumps(document))


def test_messages_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "rack.json").write_text(keyframed(point=[2, 0]))
    with pytest.raises(InputError, match=r"^focus script .*rack\.json: keyframes\[1\]: point x is 2"):
        FocusScript.load(tmp_path / "rack.json")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(InputError, match="cannot read focus script"):
            FocusScript.load(path)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError, match="not UTF-8"):
        FocusScript.load(tmp_path / "binary.json")


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MAX_BYTES", 1024)
    (tmp_path / "fits.json").write_text(EXAMPLE.ljust(1024))
    FocusScript.load(tmp_path / "fits.json")
    (tmp_path / "huge.json").write_text(EXAMPLE.ljust(1025))
    with pytest.raises(InputError, match="is larger than"):
        FocusScript.load(tmp_path / "huge.json")


def test_the_examples_of_the_page_are_scripts() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "focus-script.md").read_text(encoding="utf-8")
    examples = [block.split("```")[0] for block in page.split("```json\n")[1:]]
    keyframed_example, dense_example = map(FocusScript.loads, examples)
    assert keyframed_example == FocusScript.loads(EXAMPLE)
    assert dense_example == FocusScript.from_dense([0.82, 0.81, 0.80], [16, 16, 16])
