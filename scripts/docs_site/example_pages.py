"""The scripts of ``examples/`` as a page."""

import ast
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

_INTRODUCTION = """# Examples

Short scripts that use the public API; each runs as it is, on the bundled clip, and in the tests of the project:
`python examples/NAME.py`.
"""


def example_pages() -> str:
    """Every example with what it says of itself, as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(path) for path in sorted(EXAMPLES.glob("*.py")))])


def _section(path: Path) -> str:
    source = path.read_text()
    tree = ast.parse(source)
    about = ast.get_docstring(tree) or ""
    title = path.stem.replace("_", " ").capitalize()
    code = source.split("\n", tree.body[0].end_lineno or 0)[-1].strip()
    return f"## {title}\n\n{about}\n\n```python\n{code}\n```\n"
