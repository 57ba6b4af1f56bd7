"""``any2bokeh lenses``: the lenses that ``--lens`` knows."""

from pathlib import Path
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.optics.catalogue import NamedLens, lenses

_SHOWN = ("name", "f_number", "focal_length_mm", "sensor", "about")


def lenses_command(
    report: ReportOptions,
    lens_file: Annotated[
        Path | None,
        option(
            "--lens-file",
            help="TOML file with lenses of your own, to list them too.",
            common=True,
            panel=Group.OTHER,
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """List the lenses that --lens takes, with their focal length, f-number and sensor width."""
    known = lenses(lens_file)
    width = max(map(len, known))
    lines = [f"{name:<{width}}  {_numbers(lens)}  {lens.about}".rstrip() for name, lens in known.items()]
    result = {name: {key: getattr(lens, key) for key in _SHOWN} | lens.look.numbers() for name, lens in known.items()}
    tell({"lenses": result}, "\n".join(lines), report)


def _numbers(lens: NamedLens) -> str:
    return f"{lens.focal_length_mm:5g} mm  f/{lens.f_number:<4g} {lens.sensor_width_mm:5g} mm wide"
