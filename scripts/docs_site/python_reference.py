"""The public API as a page: what ``any2bokeh.__all__`` exports, and parts of it, each from its docstring."""

import any2bokeh

GROUPS = {
    "Refocus": ("refocus", "Recipe", "RefocusResult", "refocus_frames", "load_recipe", "save_recipe"),
    "Pictures in and out": ("open_source", "VideoInfo", "Encoding"),
    "Disparity": ("open_disparity", "DisparitySource", "DepthModel", "open_estimator", "EstimatedDisparity"),
    "Focus": ("FocusScript", "FocusTrack", "Autofocus", "TrackerChoice"),
    "Renderers": ("Renderer", "RenderInput", "LayeredRenderer"),
    "Errors": ("InputError",),
}
"""Names under the headings of the page. What is exported and stands in no group comes last, as "More"."""

PARTS = {
    "Parts of a focus script": (
        "any2bokeh.focus.script.Keyframe",
        "any2bokeh.focus.target.DisparityTarget",
        "any2bokeh.focus.target.PointTarget",
        "any2bokeh.focus.target.BoxTarget",
        "any2bokeh.focus.target.MaskTarget",
        "any2bokeh.focus.text.TextSubject",
    ),
    "Parts of a lens": (
        "any2bokeh.optics.lens.Lens",
        "any2bokeh.optics.aperture.Disc",
        "any2bokeh.optics.aperture.Polygon",
        "any2bokeh.optics.aperture.ImageAperture",
        "any2bokeh.optics.profile.BokehProfile",
        "any2bokeh.optics.vignetting.Vignetting",
        "any2bokeh.optics.highlights.Highlights",
        "any2bokeh.optics.focus_range.FocusRange",
    ),
    "A depth model of your own": (
        "any2bokeh.disparity.estimators.base.DepthEstimator",
        "any2bokeh.disparity.estimators.base.MapMeaning",
    ),
    "One frame": (
        "any2bokeh.preview.preview",
        "any2bokeh.preview.Preview",
        "any2bokeh.preview.write_preview",
        "any2bokeh.preview.focal_plane_overlay",
    ),
}
"""What the examples take from the package's folders, under the headings of the page."""

_INTRODUCTION = """# Python

What `import any2bokeh` offers, and after it the parts that its arguments are made of. Names of the package are loaded
when they are first used, so that the import itself is quick. Shapes, units and signs are those of
[Conventions](../conventions.md).
"""


def python_reference() -> str:
    """Every public name with a directive that mkdocstrings fills in, as Markdown."""
    grouped = {name for names in GROUPS.values() for name in names}
    exported = [name for name in any2bokeh.__all__ if not name.startswith("__")]
    more = tuple(name for name in exported if name not in grouped)
    parts = [_INTRODUCTION]
    for heading, names in (GROUPS | ({"More": more} if more else {})).items():
        parts += [f"## {heading}\n", *(_entry(name) for name in names if name in exported)]
    for heading, places in PARTS.items():
        parts += [f"## {heading}\n", *(f"::: {place}\n" for place in places)]
    return "\n".join(parts)


def _entry(name: str) -> str:
    """The directive of the place where a public name is defined: the package itself only forwards to it."""
    public = getattr(any2bokeh, name)
    return f"::: {public.__module__}.{public.__qualname__}\n"
