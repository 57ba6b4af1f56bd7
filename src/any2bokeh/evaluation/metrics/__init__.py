"""Metrics of a refocused clip against its ground truth, one noun per file.

Every function takes pictures as ``(H, W, 3)`` float32 code values in [0, 1] unless it says otherwise. A ``Meter``
applies one of them frame by frame, so that a clip of any length is scored in flat memory.

What the paper means is stated in each file: *Any-to-Bokeh: Arbitrary-Subject Video Refocusing with Video Diffusion
Model* (Yang et al., ICLR 2026, arXiv 2505.21593), called "the paper" there. VEPI, FD, LPIPS, FVD and VFID bear the
published names and follow the published definitions, as far as they are known; what is not known is said where it is
chosen. Metrics of ours have names of their own.
"""

from any2bokeh.evaluation.metrics.meter import Meter
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame

__all__ = ["Meter", "Picture", "TruthFrame"]
