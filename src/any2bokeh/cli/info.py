"""``any2bokeh info``: what a file is, and what would be used for it."""

from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from any2bokeh.cli.clip_options import Input, ReadingOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.engines import EngineSettings
from any2bokeh.errors import InputError
from any2bokeh.video import Encoding
from any2bokeh.video.encoding import choose_codec, choose_pixel_format
from any2bokeh.video.opening import CONTAINER_EXTENSIONS

if TYPE_CHECKING:
    from any2bokeh.video import VideoInfo, VideoSource


def info_command(
    input: Input,
    reading: ReadingOptions,
    disparity: Annotated[
        Path | None,
        option(
            "--disparity",
            help="Disparity of the clip, as for refocus; with it the blur that the clip has already is estimated.",
            metavar="PATH",
            common=True,
            panel=Group.DISPARITY,
        ),
    ] = None,
    json: Annotated[bool, option("--json", help="Print one JSON object.", common=True, panel=Group.PRINTED)] = False,
) -> None:
    """Print the properties of a clip and the settings that refocus would use for it."""
    remarks: list[str] = []
    with reading.opened(input, remarks.append) as source:
        info = source.info
        blurred = {} if disparity is None else {"source_blur": _source_blur(source, disparity, remarks.append)}
    is_ = {name: _plain(value) for name, value in asdict(info).items()} | blurred | {"remarks": remarks}
    used = _what_would_be_used(info)
    lines = [*_lines(is_), "", "would be used", *("  " + line for line in _lines(used))]
    tell({**is_, "would_use": used}, "\n".join(lines), ReportOptions(json=json))


def _source_blur(source: "VideoSource", disparity: Path, notice: Callable[[str], None]) -> dict[str, float] | str:
    """The lens that a clip was shot through; in words where it counts as sharp."""
    from any2bokeh.clip_disparity import frame_numbers
    from any2bokeh.disparity import open_disparity
    from any2bokeh.source_blur.estimate import estimated_lens

    info = source.info
    maps = open_disparity(
        disparity,
        clip_frame_count=info.frame_count,
        frame_size=(info.width, info.height),
        frame_numbers=frame_numbers(source),
        dropped_frames=info.dropped_frames,
        notice=notice,
    )
    lens = estimated_lens(source, maps, range(info.frame_count)).lens
    return "none, the clip looks sharp" if lens is None else asdict(lens)


def _what_would_be_used(info: "VideoInfo") -> dict[str, Any]:
    defaults = EngineSettings()
    return {
        "engine": defaults.engine,
        "transfer": defaults.transfer_of(info),
        **{extension: _encoded_as(info, extension) for extension in CONTAINER_EXTENSIONS},
        "folder": "exr" if info.is_float else "png",
    }


def _encoded_as(info: "VideoInfo", extension: str) -> str:
    """The codec and the pixel format of a file with this extension, or why there is none."""
    try:
        codec = choose_codec(Encoding(), info, extension)
        return f"{codec.name} {choose_pixel_format(codec, Encoding(), info, extension)}"
    except InputError as error:
        return f"- ({error})"


def _lines(values: dict[str, Any]) -> list[str]:
    width = max(map(len, values))
    return [f"{name:<{width}}  {_shown(value)}" for name, value in values.items()]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items()) or "-"
    if isinstance(value, list):
        return "; ".join(map(_shown, value)) or "-"
    return "-" if value in (None, "") else str(value)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it; exact fractions as ``30000/1001``."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Fraction | Path) else value
