"""What an evaluation leaves behind: JSON, a Markdown table, curves and strips."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from any2bokeh import __version__
from any2bokeh.evaluation.chart import line_chart
from any2bokeh.evaluation.runner import Evaluation, Sample
from any2bokeh.evaluation.strip import strip
from any2bokeh.evaluation.summary import by_condition, conditions, control, means
from any2bokeh.picture import write_picture

FORMAT, VERSION = "any2bokeh-evaluation", 1

# Column, heading, digits; higher is better where the arrow points up.
_COLUMNS = (
    ("psnr_db", "PSNR dB ↑", 2),
    ("ssim", "SSIM ↑", 4),
    ("psnr_edge_db", "edge PSNR dB ↑", 2),
    ("lpips", "LPIPS ↓", 4),
    ("rm", "RM ↓", 5),
    ("temporal_warped", "temporal, warped ↓", 5),
    ("fd_px", "FD px ↓", 3),
    ("vepi", "VEPI ↑", 4),
    ("fvd", "FVD ↓", 2),
    ("vfid", "VFID ↓", 2),
    ("k_blur_correlation", "K-blur corr. ↑", 4),
    ("radius_correlation", "radius corr. ↑", 4),
    ("focus_correlation", "focus corr. ↑", 4),
    ("focus_error", "focus error ↓", 4),
)


def as_json(evaluation: Evaluation, *, suite: str | None = None) -> dict[str, Any]:
    """Plain JSON values: what was scored, means, the scores of every clip, and what is absent and why."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "any2bokeh": __version__,
        "suite": suite,
        "networks": evaluation.networks,
        "absent": evaluation.absent,
        "frames": evaluation.frame_count,
        "elapsed_s": round(evaluation.elapsed_s, 1),
        "clips": [
            {
                "name": clip.name,
                "scene": clip.scene,
                "frames": clip.frame_count,
                "width": clip.width,
                "height": clip.height,
                "transfer": clip.transfer,
                "blur_strength": round(evaluation.blur_strength[clip.name], 6),
                "focus_disparity": round(evaluation.focus_disparity[clip.name], 6),
                "conditions": dict(clip.conditions),
            }
            for clip in evaluation.clips
        ],
        "methods": {
            name: {
                "mean": _rounded(means(evaluation, name) | control(evaluation, name)),
                "by": {
                    condition: {
                        str(value): _rounded(means(evaluation, name, clips))
                        for value, clips in by_condition(evaluation, condition).items()
                    }
                    for condition in conditions(evaluation)
                },
                "clips": {
                    clip: _rounded(score.values)
                    | {
                        "psnr_frames_db": [round(value, 3) for value in score.psnr_frames_db],
                        "render_s": round(score.render_s, 3),
                    }
                    for clip, score in scores.items()
                },
            }
            for name, scores in evaluation.scores.items()
        },
    }


def as_markdown(evaluation: Evaluation, *, suite: str | None = None) -> str:
    """One table of all methods, one of PSNR for each condition, one of PSNR by clip, and what is absent."""
    rows = {name: means(evaluation, name) | control(evaluation, name) for name in evaluation.scores}
    columns = [column for column in _COLUMNS if any(column[0] in row for row in rows.values())]
    table = [
        [name, *("" if key not in row else f"{row[key]:.{digits}f}" for key, _, digits in columns)]
        for name, row in rows.items()
    ]
    clips = evaluation.clips
    title = f"{len(clips)} clips, {evaluation.frame_count} frames" + (f", suite {suite}" if suite else "")
    parts = [f"# Evaluation: {title}", _table(["", *(heading for _, heading, _ in columns)], table)]
    for condition in conditions(evaluation):
        groups = by_condition(evaluation, condition)
        body = [
            [name, *(f"{means(evaluation, name, group)['psnr_db']:.2f}" for group in groups.values())]
            for name in evaluation.scores
        ]
        heads = [f"{value:g}" if isinstance(value, (int, float)) else value for value in groups]
        parts += [f"## PSNR dB by {condition}", _table(["", *heads], body)]
    body = [
        [clip.name, *(f"{scores[clip.name].values['psnr_db']:.2f}" for scores in evaluation.scores.values())]
        for clip in clips
    ]
    parts += ["## PSNR dB by clip", _table(["", *evaluation.scores], body)]
    used = ", ".join(f"{metric} by {network}" for metric, network in evaluation.networks.items())
    parts.append(f"Networks and estimators: {used}.")
    if evaluation.absent:
        parts.append("Absent: " + "; ".join(f"{metric} {why}" for metric, why in evaluation.absent.items()) + ".")
    return "\n\n".join(parts) + "\n"


def charts(evaluation: Evaluation) -> dict[str, str]:
    """SVG documents by file name: PSNR over time and conditions, measured blur and focus where they vary."""
    found = {"psnr_frames.svg": _psnr_over_time(evaluation)}
    for condition in conditions(evaluation):
        groups = by_condition(evaluation, condition)
        numeric = all(isinstance(value, (int, float)) for value in groups)
        at = {value: float(value) if numeric else float(place) for place, value in enumerate(groups)}
        lines = {
            name: [(at[value], means(evaluation, name, clips)["psnr_db"]) for value, clips in groups.items()]
            for name in evaluation.scores
        }
        names = None if numeric else {at[value]: str(value) for value in groups}
        found[f"psnr_{condition}.svg"] = line_chart(
            f"PSNR by {condition}", lines, x_label=condition, y_label="PSNR dB", x_names=names
        )
    expected = _scatter(evaluation, lambda clip, values: values.get("blur_expected_px"), "blur_px")
    if any(len(line) > 1 for line in expected.values()):
        found["blur.svg"] = line_chart(
            "Measured blur", expected, x_label="radius of the thin lens, px", y_label="measured radius, px"
        )
    focus = _scatter(evaluation, lambda clip, values: evaluation.focus_disparity[clip], "focus_measured")
    if len(set(evaluation.focus_disparity.values())) > 1 and any(len(line) > 1 for line in focus.values()):
        found["focus.svg"] = line_chart(
            "Measured focus", focus, x_label="focus disparity asked for", y_label="measured focus disparity"
        )
    return found


class ReportFolder:
    """Writes a report into a folder: ``strip_<clip>.png`` while clips are scored, the rest at the end.

    Args:
        folder: which exists.
        suite: name of the suite, for the report.
    """

    def __init__(self, folder: Path, *, suite: str | None = None) -> None:
        self.folder = folder
        self._suite = suite

    def show(self, sample: Sample) -> None:
        """Write the strip of a clip."""
        write_picture(self.folder / f"strip_{sample.clip.name.replace('/', '_')}.png", strip(sample))

    def write(self, evaluation: Evaluation) -> dict[str, Any]:
        """Write ``evaluation.json``, ``table.md`` and the curves, and return the JSON object."""
        result = as_json(evaluation, suite=self._suite)
        (self.folder / "evaluation.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        (self.folder / "table.md").write_text(as_markdown(evaluation, suite=self._suite))
        for name, document in charts(evaluation).items():
            (self.folder / name).write_text(document)
        return result


def _psnr_over_time(evaluation: Evaluation) -> str:
    lines = {}
    for name, scores in evaluation.scores.items():
        series = [score.psnr_frames_db for score in scores.values()]
        longest = max(len(one) for one in series)
        at_frame = [[one[frame] for one in series if frame < len(one)] for frame in range(longest)]
        lines[name] = [(float(frame), sum(values) / len(values)) for frame, values in enumerate(at_frame)]
    return line_chart("PSNR over time, mean over clips", lines, x_label="frame", y_label="PSNR dB")


def _scatter(
    evaluation: Evaluation, x: Callable[[str, dict[str, float]], float | None], y: str
) -> dict[str, list[tuple[float, float]]]:
    lines = {}
    for name, scores in evaluation.scores.items():
        points = [(x(clip, score.values), score.values.get(y)) for clip, score in scores.items()]
        lines[name] = sorted((a, b) for a, b in points if a is not None and b is not None)
    return lines


def _rounded(values: dict[str, float]) -> dict[str, float]:
    """Six significant digits, which is more than a metric means."""
    return {name: float(f"{value:.6g}") for name, value in values.items()}


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
