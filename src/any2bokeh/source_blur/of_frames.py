"""The blur that frames in memory have already: what a choice comes to for them."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import require_choice
from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.optics.transfer import Transfer
from any2bokeh.source_blur.choice import SourceBlur, SourceBlurChoice
from any2bokeh.source_blur.radius_maps import RadiusMaps


def source_blur_of_frames(
    choice: SourceBlur,
    frames: NDArray[np.float32],
    disparity: NDArray[np.float32],
    *,
    transfer: Transfer = "srgb",
    notice: Callable[[str], None] | None = None,
) -> SourceLens | RadiusMaps | None:
    """What blur the frames of a clip have already; None where they count as sharp.

    Args:
        choice: see ``Recipe``.
        frames: ``(T, 3, H, W)``.
        disparity: ``(T, 1, h, w)`` in [0, 1].
        transfer: of ``frames``.
        notice: told what was found.

    Raises:
        InputError: an unknown choice, or maps of radii that cannot be read or are those of another clip.
    """
    if isinstance(choice, SourceLens):
        return choice
    count, _, height, width = frames.shape
    if isinstance(choice, Path):
        return RadiusMaps(choice, frame_size=(width, height), clip_frame_count=count, notice=notice)
    require_choice("source blur", choice, get_args(SourceBlurChoice))
    if choice == "off":
        return None
    from any2bokeh.source_blur.estimate import lens_of_frames, places_looked_at

    looked_at = ((frames[index], disparity[index]) for index in places_looked_at(range(count)))
    found = lens_of_frames(looked_at, transfer)
    if notice is not None:
        notice(str(found))
    return found.lens
