"""The ComfyUI nodes against a stand-in of ComfyUI's documented interface, and against the package itself."""

import inspect
import json
import logging
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from any2bokeh import EstimatedDisparity, FocusScript, InputError, open_estimator, open_source, refocus_frames
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.disparity.reading import DisparityKind, Polarity
from any2bokeh.engines import Device, EngineSettings, Precision, Quality, TransferChoice, make_renderer
from any2bokeh.optics.look import LOOK_SETTINGS, Look
from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.renderers.layered.gpu.choice import LayeredDevice
from any2bokeh.source_blur import SourceLens
from any2bokeh.subject.seed import ClipSeed
from tests import clips
from tests.integrations.comfyui.comfy import STAND_IN, load_nodes, run_node

FRAMES, WIDTH, HEIGHT = 6, 96, 64


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(STAND_IN)
        return load_nodes()


@pytest.fixture
def images() -> torch.Tensor:
    """``(B, H, W, 3)``"""
    pictures = [clips.picture(index, width=WIDTH, height=HEIGHT) for index in range(FRAMES)]
    return torch.from_numpy(np.stack(pictures).astype(np.float32) / 255)


@pytest.fixture
def disparity() -> torch.Tensor:
    """A grey IMAGE: a near square that moves over a far slope."""
    maps = np.stack([clips.depth_map(index, width=WIDTH, height=HEIGHT) for index in range(FRAMES)])
    return torch.from_numpy(np.repeat(maps[..., None].astype(np.float32) / 65535, 3, axis=-1))


def channels_first(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 3, 1, 2).numpy()


def test_four_nodes_stand_in_one_menu(nodes: dict[str, Any]):
    assert set(nodes) == {
        "Any2BokehDisparity",
        "Any2BokehFocusTrack",
        "Any2BokehLayeredRender",
        "Any2BokehDiffusionRender",
    }
    for node in nodes.values():
        schema = node.GET_SCHEMA()
        assert (schema.category, bool(schema.display_name), bool(schema.description)) == ("any2bokeh", True, True)


@pytest.mark.parametrize("name", ["Disparity", "FocusTrack", "LayeredRender", "DiffusionRender"])
def test_execute_takes_what_the_schema_says(nodes: dict[str, Any], name: str):
    node = nodes[f"Any2Bokeh{name}"]
    inputs = node.GET_SCHEMA().inputs
    taken = list(inspect.signature(node.execute).parameters)
    if name == "LayeredRender":
        at = taken.index("highlight_recovery")  # what the look's settings stand before
        taken = [*taken[:at], *LOOK_SETTINGS, *taken[at:-1]]
    assert taken == [each.id for each in inputs]
    for each in inputs:
        default = getattr(each, "default", None)
        if hasattr(each, "options"):
            assert default in each.options
        if hasattr(each, "min"):
            assert each.min <= default <= each.max
            assert each.tooltip


@pytest.mark.parametrize("has_attribute", [False, True], ids=["as in 0.3.64", "as documented"])
def test_layered_render_is_that_of_the_package(
    nodes: dict[str, Any],
    images: torch.Tensor,
    disparity: torch.Tensor,
    monkeypatch: pytest.MonkeyPatch,
    has_attribute: bool,
):
    from comfy_api.latest import ComfyAPI

    focus, script = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=disparity, x=0.25, y=0.5)
    assert not hasattr(ComfyAPI(), "execution")
    if has_attribute:
        monkeypatch.setattr(ComfyAPI, "execution", ComfyAPI.Execution(), raising=False)
        # Where the attribute is there, it is what counts.
        monkeypatch.setattr(ComfyAPI, "Execution", None)
    ComfyAPI.told.clear()
    [made] = run_node(nodes["Any2BokehLayeredRender"], images=images, disparity=disparity, focus=focus)
    expected = refocus_frames(
        channels_first(images),
        channels_first(disparity)[:, :1],
        focus.focus_disparity,
        focus.blur_strength,
    )
    np.testing.assert_array_equal(channels_first(made), expected)
    assert np.abs(expected - channels_first(images)).max() > 0.05
    assert ComfyAPI.told == [(index + 1, FRAMES) for index in range(FRAMES)]
    assert FocusScript.loads(script).dense is not None


def test_point_is_followed_or_held(nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor):
    node = nodes["Any2BokehFocusTrack"]
    for track in (True, False):
        focus, _ = run_node(node, images=images, disparity=disparity, x=0.25, y=0.5, track=track, blur_strength=7.5)
        np.testing.assert_allclose(focus.focus_disparity, 0.9, atol=0.02)  # the square, wherever it moves
        np.testing.assert_array_equal(focus.blur_strength, 7.5)


def test_script_goes_before_the_point_and_comes_back_dense(
    nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor
):
    rack = {
        "version": 1,
        "keyframes": [
            {"frame": 0, "focus_disparity": 0.9},
            {"frame": 5, "focus_disparity": 0.4, "easing": "linear"},
        ],
    }
    node = nodes["Any2BokehFocusTrack"]
    focus, script = run_node(node, images=images, disparity=disparity, script=json.dumps(rack), blur_strength=9)
    np.testing.assert_allclose(focus.focus_disparity, np.linspace(0.9, 0.4, FRAMES))
    again, _ = run_node(node, images=images, disparity=disparity, script=script)
    np.testing.assert_array_equal(again.focus_disparity, focus.focus_disparity)
    np.testing.assert_array_equal(again.blur_strength, focus.blur_strength)


def test_look_changes_the_picture(nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor):
    node = nodes["Any2BokehLayeredRender"]
    script = '{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.9, "blur_strength": 150}]}'
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=disparity, script=script)
    given = {"images": images, "disparity": disparity, "focus": focus}
    [plain] = run_node(node, **given)
    for look in ({"blades": 5}, {"anamorphic_ratio": 2.0}, {"cat_eye": 1.0}, {"spherical": 0.8}, {"transfer": "none"}):
        [made] = run_node(node, **given, **look)
        assert float((made - plain).abs().max()) > 0.01, look
    with pytest.raises(InputError, match="an iris has 3 to 16"):
        run_node(node, **given, blades=2)


def test_lamps_are_left_raised_as_their_rims_show_or_by_a_number(nodes: dict[str, Any], disparity: torch.Tensor):
    """``highlight_recovery`` gives what ``--highlights 0``, ``auto`` and a number give."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    pictures = np.full((2, HEIGHT, WIDTH, 3), 0.2, np.float32)
    for index, picture in enumerate(pictures):
        # A lamp of 4 times white on the dark far slope, clipped, with the rim that an antialiased disc has.
        covered = np.clip(3.5 - np.hypot(rows - 32, columns - 74 - index), 0, 1)[..., None].astype(np.float32)
        picture[:] = np.clip(srgb_encode(0.03 * (1 - covered) + 4 * covered), 0, 1)
    images, maps = torch.from_numpy(pictures), disparity[:2]
    script = '{"version": 1, "keyframes": [{"frame": 0, "focus_disparity": 0.9, "blur_strength": 120}]}'
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=maps, script=script)
    node, given = nodes["Any2BokehLayeredRender"], {"images": images, "disparity": maps, "focus": focus}

    def made(**look: Any) -> np.ndarray:
        return channels_first(run_node(node, **given, **look)[0])

    def expected(highlights: Any) -> np.ndarray:
        renderer = make_renderer(EngineSettings(), Look(highlights=highlights))
        values = focus.focus_disparity, focus.blur_strength
        return refocus_frames(channels_first(images), channels_first(maps)[:, :1], *values, renderer=renderer).clip(
            0, 1
        )

    recorded, automatic, by_hand = expected(0.0), expected("auto"), expected(2.0)
    assert (automatic - recorded).max() > 0.05
    assert np.abs(by_hand - automatic).max() > 0.01
    # The number stands in its field all the while: it counts under gain alone.
    np.testing.assert_array_equal(made(highlight_recovery="off", highlights=2.0), recorded)
    np.testing.assert_array_equal(made(highlight_recovery="auto", highlights=2.0), automatic)
    np.testing.assert_array_equal(made(highlight_recovery="gain", highlights=2.0), by_hand)
    # Workflows from before the choice: without it, the number counts.
    np.testing.assert_array_equal(made(highlights=2.0), by_hand)
    np.testing.assert_array_equal(made(), recorded)


def test_the_choice_of_recovery_leaves_old_workflows_alone(nodes: dict[str, Any]):
    """ComfyUI keeps the values of fields by their place, and asks workflows for every input that is not optional."""
    inputs = nodes["Any2BokehLayeredRender"].GET_SCHEMA().inputs
    came_later = [each for each in inputs if each.optional]
    reading = ["disparity_kind", "disparity_polarity"]
    late = ["highlight_recovery", "edges", "plate", "device", *reading, "source_blur"]
    assert [each.id for each in came_later] == late
    assert came_later == inputs[-len(came_later) :]
    assert (came_later[0].options, came_later[0].default) == (["off", "auto", "gain"], "gain")
    for name, later in (("FocusTrack", reading), ("DiffusionRender", ["edges", *reading, "source_blur"])):
        inputs = nodes[f"Any2Bokeh{name}"].GET_SCHEMA().inputs
        assert [each.id for each in inputs if each.optional] == [each.id for each in inputs[-len(later) :]] == later
    inputs = nodes["Any2BokehLayeredRender"].GET_SCHEMA().inputs
    number = next(each for each in inputs if each.id == "highlights")
    assert "or auto" not in number.tooltip


def test_disparity_is_that_of_the_package(
    nodes: dict[str, Any], images: torch.Tensor, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING, "any2bokeh"):
        [made] = run_node(nodes["Any2BokehDisparity"], images=images, model="rough", subject_x=0.25)
    assert "rough estimate" in caplog.text
    assert torch.equal(made[..., 0], made[..., 1])
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(FRAMES):
        clips._write(folder / f"{index}.png", clips.picture(index, width=WIDTH, height=HEIGHT)[..., ::-1].copy())
    with open_source(folder) as source:
        expected = EstimatedDisparity(source, open_estimator("rough", seed=ClipSeed(point=(0.25, 0.5))))
        for index, known in enumerate(expected.frames()):
            # The package rounds its maps to 16 bits three times, and the ends of their scale; here nothing is rounded.
            # Worst seen: 2.1 codes, in one pixel of 37 000 (the median is 0.4).
            np.testing.assert_allclose(made[index, :, :, 0].numpy(), known[0], rtol=0, atol=2.5 / 65535)


@pytest.mark.slow
def test_diffusion_render_runs_a_checkpoint(
    nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor, tmp_path: Path
):
    from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline
    from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer

    folder = tmp_path / "tiny"
    tiny_pipeline(3).save_pretrained(folder)
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=disparity, x=0.25, y=0.5)
    given = {"images": images, "disparity": disparity, "focus": focus}
    [made] = run_node(nodes["Any2BokehDiffusionRender"], **given, model=str(folder), device="cpu")
    expected = refocus_frames(
        channels_first(images),
        channels_first(disparity)[:, :1],
        focus.focus_disparity,
        focus.blur_strength,
        renderer=DiffusionRenderer.load(folder, device="cpu"),
    )
    np.testing.assert_allclose(channels_first(made), np.clip(expected, 0, 1), atol=1e-5)


@pytest.mark.slow
def test_diffusion_render_without_a_folder_takes_the_compact_model(
    nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor
):
    given = {"images": images[:2], "disparity": disparity[:2]}
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], **given, x=0.25, y=0.5)
    [made] = run_node(nodes["Any2BokehDiffusionRender"], **given, focus=focus, device="cpu", processing_size=128)
    settings = EngineSettings("diffusion", "cpu", processing_size=128)
    expected = refocus_frames(
        channels_first(given["images"]),
        channels_first(given["disparity"])[:, :1],
        focus.focus_disparity,
        focus.blur_strength,
        renderer=make_renderer(settings, Look()),
    )
    np.testing.assert_allclose(channels_first(made), np.clip(expected, 0, 1), atol=1e-5)
    assert np.abs(channels_first(made) - channels_first(given["images"])).max() > 0.01


def test_choices_are_those_of_the_package(nodes: dict[str, Any]):
    offered = {
        (name, each.id): each.options
        for name, node in nodes.items()
        for each in node.GET_SCHEMA().inputs
        if hasattr(each, "options")
    }
    for (_, field), declared in {
        ("", "disparity_kind"): DisparityKind,
        ("", "disparity_polarity"): Polarity,
        ("", "edges"): EdgeTreatment,
        ("", "plate"): PlateChoice,
        ("", "quality"): Quality,
        ("", "transfer"): TransferChoice,
        ("", "dtype"): Precision,
    }.items():
        found = [options for (_, name), options in offered.items() if name == field]
        assert found
        assert all(options == list(get_args(declared)) for options in found), field
    assert offered["Any2BokehLayeredRender", "device"] == list(get_args(LayeredDevice))
    assert offered["Any2BokehDiffusionRender", "device"] == list(get_args(Device))


def test_depth_and_black_near_are_read_as_files_are(
    nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor
):
    """Disparity d as 1 - d, and as a depth 0.1 / d, gives what d gives."""
    node = nodes["Any2BokehFocusTrack"]
    depth = 0.1 / disparity * 0.9 / disparity.max()
    assert float(depth.max()) <= 1
    known, _ = run_node(node, images=images, disparity=disparity, x=0.8, y=0.9, track=False)
    turned, _ = run_node(
        node, images=images, disparity=1 - disparity, x=0.8, y=0.9, track=False, disparity_polarity="near-black"
    )
    np.testing.assert_allclose(turned.focus_disparity, known.focus_disparity, atol=1e-6)
    for kind in ("depth", "depth-mm"):
        given = {"images": images, "disparity": depth, "disparity_kind": kind}
        found, _ = run_node(node, **given, x=0.8, y=0.9, track=False)
        # The nearest of the clip becomes 1.
        np.testing.assert_allclose(found.focus_disparity, known.focus_disparity / float(disparity.max()), rtol=1e-4)
        [made] = run_node(nodes["Any2BokehLayeredRender"], **given, focus=found)
        scaled = disparity / disparity.max()
        [expected] = run_node(nodes["Any2BokehLayeredRender"], images=images, disparity=scaled, focus=found)
        # Worst seen: 6e-6, of the rounding of 1/(1/d).
        np.testing.assert_allclose(made.numpy(), expected.numpy(), atol=1e-4)
    with pytest.raises(InputError, match="contradict each other"):
        run_node(node, images=images, disparity=depth, disparity_kind="depth", disparity_polarity="near-black")
    with pytest.raises(InputError, match="picture 0 has no depth"):
        run_node(node, images=images, disparity=torch.zeros_like(depth), disparity_kind="depth")


def test_edges_and_plate_are_those_of_the_package(nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor):
    soft = torch.nn.functional.avg_pool2d(disparity.permute(0, 3, 1, 2), 5, 1, 2).permute(0, 2, 3, 1)
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=soft, x=0.25, y=0.5, blur_strength=150)
    seen = []
    choices: list[tuple[EdgeTreatment, PlateChoice]] = [("auto", "auto"), ("off", "auto"), ("off", "off")]
    for edges, plate in choices:
        given = {"images": images, "disparity": soft, "focus": focus, "edges": edges, "plate": plate}
        [made] = run_node(nodes["Any2BokehLayeredRender"], **given, device="cpu")
        expected = refocus_frames(
            channels_first(images),
            channels_first(soft)[:, :1],
            focus.focus_disparity,
            focus.blur_strength,
            edges=edges,
            plate=plate,
        )
        np.testing.assert_array_equal(channels_first(made), expected.clip(0, 1))
        seen.append(made)
    assert float((seen[0] - seen[1]).abs().max()) > 0.01
    assert float((seen[1] - seen[2]).abs().max()) > 0.01


def test_source_blur_is_that_of_the_package(
    nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor, caplog: pytest.LogCaptureFixture
):
    given: dict[str, Any] = {"images": images[:1], "disparity": disparity[:1]}
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], **given, x=0.25, y=0.5, blur_strength=150)

    def made(source_blur: str) -> np.ndarray:
        node = nodes["Any2BokehLayeredRender"]
        return channels_first(run_node(node, **given, focus=focus, device="cpu", source_blur=source_blur)[0])

    expected = refocus_frames(
        channels_first(given["images"]),
        channels_first(given["disparity"])[:, :1],
        focus.focus_disparity,
        focus.blur_strength,
        source_blur=SourceLens(120, 0.9),
    )
    np.testing.assert_array_equal(made("120, 0.9"), expected.clip(0, 1))
    assert np.abs(made("off") - expected).max() > 0.1
    with caplog.at_level(logging.WARNING, "any2bokeh"):
        np.testing.assert_array_equal(made("auto"), made("off"))
    assert "the source looks sharp" in caplog.text
    with pytest.raises(InputError, match="source_blur is /etc; give off, auto"):
        made("/etc")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"disparity": lambda images, maps: maps[:-1]}, "disparity has 5 pictures but the clip has 6"),
        ({"disparity": lambda images, maps: images}, "disparity is in colour"),
        ({"disparity": lambda images, maps: maps[:, :, :48]}, "aspect"),
        ({"images": lambda images, maps: images[..., :1]}, r"connect an IMAGE batch"),
        ({"images": lambda images, maps: images.index_fill(1, torch.tensor([3]), torch.nan)}, "values that are NaN"),
        ({"disparity": lambda images, maps: maps.index_fill(1, torch.tensor([3]), torch.nan)}, "values that are NaN"),
        ({"frame": lambda images, maps: 6}, "lies past the clip's end"),
        ({"script": lambda images, maps: "{"}, "JSON"),
        (
            {"script": lambda images, maps: '{"version": 1, "keyframes": [{"frame": 0, "mask": "masks"}]}'},
            "names the mask masks, which is not read here",
        ),
    ],
    ids=["count", "colour", "aspect", "channels", "no number", "no disparity", "frame", "json", "mask"],
)
def test_bad_input_is_one_line(
    nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor, change: dict[str, Any], said: str
):
    given = {"images": images, "disparity": disparity} | {
        name: made(images, disparity) for name, made in change.items()
    }
    with pytest.raises(InputError, match=said) as refused:
        run_node(nodes["Any2BokehFocusTrack"], **given)
    assert len(str(refused.value).splitlines()) == 1


def test_focus_of_another_clip_is_refused(nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor):
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=disparity)
    with pytest.raises(InputError, match="focus has 6 frames but the clip has 4"):
        run_node(nodes["Any2BokehLayeredRender"], images=images[:4], disparity=disparity[:4], focus=focus)


def test_alpha_is_left_out(nodes: dict[str, Any], images: torch.Tensor, disparity: torch.Tensor):
    focus, _ = run_node(nodes["Any2BokehFocusTrack"], images=images, disparity=disparity)
    with_alpha = torch.cat([images, torch.zeros_like(images[..., :1])], dim=-1)
    made = [
        run_node(nodes["Any2BokehLayeredRender"], images=each, disparity=disparity, focus=focus)[0]
        for each in (images, with_alpha)
    ]
    assert torch.equal(*made)
