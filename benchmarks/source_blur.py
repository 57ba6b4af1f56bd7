"""A source that is blurred already, refocused: its own blur not taken into account, estimated, and known.

``python -m benchmarks.source_blur --scenes 6 --output OUT`` prints the tables of docs/source-blur.md. Each scene is
traced all in focus, and through lenses of K 4 and 8: these are the sources. The truth is traced at K 16 and 32 with the
same focus, and at 16 with the focus on what is farthest. ``--output`` keeps all pictures; what is traced there already
is taken.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.clip_source_blur import found_source_blur
from any2bokeh.disparity import open_disparity
from any2bokeh.engines import EngineSettings
from any2bokeh.focus import FocusScript
from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.source_blur import SourceBlur, SourceLens
from any2bokeh.synthesis import ray_trace
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.procedural import ProceduralBackgrounds, ProceduralSubjects
from any2bokeh.synthesis.scene import SceneConfig
from any2bokeh.video import open_source
from benchmarks.table import table

FRAME = 12
SOURCES = (0.0, 4.0, 8.0)
WANTED = (16.0, 32.0)
_RAYS = {"in_focus": 64, "lens": 256}


@dataclass(frozen=True, slots=True)
class Result:
    """One source, refocused in one way.

    Attributes:
        scene: its seed.
        source: its K; 0 = all in focus.
        wanted: K and the disparity in focus.
        psnr_db: against the truth, by how the blur of the source was known.
    """

    scene: int
    source: float
    wanted: SourceLens
    psnr_db: dict[str, float]


@dataclass(frozen=True, slots=True)
class Traced:
    """A scene in a folder.

    Attributes:
        folder: ``disparity.png``, ``source_K.png`` and truths.
        seed: that it was made from.
        source_focus: disparity that the sources are focused at.
        far: disparity of what is farthest.
    """

    folder: Path
    seed: int
    source_focus: float
    far: float

    def truth(self, lens: SourceLens) -> Path:
        return self.folder / f"truth_{lens.blur_strength:g}_{lens.focus_disparity:.3f}.png"

    def source(self, blur_strength: float) -> Path:
        return self.folder / f"source_{blur_strength:g}.png"

    def wanted(self) -> list[SourceLens]:
        return [*(SourceLens(k, self.source_focus) for k in WANTED), SourceLens(WANTED[0], self.far)]


def traced(seed: int, folder: Path, size: tuple[int, int]) -> Traced:
    """Trace one scene: a floor, slanted and curved things on it, and no light above white."""
    config = ClipConfig(*size, scene=SceneConfig(subjects=(2, 4), jitter=0.0, floor=1.0, slanted=0.6))
    subjects, backgrounds = ProceduralSubjects(highlights=0), ProceduralBackgrounds(highlights=0)
    scene, atlas, _, _ = ClipMaker(config, seed=seed, subjects=subjects, backgrounds=backgrounds).plan(0)
    places, far = scene.focus_places(FRAME)
    made = Traced(folder, seed, float(max(places) if seed % 2 else np.median(list(places))), float(far))
    folder.mkdir(parents=True, exist_ok=True)
    view = scene.view(FRAME, atlas)
    _write(folder / "disparity.png", np.rint(ray_trace.seen_disparity(view)[0] * 65535).astype(np.uint16))

    def through(lens: SourceLens) -> NDArray[np.float32]:
        rays = _RAYS["lens" if lens.blur_strength else "in_focus"]
        k, focus = lens.blur_strength, lens.focus_disparity
        return ray_trace.trace(view, focus_disparity=focus, blur_strength=k, aperture=Disc(), sample_count=rays)

    sources = [(made.source(strength), SourceLens(strength, made.source_focus)) for strength in SOURCES]
    for path, lens in [*sources, *((made.truth(lens), lens) for lens in made.wanted())]:
        if not path.exists():
            _write(path, _codes(through(lens)))
    return made


def results(scene: Traced) -> Iterator[tuple[Result, str]]:
    """Refocus every source of a scene; with each result what was estimated."""
    for strength in SOURCES:
        with open_source(str(scene.source(strength))) as source:
            maps = open_disparity(scene.folder / "disparity.png", clip_frame_count=1)
            plain = Recipe(FocusScript.constant(0.5, 16), maps, source_blur="auto")
            found = found_source_blur(source, plain, maps, stop=1)
            assert found is None or isinstance(found, SourceLens)
            ways: dict[str, SourceBlur] = {"off": "off"} if found is None else {"off": "off", "auto": found}
            if strength:
                ways["known"] = SourceLens(strength, scene.source_focus)
            told = "sharp" if found is None else f"K {found.blur_strength:.1f} at {found.focus_disparity:.2f}"
            for lens in scene.wanted():
                truth = cv2.imread(str(scene.truth(lens)))
                psnr: dict[str, float] = {}
                for way, blur in ways.items():
                    focus = FocusScript.constant(lens.focus_disparity, lens.blur_strength)
                    recipe = Recipe(focus, maps, source_blur=blur, engine=EngineSettings(device="cpu"))
                    codes = _display_codes(preview(source, 0, recipe).pixels)
                    name = f"{way}_{strength:g}_to_{lens.blur_strength:g}_{lens.focus_disparity:.3f}.png"
                    _write(scene.folder / name, codes)
                    psnr[way] = 10 * float(np.log10(255**2 / np.mean((codes.astype(float) - truth) ** 2)))
                yield Result(scene.seed, strength, lens, {"auto": psnr["off"]} | psnr), told


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=31, help="of the scenes")
    parser.add_argument("--size", default="768x432", help="of the frames")
    parser.add_argument("--output", type=Path, help="folder for all pictures, such as those of a run before")
    typed = parser.parse_args()
    width, height = map(int, typed.size.split("x"))
    with tempfile.TemporaryDirectory() as scratch:
        rows: list[list[str]] = []
        for seed in range(typed.first_seed, typed.first_seed + typed.scenes):
            scene = traced(seed, (typed.output or Path(scratch)) / f"scene_{seed}", (width, height))
            for result, told in results(scene):
                focus = "same" if result.wanted.focus_disparity == scene.source_focus else "far"
                figures = [f"{result.psnr_db[way]:.2f}" if way in result.psnr_db else "" for way in _WAYS]
                wanted = f"{result.wanted.blur_strength:g}"
                source = [str(seed), f"{result.source:g}", f"{scene.source_focus:.2f}", told]
                rows.append([*source, wanted, focus, *figures])
                print(" ".join(rows[-1]), flush=True)
    print(table(["scene", "K", "focus", "estimate", "wanted K", "focus", *_WAYS], rows))


_WAYS = ("off", "auto", "known")


def _codes(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``(H, W, 3)`` BGR of linear light ``(3, H, W)``."""
    return _display_codes(srgb_encode(np.clip(light, 0, 1)))


def _display_codes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    codes = np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    return np.ascontiguousarray(codes.transpose(1, 2, 0)[..., ::-1])


def _write(path: Path, samples: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    if not cv2.imwrite(str(path), samples):
        raise OSError(f"cannot write {path}")


if __name__ == "__main__":
    main()
