"""What an evaluation leaves behind: JSON, a Markdown table, curves and strips."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from any2bokeh import __version__
from any2bokeh.evaluation.chart import line_chart
from any2bokeh.evaluation.clips import DISPARITY, EXACT, EvaluationClip
from any2bokeh.evaluation.runner import Evaluation, Sample
from any2bokeh.evaluation.strip import strip
from any2bokeh.evaluation.summary import by_condition, conditions, control, means, rows
from any2bokeh.evaluation.treatment import TREATMENTS
from any2bokeh.picture import write_picture

FORMAT, VERSION = "any2bokeh-evaluation", 2

# Column, heading, digits; higher is better where the arrow points up.
_COLUMNS = (
    ("psnr_db", "PSNR dB ↑", 2),
    ("ssim", "SSIM ↑", 4),
    ("psnr_edge_db", "edge PSNR dB ↑", 2),
    ("lpips", "LPIPS ↓", 4),
    ("lpips_alex", "LPIPS, AlexNet ↓", 4),
    ("rm", "RM ↓", 5),
    ("temporal_warped", "temporal, warped ↓", 5),
    ("fd", "FD px ↓", 3),
    ("epe_px", "end-point error px ↓", 3),
    ("vepi", "VEPI ↑", 4),
    ("edge_correlation", "edge correlation ↑", 4),
    ("sharpness_kept", "subject's sharpness ↑", 4),
    ("glow", "glow ↓", 4),
    ("flicker_edges", "flicker at edges", 3),
    ("flicker_inside", "flicker inside", 3),
    ("flicker_outside", "flicker outside", 3),
    ("flicker_outline", "flicker at outline", 3),
    ("flicker_added_outline", "flicker added at outline ↓", 4),
    ("fvd", "FVD ↓", 2),
    ("frechet_video", "Fréchet, video ↓", 2),
    ("vfid_i3d", "VFID, I3D ↓", 2),
    ("vfid_resnext", "VFID, ResNeXt ↓", 2),
    ("frechet_image", "Fréchet, image ↓", 2),
    ("k_blur_correlation", "K-blur corr. ↑", 4),
    ("radius_correlation", "radius corr. ↑", 4),
    ("focus_correlation", "focus corr. ↑", 4),
    ("focus_error", "focus error ↓", 4),
)
PUBLISHED = ("lpips", "fd", "vepi", "fvd", "vfid_i3d", "vfid_resnext")
"""Metrics as the paper's code defines them; the others are the field's or ours."""

_EXACT_AND_DEGRADED = (
    ("psnr_db", "PSNR dB", 2),
    ("psnr_edge_db", "edge PSNR dB", 2),
    ("rm", "temporal", 5),
    ("flicker_edges", "flicker at edges", 3),
    ("glow", "glow", 4),
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
            | ({"given": _rounded(evaluation.misplaced[clip.name])} if clip.name in evaluation.misplaced else {})
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
    """One table of all methods, tables by condition and by clip, and what is absent.

    Where the treatment of edges or the plate differs between clips, each method has a row for each of them. Where
    disparity is exact in some clips and degraded in others, both stand side by side.
    """
    found = rows(evaluation)
    values = {
        label: means(evaluation, method, None if len(clips) == len(evaluation.clips) else clips)
        | control(evaluation, method, clips)
        for label, method, clips in found
    }
    columns = [column for column in _COLUMNS if any(column[0] in row for row in values.values())]
    table = [[label, *(_cell(row, key, digits) for key, _, digits in columns)] for label, row in values.items()]
    title = f"{len(evaluation.clips)} clips, {evaluation.frame_count} frames" + (f", suite {suite}" if suite else "")
    parts = [f"# Evaluation: {title}", _table(["", *(heading for _, heading, _ in columns)], table)]
    if len(by_condition(evaluation, DISPARITY)) > 1 and evaluation.has_truth:
        parts += ["## Exact disparity / mean of degraded disparity", _exact_and_degraded(evaluation)]
    if evaluation.has_truth:
        parts += _psnr_tables(evaluation)
    else:
        parts += ["## Blur by clip: measured radius in px", _blur_by_clip(evaluation)]
    if evaluation.misplaced:
        parts += ["## Blur by mistake, of what renderers are told", _misplaced_by_clip(evaluation)]
    used = ", ".join(f"{metric} by {network}" for metric, network in evaluation.networks.items())
    parts.append(f"Networks and estimators: {used}.")
    published = [heading.rstrip(" ↑↓") for key, heading, _ in columns if key in PUBLISHED]
    if published:
        parts.append(f"As published with Any-to-Bokeh: {', '.join(published)}. Others are the field's or ours.")
    if evaluation.absent:
        parts.append("Absent: " + "; ".join(f"{metric} {why}" for metric, why in evaluation.absent.items()) + ".")
    return "\n\n".join(parts) + "\n"


def _psnr_tables(evaluation: Evaluation) -> list[str]:
    """PSNR by each condition and by clip, each with its heading."""
    parts = []
    for condition in conditions(evaluation):
        if condition in TREATMENTS:
            continue
        groups = by_condition(evaluation, condition)
        body = [
            [label, *(_psnr(evaluation, method, [one for one in group if one in clips]) for group in groups.values())]
            for label, method, clips in rows(evaluation)
        ]
        heads = [f"{value:g}" if isinstance(value, (int, float)) else value for value in groups]
        parts += [f"## PSNR dB by {condition}", _table(["", *heads], body)]
    body = [
        [clip.name, *(_psnr(evaluation, method, [clip]) for method in evaluation.scores)] for clip in evaluation.clips
    ]
    return [*parts, "## PSNR dB by clip", _table(["", *evaluation.scores], body)]


def _psnr(evaluation: Evaluation, method: str, clips: list[EvaluationClip]) -> str:
    return _cell(means(evaluation, method, clips), "psnr_db", 2) if clips else ""


def _exact_and_degraded(evaluation: Evaluation) -> str:
    """A row for each method and treatment: each figure with exact maps, and its mean over the others."""
    body = []
    for label, method, clips in rows(evaluation):
        exact = [clip for clip in clips if clip.conditions.get(DISPARITY) == EXACT]
        others = [clip for clip in clips if clip not in exact]
        sides = [means(evaluation, method, side) if side else {} for side in (exact, others)]
        body.append(
            [label, *(" / ".join(_cell(side, key, digits) for side in sides) for key, _, digits in _EXACT_AND_DEGRADED)]
        )
    return _table(["", *(heading for _, heading, _ in _EXACT_AND_DEGRADED)], body)


def _blur_by_clip(evaluation: Evaluation) -> str:
    """K, the radius of the thin lens and what each method made of it, where there is texture to measure it on."""
    body = []
    for clip in evaluation.clips:
        values = {method: scores[clip.name].values for method, scores in evaluation.scores.items()}
        expected = next((one for one in values.values() if "blur_expected_px" in one), {})
        radii = [_cell(one, "blur_px", 2) for one in values.values()]
        body.append(
            [clip.name, f"{evaluation.blur_strength[clip.name]:g}", _cell(expected, "blur_expected_px", 2), *radii]
        )
    return _table(["", "K", "expected", *evaluation.scores], body)


def _misplaced_by_clip(evaluation: Evaluation) -> str:
    body = [
        [name, _cell(shares, "subject_blurred", 4), _cell(shares, "background_sharp", 4)]
        for name, shares in evaluation.misplaced.items()
    ]
    return _table(["", "subject blurred ↓", "background sharp ↓"], body)


def _cell(values: dict[str, float], key: str, digits: int) -> str:
    return f"{values[key]:.{digits}f}" if key in values else ""


def charts(evaluation: Evaluation) -> dict[str, str]:
    """SVG documents by file name: PSNR over time and conditions, measured blur and focus where they vary."""
    found = {"psnr_frames.svg": _psnr_over_time(evaluation)} if evaluation.has_truth else {}
    for condition in conditions(evaluation) if evaluation.has_truth else ():
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
