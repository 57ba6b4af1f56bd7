"""Score engines and results against ground truth: metrics, benchmark suites and their report."""

from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame, open_clips
from any2bokeh.evaluation.methods import FolderMethod, Method, RendererMethod, plain_method
from any2bokeh.evaluation.runner import Evaluation, Networks, evaluate

__all__ = [
    "Evaluation",
    "EvaluationClip",
    "EvaluationFrame",
    "FolderMethod",
    "Method",
    "Networks",
    "RendererMethod",
    "evaluate",
    "open_clips",
    "plain_method",
]
