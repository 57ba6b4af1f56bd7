"""The licence of a model's weights, as its card states it."""

import re
from pathlib import Path

CARD_FILE = "README.md"

PERMISSIVE = ("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "bsd", "isc", "cc0-1.0", "cc-by-4.0", "unlicense")
"""Licences, as model cards write them, that allow any use."""


def is_permissive(licence: str) -> bool:
    """Whether a licence, as model cards write it, allows any use."""
    return licence.lower() in PERMISSIVE


def stated_licence(folder: Path) -> str | None:
    """The licence in the head of a model card; None where there is no card, or it states none."""
    try:
        card = (folder / CARD_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    head = re.match(r"---\s*\n(.*?)\n---", card, re.DOTALL)
    if not head:
        return None
    stated: dict[str, str] = dict(re.findall(r"^(license|license_name):\s*(\S+)", head[1], re.MULTILINE))
    licence = stated.get("license")
    return stated.get("license_name", licence) if licence == "other" else licence
