"""The public API as a page: what ``any2bokeh.__all__`` exports, grouped, each from its docstring."""

import any2bokeh

GROUPS = {
    "Refocus": ("refocus", "RefocusResult", "refocus_frames"),
    "Pictures in and out": ("open_source", "VideoInfo", "Encoding"),
    "Disparity": ("open_disparity", "DisparitySource", "open_estimator", "EstimatedDisparity"),
    "Focus": ("FocusScript", "FocusTrack", "Autofocus", "TrackerChoice"),
    "Renderers": ("Renderer", "RenderInput", "LayeredRenderer"),
    "Errors": ("InputError",),
}
"""Names under the headings of the page. What is exported and stands in no group comes last, as "More"."""

_INTRODUCTION = """# Python

What `import any2bokeh` offers, from its docstrings. Names are loaded when they are first used, so that the import
itself is quick. Shapes, units and signs are those of [Conventions](../conventions.md).
"""


def python_reference() -> str:
    """Every public name with a directive that mkdocstrings fills in, as Markdown."""
    grouped = {name for names in GROUPS.values() for name in names}
    exported = [name for name in any2bokeh.__all__ if not name.startswith("__")]
    more = tuple(name for name in exported if name not in grouped)
    parts = [_INTRODUCTION]
    for heading, names in (GROUPS | ({"More": more} if more else {})).items():
        parts += [f"## {heading}\n", *(_entry(name) for name in names if name in exported)]
    return "\n".join(parts)


def _entry(name: str) -> str:
    """The directive of the place where a public name is defined: the package itself only forwards to it."""
    public = getattr(any2bokeh, name)
    return f"::: {public.__module__}.{public.__qualname__}\n"
