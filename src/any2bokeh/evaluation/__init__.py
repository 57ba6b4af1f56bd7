"""Score engines and results against ground truth: metrics, benchmark suites and their report."""

from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame, open_clips
from any2bokeh.evaluation.contestants import Contestant, FolderContestant, RendererContestant, plain_contestant
from any2bokeh.evaluation.runner import Evaluation, Networks, evaluate

__all__ = [
    "Contestant",
    "Evaluation",
    "EvaluationClip",
    "EvaluationFrame",
    "FolderContestant",
    "Networks",
    "RendererContestant",
    "evaluate",
    "open_clips",
    "plain_contestant",
]
