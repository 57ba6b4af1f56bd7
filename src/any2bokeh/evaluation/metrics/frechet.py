"""Fréchet distance of the features of results from those of the truth: FVD and VFID."""

import numpy as np
from numpy.typing import NDArray


def frechet_distance(features: NDArray[np.floating], truth_features: NDArray[np.floating]) -> float:
    """Fréchet distance of two normal distributions fitted to features, 0 is best.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` with means m and sample covariances C (divided by n - 1).

    Args:
        features, truth_features: ``(N, D)``, one row a clip (or window of one), N at least 2.

    The paper: FVD (9.0 on its layered clips) on VideoMAE-g, and VFID on I3D and on ResNeXt; see ``features`` and
    ``vfid``. FVD is Unterthiner et al., 2018; VFID is Wang et al., Video-to-Video Synthesis, NeurIPS 2018. Which
    lengths of windows and sizes of frames the paper takes is not known here. The network of a result is named in it.
    Distances with other networks or other numbers of clips must not be compared; with fewer clips than features the
    distance is biased upward.

    Raises:
        ValueError: fewer than two rows, or rows of different lengths.
    """
    one, other = np.asarray(features, np.float64), np.asarray(truth_features, np.float64)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or min(len(one), len(other)) < 2:
        raise ValueError(f"features are {one.shape} and {other.shape}; give two (N, D) with N >= 2 and the same D")
    shift = one.mean(axis=0) - other.mean(axis=0)
    # With C = X^T X of the centred and scaled rows, the trace of the root of the product is the sum of the singular
    # values of X1 X2^T: exact and without the root of a singular D x D matrix.
    spread = (one - one.mean(axis=0)) / np.sqrt(len(one) - 1)
    other_spread = (other - other.mean(axis=0)) / np.sqrt(len(other) - 1)
    root = np.linalg.svd(spread @ other_spread.T, compute_uv=False).sum()
    distance = shift @ shift + (spread**2).sum() + (other_spread**2).sum() - 2 * root
    return float(max(distance, 0.0))
