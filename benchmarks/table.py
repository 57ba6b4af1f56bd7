"""Tables for a terminal."""

from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns wide enough for what they hold; numbers to the right."""
    widths = [max(len(line[column]) for line in [heads, *rows]) for column in range(len(heads))]
    numeric = [all(_is_number(row[column]) for row in rows) for column in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_number(cell: str) -> bool:
    return not cell.strip("+-0123456789.%x ") or cell in ("absent", "yes", "no")
