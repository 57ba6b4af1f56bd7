"""A studio on a tiny clip: two squares at different distances before a slope, in the place of the bundled clip."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh import demo
from any2bokeh.app.access import Access
from any2bokeh.app.session import Session
from any2bokeh.app.settings import Limits, Settings
from any2bokeh.app.studio import Studio
from any2bokeh.focus import TrackerChoice

WIDTH, HEIGHT, FRAMES, FPS = 192, 108, 24, 24
NEAR, FAR = 0.9, 0.45
NEAR_POINT, FAR_POINT = (0.3, 0.55), (0.7, 0.45)
HANGS_AFTER_S = 300.0
"""How long tests wait for a state. It bounds hanging and not speed: other processes may want the cores, too."""


def disparity_of(index: int) -> NDArray[np.float64]:
    """Disparity of a frame, ``(H, W)``: a near square on the left and a farther one on the right, moving apart."""
    disparity = np.tile(np.linspace(0.05, 0.2, HEIGHT)[:, None], (1, WIDTH))
    for level, (left, top, side) in _squares(index).items():
        disparity[top : top + side, left : left + side] = level
    return disparity


def picture_of(index: int) -> NDArray[np.uint8]:
    """A frame, ``(H, W, 3)`` RGB: squares of fine texture, each of its colour, before a fine texture."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.stack([90 + 60 * ((columns // 3 + rows // 3) % 2)] * 3, axis=2).astype(np.uint8)
    for colour, (left, top, side) in zip(
        ((200, 40, 40), (40, 120, 200)), sorted(_squares(index).values()), strict=True
    ):
        checks = ((columns - left) // 3 + (rows - top) // 3) % 2 * 55
        square = np.clip(np.array(colour) + checks[..., None], 0, 255).astype(np.uint8)
        picture[top : top + side, left : left + side] = square[top : top + side, left : left + side]
    return picture


def _squares(index: int) -> dict[float, tuple[int, int, int]]:
    return {FAR: (116 + index // 4, 32, 34), NEAR: (34 - index // 4, 34, 52)}


def write_video(
    path: Path,
    *,
    frames: int = FRAMES,
    tone: bool = False,
    picture: Callable[[int], NDArray[np.uint8]] = picture_of,
) -> Path:
    """The clip, or one of other pictures, H.264, perhaps with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "10", "g": "8"})
        height, width = picture(0).shape[:2]
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"  # type: ignore[attr-defined]
        if tone:
            _add_tone(container, frames / FPS)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))  # type: ignore[attr-defined]
        container.mux(video.encode(None))  # type: ignore[attr-defined]
    return path


def _add_tone(container: Any, length_s: float) -> None:
    sound = container.add_stream("aac", rate=48_000)
    samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(length_s * 48_000)) / 48_000)
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    container.mux(sound.encode(frame))
    container.mux(sound.encode(None))


def write_disparity_video(
    path: Path, *, frames: int = FRAMES, disparity: Callable[[int], NDArray[np.float64]] = disparity_of
) -> Path:
    """Its disparity, 16-bit FFV1."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=FPS)
        height, width = disparity(0).shape
        video.width, video.height, video.pix_fmt = width, height, "gray16le"  # type: ignore[attr-defined]
        for index in range(frames):
            grey = np.rint(disparity(index) * 65535).astype(np.uint16)
            container.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="gray16le")))  # type: ignore[attr-defined]
        container.mux(video.encode(None))  # type: ignore[attr-defined]
    return path


@pytest.fixture(scope="session")
def tiny_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a demo clip."""
    folder = tmp_path_factory.mktemp("tiny_demo")
    write_video(folder / "clip.mp4")
    write_disparity_video(folder / "disparity.mkv")
    return folder


@pytest.fixture(autouse=True)
def demo_clip(tiny_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny clip in the place of the bundled one."""
    monkeypatch.setattr(demo, "CLIP_FOLDER", tiny_demo)
    return tiny_demo


@pytest.fixture
def limits() -> Limits:
    """Small ones, so that tests reach them."""
    return Limits(
        upload_bytes=2 << 20, script_bytes=1 << 14, frame_count=200, sessions=4, waiting_renders=2, grace_s=3600
    )


@pytest.fixture
def settings(limits: Limits) -> Settings:
    return Settings(limits=limits, depth_model="rough", tracker=TrackerChoice("classical"))


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    """A studio; nothing of it is left behind."""
    opened = Studio(settings)
    yield opened
    opened.close()
    assert not opened.folder.exists()


@pytest.fixture
def session(studio: Studio) -> Session:
    """A session that has opened nothing yet."""
    return studio.arrive()


Received = Callable[..., Path]


@pytest.fixture
def received(session: Session) -> Received:
    """Put bytes into the session's folder, as an upload does."""

    def put(content: bytes | Path) -> Path:
        path = session.new_file()
        path.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        return path

    return put


def wait_for(state: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait until there is a state; ``what`` there is instead is told where it does not come."""
    until = time.monotonic() + HANGS_AFTER_S
    while not state():
        assert time.monotonic() < until, what()
        time.sleep(0.01)


def ready(session: Session) -> None:
    """Wait until the focus of every frame has been found."""
    assert session.project is not None
    follower = session.project.follower
    wait_for(lambda: follower.progress.stage in ("ready", "failed", "idle"), lambda: follower.progress)


def decoded_jpeg(jpeg: bytes) -> NDArray[np.float32]:
    """A picture of the page, ``(H, W, 3)`` RGB in 0..255."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture[..., ::-1].astype(np.float32)


def detail_at(picture: NDArray[np.float32], point: tuple[float, float]) -> float:
    """How much fine texture there is around a point: standard deviation, within 9x9 pixels."""
    x, y = int(point[0] * WIDTH), int(point[1] * HEIGHT)
    return float(picture[y - 4 : y + 5, x - 4 : x + 5].std(axis=(0, 1)).mean())


@dataclass(frozen=True, slots=True)
class Site:
    """A studio that is served."""

    studio: Studio
    access: Access
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def own(self) -> dict[str, str]:
        """The headers that the studio's own page sends."""
        return {"X-Any2bokeh": "1", "Origin": self.address}

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> "Answer":
        """Send a request as it is written: no client tidies its path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGS_AFTER_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def send(self, session: Session, kind: str, body: bytes, *, name: str = "clip.mp4") -> "Answer":
        """Upload as the page does."""
        return self.ask(f"/api/{session.token}/{kind}?name={name}", method="POST", body=body, headers=self.own)

    def command(self, session: Session, asked: object) -> "Answer":
        """Send a command as the page does."""
        body = json.dumps(asked).encode()
        return self.ask(f"/api/{session.token}/command", method="POST", body=body, headers=self.own)

    def forget(self, session: Session) -> None:
        """As if its page had been closed long ago."""
        session.seen_s -= 1e6
        self.studio.sweep()

    def snapshot(self, session: Session) -> dict[str, Any]:
        return self.ask(f"/api/{session.token}/snapshot").json


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return self.json["error"]


@contextmanager
def served(settings: Settings, access: Access | None = None, *, port: int = 0) -> Iterator[Site]:
    """A studio behind a real server, on a free port unless one is given, in a thread."""
    pytest.importorskip("starlette", reason="needs starlette, of the extra [app]")
    pytest.importorskip("uvicorn", reason="needs uvicorn, of the extra [app]")
    from any2bokeh.app.server import StudioServer, bind

    access = access or Access()
    studio, bound = Studio(settings), bind("127.0.0.1", port)
    server = StudioServer(studio, access)
    bound.listen(64)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), lambda: "the server does not start")
        assert thread.is_alive()
        yield Site(studio, access, bound.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(HANGS_AFTER_S)
        bound.close()
        studio.close()
    assert not studio.folder.exists()


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """A studio that is served."""
    with served(settings) as running:
        yield running
