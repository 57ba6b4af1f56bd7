"""Make tests/traced: a small clip of the project's own synthesis, ray traced through a thin lens at two focus settings.

Run ``python -m scripts.traced_clip``. The same seed gives the same clip; the folder is one scene in the layout that
``any2bokeh evaluate`` reads.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.transfer import srgb_encode
from any2bokeh.synthesis import ray_trace
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.procedural import ProceduralBackgrounds, ProceduralSubjects
from any2bokeh.synthesis.scene import SceneConfig

TARGET = Path(__file__).resolve().parents[1] / "tests" / "traced" / "scene"
SEED, WIDTH, HEIGHT = 1, 256, 144
FRAMES = range(12, 15)
"""Of a clip of 25 frames, as ``any2bokeh synth`` makes them: a twig, a card and a furry person above a floor."""
BLUR_STRENGTH = 48.0
"""K: radii of up to 12 px in these frames, as much of the picture as in the clips behind the README's figures."""
SAMPLES = {"in_focus": 64, "lens": 1024}


def main() -> None:
    config = ClipConfig(width=WIDTH, height=HEIGHT, scene=SceneConfig(subjects=(2, 3), jitter=0.0))
    # No lights above white: what the source has clipped, no engine can blur rightly.
    maker = ClipMaker(
        config, seed=SEED, subjects=ProceduralSubjects(highlights=0), backgrounds=ProceduralBackgrounds(highlights=0)
    )
    scene, atlas, _, _ = maker.plan(0)
    subjects, far = scene.focus_places(FRAMES[len(FRAMES) // 2])
    settings = {"far": np.full(len(FRAMES), far), "rack": np.linspace(max(subjects), far, len(FRAMES))}
    for t, frame in enumerate(FRAMES):
        view = scene.view(frame, atlas)
        in_focus, _ = ray_trace.trace_in_focus(
            view, aperture=Disc(), sample_count=SAMPLES["in_focus"], seed=t, threads=None
        )
        _write("aif", t, _codes(in_focus))
        disparity = ray_trace.seen_disparity(view)[0]
        _write("disparity", t, np.rint(disparity * 65535).astype(np.uint16))
        for name, focus in settings.items():
            blurred = ray_trace.trace(
                view,
                focus_disparity=float(focus[t]),
                blur_strength=BLUR_STRENGTH,
                aperture=Disc(),
                sample_count=SAMPLES["lens"],
                seed=t,
                threads=None,
            )
            _write(f"gt_{name}", t, _codes(blurred))
    about = {
        "width": WIDTH,
        "height": HEIGHT,
        "made_by": "scripts/traced_clip.py",
        "rays_per_pixel": SAMPLES,
        "settings": {name: _lens(focus) for name, focus in settings.items()},
    }
    (TARGET / "meta.json").write_text(json.dumps(about, indent=1) + "\n")
    print(f"{TARGET}: {sum(path.stat().st_size for path in TARGET.rglob('*') if path.is_file())} bytes")


def _lens(focus: NDArray[np.float64]) -> dict[str, list[float]]:
    """K in pixels of these frames, as the layout has it, and the focus of each frame."""
    return {"K": [BLUR_STRENGTH * WIDTH / REFERENCE_LONG_SIDE_PX] * len(focus), "focus_disparity": focus.tolist()}


def _codes(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``(H, W, 3)`` BGR of linear light ``(3, H, W)``."""
    codes = np.rint(255 * srgb_encode(np.clip(light, 0, 1)))
    return np.ascontiguousarray(codes.transpose(1, 2, 0)[..., ::-1].astype(np.uint8))


def _write(kind: str, index: int, samples: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    path = TARGET / kind / f"{index:05d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), samples, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f"cannot write {path}")


if __name__ == "__main__":
    main()
