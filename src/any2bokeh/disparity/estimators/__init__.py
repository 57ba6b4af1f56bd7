"""Depth models behind one interface: frames in, raw maps out, each with what its values mean."""

from any2bokeh.disparity.estimators.base import DepthEstimator, Device, MapMeaning, ScaleAlignment
from any2bokeh.disparity.estimators.choice import DEFAULT_CHOICE, ROUGH, open_estimator

__all__ = ["DEFAULT_CHOICE", "ROUGH", "DepthEstimator", "Device", "MapMeaning", "ScaleAlignment", "open_estimator"]
