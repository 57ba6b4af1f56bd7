"""One picture, written to a file complete or not at all."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.pending_output import PendingOutput, write_failure
from any2bokeh.video.dither import dithered_codes, needs_dither
from any2bokeh.video.image import write_png


def write_picture(
    path: Path,
    pixels: NDArray[np.float32],
    *,
    bit_depth: int = 8,
    dither: tuple[NDArray[np.bool_], int] | None = None,
) -> None:
    """Write a PNG, in place of what was there.

    Args:
        path: the file.
        pixels: ``(3, H, W)`` code values; clipped to [0, 1].
        bit_depth: of the source; the file has 16 bits where this is more than 8.
        dither: ``(H, W)``, where 8 bits are dithered, and the index of the frame in its clip; None = nowhere.

    Raises:
        InputError: the disk is full, or the file cannot be written.
    """
    if dither is not None and needs_dither(bit_depth):
        samples = np.stack(dithered_codes(pixels, *dither), axis=2)
    elif bit_depth > 8:
        samples = np.stack([np.rint(np.clip(plane, 0, 1) * 65535).astype(np.uint16) for plane in pixels], axis=2)
    else:
        samples = np.stack([np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8) for plane in pixels], axis=2)
    pending = PendingOutput.file(path)
    try:
        write_png(pending.temporary, samples)
        pending.publish()
    except OSError as error:
        raise write_failure(path, error) from None
    finally:
        pending.discard()
