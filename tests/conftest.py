"""Fixtures that several folders share: a tiny clip with sound, its disparity and its subject's mask."""

import gc
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

# Before OpenCV is imported; the command line does the same for its own process.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
# Before torch is imported: tiny networks gain nothing from threads, and lose much where others want the same cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Before the hub's client is imported: tests see no network and none of the user's models.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = str(Path(tempfile.gettempdir()) / "any2bokeh-tests-without-models")
# What a processor that stands in for a GPU compiles is kept for the next run, too.
os.environ.setdefault("MESA_SHADER_CACHE_DIR", str(Path(tempfile.gettempdir()) / "any2bokeh-tests-shaders"))

# What Python compiles is kept, whatever the machine's habit is: by itself each process that a test starts would compile
# the package anew, and each of pytest's would rewrite all asserts.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


# How long an example takes says how busy the machine is: neither one that is late nor many that are slow are faults.
with suppress(ImportError):  # where only the tests of a GPU run, it may be missing
    from hypothesis import HealthCheck, settings

    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")

# Until everything is imported, there is nothing but objects that stay.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what has been imported and collected out of all further collections of garbage.

    These are millions of objects that stay to the end: looking at them again took a sixth of the time of tests of the
    studio, which collects whenever it has given up pictures.
    """
    _leave_what_stays()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The same for what the tests of a file have left in the caches of libraries, such as compiled kernels."""
    if nextitem is None or nextitem.path != item.path:
        _leave_what_stays()


def _leave_what_stays() -> None:
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Libraries complain at exit about objects of theirs that are left."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders for the caches of tests. Pytest's own way to name folders looks at all that are there each time."""
    root = tmp_path_factory.mktemp("caches")
    return (root / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_cache(caches: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, so that nothing is found that another run has made."""
    folder = next(caches)
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """12 frames of 64x48, H.264 with AAC sound."""
    from tests import clips  # late: PyAV, which GPU machines may lack

    return clips.write_clip(tmp_path / "clip.mp4")


@pytest.fixture
def frame_folder(tmp_path: Path) -> Path:
    """The same 12 frames as PNG files."""
    from tests import clips

    return clips.write_frames(tmp_path / "frames")


@pytest.fixture
def disparity_folder(tmp_path: Path) -> Path:
    """16-bit disparity of the 12 frames."""
    from tests import clips

    return clips.write_disparity(tmp_path / "disparity")


@pytest.fixture
def mask_folder(tmp_path: Path) -> Path:
    """Mask of the near square, for the 12 frames."""
    from tests import clips

    return clips.write_masks(tmp_path / "mask")


@pytest.fixture(scope="session", autouse=True)
def source_on_the_path_of_subprocesses() -> None:
    """Let ``python -m any2bokeh`` in a subprocess find this checkout, installed or not."""
    paths = [str(Path(__file__).resolve().parents[1] / "src"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real footage and ground truth of other renderers, in ``../shared/data`` beside the checkout; skips without it."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("needs ../shared/data (real footage, other renderers), which is not part of the repository")
    return _SHARED_DATA
