"""What is left behind, made of known scores."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from any2bokeh.evaluation.chart import line_chart
from any2bokeh.evaluation.clips import EvaluationClip
from any2bokeh.evaluation.report import ReportFolder, as_json, as_markdown, charts
from any2bokeh.evaluation.runner import ClipScores, Evaluation, Sample
from any2bokeh.evaluation.strip import strip
from any2bokeh.evaluation.summary import by_condition, conditions, control, means
from tests.evaluation.pictures import HEIGHT, WIDTH, picture

_SVG = "{http://www.w3.org/2000/svg}"


def clip(name: str, **conditions_: float | str) -> EvaluationClip:
    return EvaluationClip(name, name[0], 2, WIDTH, HEIGHT, lambda: iter(()), "srgb", conditions_)


@pytest.fixture
def evaluation() -> Evaluation:
    """Scene a at three K with blur that obeys; scene b at another focus."""
    clips = [clip("a4", K=4.0), clip("a8", K=8.0), clip("a16", K=16.0), clip("b8", K=8.0)]
    blur = {"a4": 0.5, "a8": 1.0, "a16": 2.0, "b8": 0.3}
    scores = {
        name: {
            one.name: ClipScores(
                {"psnr_db": 30.0 + gain + number, "blur_px": blur[one.name], "blur_expected_px": blur[one.name]},
                [30.0, 31.0],
                0.1,
            )
            for number, one in enumerate(clips)
        }
        for name, gain in (("one", 0), ("two", 5))
    }
    return Evaluation(
        clips,
        {"a4": 4.0, "a8": 8.0, "a16": 16.0, "b8": 8.0},
        {"a4": 0.5, "a8": 0.5, "a16": 0.5, "b8": 0.1},
        scores,
        {"one": {"fvd": 7.0}, "two": {"fvd": 8.0}},
        {"epe_px": "DIS"},
        {"lpips": "needs weights"},
        12.3,
    )


def test_means_are_over_clips(evaluation):
    assert means(evaluation, "two") == {"psnr_db": 36.5, "fvd": 8.0}
    assert means(evaluation, "two", evaluation.clips[:2]) == {"psnr_db": 35.5}


def test_clips_are_grouped_by_condition(evaluation):
    assert conditions(evaluation) == ["K"]
    groups = {value: [one.name for one in clips] for value, clips in by_condition(evaluation, "K").items()}
    assert groups == {4.0: ["a4"], 8.0: ["a8", "b8"], 16.0: ["a16"]}


def test_control_compares_clips_of_one_scene(evaluation):
    found = control(evaluation, "one")
    assert found["k_blur_correlation"] == pytest.approx(1)  # with b8 among them it would be less
    assert found["radius_correlation"] == pytest.approx(1)
    assert "focus_error" not in found
    for name, measured in (("a4", 0.4), ("a8", 0.5), ("a16", 0.5)):
        evaluation.scores["one"][name].values["focus_measured"] = measured
    assert "focus_error" not in control(evaluation, "one")  # one focus, whatever was measured


def test_focus_error_is_of_clips_with_different_focus(evaluation):
    for number, one in enumerate(evaluation.clips):
        evaluation.focus_disparity[one.name] = 0.2 * number
        evaluation.scores["one"][one.name].values["focus_measured"] = 0.2 * number + 0.05
    found = control(evaluation, "one")
    assert found["focus_error"] == pytest.approx(0.05)
    assert found["focus_correlation"] == pytest.approx(1)


def test_json_says_everything(evaluation):
    result = json.loads(json.dumps(as_json(evaluation, suite="control")))
    assert (result["format"], result["version"], result["suite"], result["frames"]) == (
        "any2bokeh-evaluation", 2, "control", 8,
    )  # fmt: skip
    assert result["methods"]["two"]["mean"]["psnr_db"] == 36.5
    assert result["methods"]["two"]["by"]["K"]["8.0"]["psnr_db"] == 37.0
    assert result["methods"]["one"]["clips"]["a4"]["psnr_frames_db"] == [30.0, 31.0]
    assert result["clips"][2]["blur_strength"] == 16
    assert result["absent"] == {"lpips": "needs weights"}


def test_table_has_a_row_for_each_method_and_only_columns_that_were_measured(evaluation):
    text = as_markdown(evaluation)
    lines = text.splitlines()
    head = next(line for line in lines if "PSNR dB ↑" in line)
    assert head == "|  | PSNR dB ↑ | FVD ↓ | K-blur corr. ↑ | radius corr. ↑ |"
    assert "| two | 36.50 | 8.00 | 1.0000 | 1.0000 |" in lines
    assert "| two | 35.00 | 37.00 | 37.00 |" in lines
    assert "| b8 | 33.00 | 38.00 |" in lines
    assert "Absent: lpips needs weights." in text


def test_exact_and_degraded_disparity_stand_side_by_side_for_each_treatment_of_edges():
    ways = {"exact": (40.0, 0.0), "soft1": (30.0, 0.1), "model": (34.0, 0.3)}
    clips = [clip(f"a_{way}_{edges}", disparity=way, edges=edges) for way in ways for edges in ("off", "auto")]
    scores = {}
    for one in clips:
        psnr_db, glow = ways[str(one.conditions["disparity"])]
        gain = 2.0 if one.conditions["edges"] == "auto" else 0.0
        scores[one.name] = ClipScores({"psnr_db": psnr_db + gain, "glow": glow}, [psnr_db], 0.1)
    alike = {one.name: 16.0 for one in clips}
    lines = as_markdown(Evaluation(clips, alike, alike, {"one": scores}, {}, {}, {}, 1.0)).splitlines()
    assert "|  | PSNR dB | edge PSNR dB | temporal | flicker at edges | glow |" in lines
    assert "| one, edges off | 40.00 / 32.00 |  /  |  /  |  /  | 0.0000 / 0.2000 |" in lines
    assert "| one, edges auto | 42.00 / 34.00 |  /  |  /  |  /  | 0.0000 / 0.2000 |" in lines
    # PSNR by disparity, a row for each treatment
    assert "| one, edges auto | 42.00 | 32.00 | 36.00 |" in lines


def test_edges_and_plates_that_differ_have_a_row_each():
    kinds = [(edges, plate) for edges in ("off", "auto") for plate in ("off", "auto")]
    clips = [
        clip(f"a_{way}_{edges}_{plate}", disparity=way, edges=edges, plate=plate)
        for way in ("exact", "soft1")
        for edges, plate in kinds
    ]
    scores = {one.name: ClipScores({"psnr_db": 30.0 + at}, [30.0], 0.1) for at, one in enumerate(clips)}
    alike = {one.name: 16.0 for one in clips}
    lines = as_markdown(Evaluation(clips, alike, alike, {"one": scores}, {}, {}, {}, 1.0)).splitlines()
    for at, (edges, plate) in enumerate(kinds):
        assert f"| one, edges {edges}, plate {plate} | {30 + at}.00 / {34 + at}.00 |  /  |  /  |  /  |  /  |" in lines
    assert not any(line.startswith(("## PSNR dB by edges", "## PSNR dB by plate")) for line in lines)


def test_curves_show_every_method(evaluation):
    found = charts(evaluation)
    assert set(found) == {"psnr_frames.svg", "psnr_K.svg", "blur.svg"}
    for document in found.values():
        root = ElementTree.fromstring(document)
        assert len(root.findall(f"{_SVG}polyline")) == 2
    words = [text.text for text in ElementTree.fromstring(found["psnr_K.svg"]).iter(f"{_SVG}text")]
    assert {"one", "two", "PSNR dB", "K"} <= set(words)


def test_chart_puts_higher_values_higher_and_later_ones_to_the_right():
    document = line_chart("a < b", {"x": [(1, 10), (2, 30), (4, 20)]}, x_label="t", y_label="v")
    line = ElementTree.fromstring(document).find(f"{_SVG}polyline")
    assert line is not None
    xs, ys = zip(*(map(float, point.split(",")) for point in line.attrib["points"].split()), strict=True)
    assert ys[1] < ys[2] < ys[0]
    assert xs[2] - xs[1] == pytest.approx(2 * (xs[1] - xs[0]), abs=0.2)


@pytest.mark.parametrize("points", [[], [(1, 5.0)], [(1, 0.0), (2, 0.0)]])
def test_chart_of_little_is_still_a_chart(points):
    root = ElementTree.fromstring(line_chart("t", {"x": points}, x_label="x", y_label="y"))
    assert root.tag == f"{_SVG}svg"
    assert "t" in [text.text for text in root.iter(f"{_SVG}text")]


def test_strip_shows_the_error_below():
    truth = picture(0)
    wrong = np.clip(truth - np.float32(0.1), 0, 1)
    one = strip(Sample(clip("a"), 0, picture(1), truth, {"source": picture(1), "wrong": wrong}))
    label = one.shape[1] - 2 * HEIGHT
    assert one.shape == (3, label + 2 * HEIGHT, 3 * WIDTH)
    np.testing.assert_array_equal(one[:, label : label + HEIGHT, :WIDTH], truth.transpose(2, 0, 1))
    assert one[:, label + HEIGHT :, :WIDTH].max() == 0
    error = np.clip(4 * np.abs(wrong - truth), 0, 1).transpose(2, 0, 1)
    np.testing.assert_allclose(one[:, label + HEIGHT :, 2 * WIDTH :], error, atol=1e-6)
    assert one[:, :label].max() > 0.5


def test_folder_holds_scores_table_curves_and_strips(evaluation, tmp_path):
    folder = ReportFolder(tmp_path, suite="control")
    folder.show(Sample(clip("scene/a"), 1, picture(1), picture(0), {"one": picture(0)}))
    result = folder.write(evaluation)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"strip_scene_a.png", "evaluation.json", "table.md", "psnr_frames.svg", "psnr_K.svg", "blur.svg"}
    assert json.loads((tmp_path / "evaluation.json").read_text()) == result
