"""The choice of how edges of disparity are treated: on the page, in projects and in renders."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.app.commands import command_of
from any2bokeh.app.controls import controls
from any2bokeh.app.final_frame import FinalFrames
from any2bokeh.app.final_region import Region
from any2bokeh.app.picture import encoded
from any2bokeh.app.session import Session
from any2bokeh.app.user_message import user_message
from any2bokeh.cli.main import run
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.disparity.edges.learned import EdgeModel
from any2bokeh.engines import EngineSettings
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.video import open_source
from tests.app.conftest import (
    FAR_POINT,
    NEAR_POINT,
    Received,
    decoded_jpeg,
    disparity_of,
    ready,
    wait_for,
    write_disparity_video,
    write_video,
)
from tests.app.live.test_message import opened
from tests.app.test_session import rendered

FRAME = 3


def soft(index: int) -> NDArray[np.float64]:
    """The disparity of a frame with edges as wide as those of a depth model."""
    return cv2.GaussianBlur(disparity_of(index), (0, 0), 2).astype(np.float64)


@pytest.fixture
def spoilt(session: Session, received: Received, tmp_path: Path) -> tuple[Path, Path]:
    """Clip and soft disparity, which the session has opened, with the far square in focus."""
    clip = write_video(tmp_path / "clip.mp4", frames=6)
    maps = write_disparity_video(tmp_path / "maps.mkv", frames=6, disparity=soft)
    session.open_video(received(clip), clip.name)
    session.give_disparity(received(maps), maps.name)
    session.opened().blur(60)
    session.opened().focus(0, *FAR_POINT, is_locked=True)
    ready(session)
    return clip, maps


def choose(session: Session, treatment: str) -> None:
    session.run(command_of({"do": "edges", "treatment": treatment}))


def followed(session: Session) -> FocusScript:
    """The focus of every frame as the page knows it."""
    project = session.opened()
    assert project.now.script is not None
    found = project.follower.found(project.now.script)
    assert found is not None
    return found


def shown(session: Session, view: str = "result") -> bytes:
    made = session.picture(FRAME, view)
    assert not made.is_provisional
    return made.jpeg


def test_drafts_are_of_the_choice(session: Session, spoilt: tuple[Path, Path]):
    project = session.opened()
    drafts: dict[EdgeTreatment, bytes] = {"auto": shown(session)}
    live = {session.picture(FRAME, "result").live, session.live_frame(FRAME)[1]}
    session.run(command_of({"do": "play", "frame": FRAME}))
    wait_for(lambda: project.draft(FRAME) is not None, project.playback.snapshot)
    session.run(command_of({"do": "stop"}))
    choose(session, "off")
    assert project.draft(FRAME) is None  # that one was made with another choice
    drafts["off"] = shown(session)
    assert session.snapshot()["clip"]["edges"] == "off"  # pyright: ignore[reportOptionalSubscript]
    assert shown(session, "last") == drafts["auto"]
    band = decoded_jpeg(shown(session, "edges"))
    assert (band.max(axis=2) - band.min(axis=2)).max() < 4  # grey within JPEG: nothing is treated
    live |= {session.picture(FRAME, "result").live, session.live_frame(FRAME)[1]}
    assert len(live) == 2  # the browser is given another frame

    for edges, draft in drafts.items():
        errors = {}
        for other in drafts:
            draws = EngineSettings(render_quality="draft")
            recipe = Recipe(followed(session), spoilt[1], edges=other, plate="off", engine=draws)
            with open_source(spoilt[0]) as clip:
                pixels = preview(clip, FRAME, recipe).pixels
            errors[other] = np.abs(decoded_jpeg(draft) - decoded_jpeg(encoded(pixels))).mean()
        other = "off" if edges == "auto" else "auto"
        assert errors[edges] < 0.3 * errors[other], errors  # the page rounds pictures to 11 bits before JPEG

    session.run(command_of({"do": "undo"}))
    assert shown(session) == drafts["auto"]
    session.run(command_of({"do": "redo"}))
    assert (project.now.edges, shown(session)) == ("off", drafts["off"])


def test_what_the_page_plays_is_of_the_choice(session: Session, spoilt: tuple[Path, Path]):
    project = session.opened()
    treated = project.playback.proxy.path.parent / "treated"
    maps: dict[EdgeTreatment, NDArray[np.float32]] = {}
    for edges in ("auto", "classical", "off"):
        choose(session, edges)
        said, arrays = opened(session.live_disparity(range(FRAME, FRAME + 2)))
        maps[edges] = arrays["disparity"][0]
        recipe = Recipe(followed(session), spoilt[1], edges=edges, plate="off")
        with open_source(spoilt[0]) as clip:
            given = preview(clip, FRAME, recipe).given
        # The page has pictures of 11 bits: seen 0.2 % of the pixels on the other side of an edge.
        assert (np.abs(maps[edges] - given.disparity[0]) < 0.6 / 255).mean() > 0.99
        mixed, count = given.mixed_pixels(), said["frames"][0]["mixed"]
        assert (count > 0) == (mixed is not None) == (edges != "off")
        if mixed is not None:
            known = np.isin(arrays["mixed_at"][:count], mixed.at)
            assert known.mean() > 0.95
            assert count > 0.95 * len(mixed.at)
    assert (np.abs(maps["auto"] - maps["off"]) > 0.1).mean() > 0.02
    assert len(list(treated.iterdir())) == 4  # two frames of two choices; what is left as it is needs no place

    choose(session, "auto")
    project.blur(20)
    ready(session)
    said, arrays = opened(session.live_disparity(range(FRAME, FRAME + 1)))
    assert said["frames"][0]["blur_strength"] == 20
    np.testing.assert_array_equal(arrays["disparity"][0], maps["auto"])
    project.focus(0, *NEAR_POINT, is_locked=True)
    ready(session)
    focus = opened(session.live_disparity(range(FRAME, FRAME + 1)))[0]["frames"][0]["focus_disparity"]
    assert focus > 0.8 > said["frames"][0]["focus_disparity"]
    assert len(list(treated.iterdir())) == 4  # focus and blur have no part in edges
    stroke = {"frame": 0, "tool": "nearer", "points": [[0.5, 0.2]], "radius": 0.1, "strength": 1}
    session.run(command_of({"do": "paint", **stroke}))
    ready(session)
    session.live_disparity(range(FRAME, FRAME + 1))
    assert len(list(treated.iterdir())) == 5  # a stroke has


def test_a_close_look_and_the_render_are_of_the_choice(session: Session, spoilt: tuple[Path, Path], tmp_path: Path):
    clip, maps = spoilt
    project = session.opened()
    finals = FinalFrames(project.source, project.depth, project.follower)
    everywhere = Region(0, 0, 1, 1)
    soon, treated = finals.first(FRAME, everywhere, *project.now.seen)[0], finals.at(FRAME, *project.now.seen)
    choose(session, "off")
    assert (finals.first(FRAME, everywhere, *project.now.seen)[0] != soon).any()
    mine = finals.at(FRAME, *project.now.seen)
    assert (mine != treated).any()
    recipe = Recipe(followed(session), maps, edges="off")
    with open_source(clip) as source:
        np.testing.assert_array_equal(mine, preview(source, FRAME, recipe).pixels)

    assert "--edges off" in session.snapshot()["command"]
    session.render()
    text, name = session.project_text()
    assert json.loads(text)["recipe"]["edges"] == "off"
    (tmp_path / name).write_text(text)
    given = [str(clip), "--project", str(tmp_path / name), "--disparity", str(maps), "-o", str(tmp_path / "out.mp4")]
    assert run(["refocus", *given, "--quiet"]) == 0
    assert rendered(session).read_bytes() == (tmp_path / "out.mp4").read_bytes()
    choose(session, "auto")
    assert not session.snapshot()["results"]["render"]["is_current"]
    session.load_project(text, name)
    assert project.now.edges == "off"
    assert session.snapshot()["results"]["render"]["is_current"]


def test_what_cannot_work_is_not_offered_and_refused(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert [each["name"] for each in controls([])["edges"]] == ["auto", "classical", "learned", "off"]
    with pytest.raises(InputError, match="treatment is 'sharp'; it must be auto or classical or learned or off"):
        choose(session, "sharp")
    session.open_demo()
    choose(session, "learned")
    text, name = session.project_text()
    session.run(command_of({"do": "undo"}))
    try:
        monkeypatch.setattr("any2bokeh.disparity.edges.learned.weights.PACKAGED", tmp_path / "none.safetensors")
        EdgeModel.packaged.cache_clear()
        assert "learned" not in [each["name"] for each in controls([])["edges"]]
        (tmp_path / "none.safetensors").write_bytes(b"cut off")
        assert "learned" not in [each["name"] for each in controls([])["edges"]]
        (tmp_path / "none.safetensors").unlink()
        with pytest.raises(InputError, match="no trained network is installed") as refused:
            choose(session, "learned")
        assert user_message(refused.value, doing="the request") == (
            "Disparity edges is Learned, but no trained network is installed; train one with any2bokeh train edges, "
            "or take Classical."
        )
        with pytest.raises(InputError, match="no trained network is installed"):
            session.load_project(text, name)
        assert session.opened().now.edges == "auto"
    finally:
        monkeypatch.undo()
        EdgeModel.packaged.cache_clear()
