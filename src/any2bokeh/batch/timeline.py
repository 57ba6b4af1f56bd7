"""Timelines of editors: their clips as items of a batch, and the same timeline with the results in their place."""

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from any2bokeh import json_file
from any2bokeh.batch.item import Item, Outcome
from any2bokeh.batch.timeline_media import (
    Media,
    MediaFolder,
    Opened,
    exact_rate,
    local_path,
    sequence_path,
    url_of,
)
from any2bokeh.batch.timeline_use import Span, span_of
from any2bokeh.errors import InputError, alternatives, require_extra, shown
from any2bokeh.pending_output import writing
from any2bokeh.video.opening import CONTAINER_EXTENSIONS
from any2bokeh.video.sequence import is_image

SUFFIXES = frozenset({".otio", ".xml", ".fcpxml", ".edl", ".aaf"})
"""Files that are timelines: .otio always, the others where an adapter of OpenTimelineIO is installed."""

_KEY = "any2bokeh"
"""Of metadata: in a clip's, fields of its recipe; in that of media, what a result was made of."""
_ADAPTERS = {
    ".xml": "otio-fcp-adapter",
    ".fcpxml": "otio-fcpx-xml-adapter",
    ".edl": "otio-cmx3600-adapter",
    ".aaf": "otio-aaf-adapter",
}
# The adapter of .fcpxml does not read again what it writes.
_WRITTEN = (".otio", ".xml")
# Readers of the first schema are all there is; newer ones raise it as they read.
_SCHEMAS = {"Clip": 1}


@dataclass(frozen=True, slots=True)
class _Use:
    """A clip of a timeline that is refocused: its place among all clips, and what it shows of which media."""

    number: int
    item: Item
    media: Media | None = None
    span: Span | None = None


class Timeline:
    """A timeline file.

    Args:
        path: of the file.
        fps: in which an edit decision list (.edl) counts, which does not say it; None = 24. Of no other kind.

    Raises:
        InputError: it cannot be read, OpenTimelineIO or an adapter is missing, or it holds no timeline.
    """

    def __init__(self, path: Path, fps: Fraction | None = None) -> None:
        with require_extra(f"timeline {path}", "timeline"):
            import opentimelineio as otio  # pyright: ignore[reportMissingImports]
        self.path, self._otio = path, otio
        self._root = self._read({} if fps is None or not is_edit_list(path) else {"rate": float(fps)})
        self._uses: list[_Use] = []
        self.remarks: list[str] = []
        """What became of what is not refocused, one line each."""

    def items(
        self,
        output: Path,
        result_name: Callable[[Path, bool], str],
        opened: Opened,
        *,
        handles: int,
        media: MediaFolder,
    ) -> list[Item]:
        """The clips that are refocused, each with the part that it shows; the same part of the same media is one item.

        Args:
            output: folder for the results.
            result_name: of a path, and whether it is a sequence of images.
            opened: opens media.
            handles: frames more on either side of what a clip shows.
            media: where media is looked for that is not where the timeline has it.

        Returns:
            Items, one that cannot be rendered with a ``problem``.

        Raises:
            InputError: no clip of the timeline can be refocused.
        """
        self._uses, self.remarks = [], []
        known: dict[tuple[Path, str | None], Media] = {}
        named: dict[str, tuple[Any, ...]] = {}
        items: dict[tuple[Any, ...], Item] = {}
        for number, clip in enumerate(self._root.find_clips()):
            kept = self._kept_because(clip)
            title = f"{self.path.name}, clip {clip.name or number + 1}"
            fields = _plain(clip.metadata.get(_KEY, {}))
            path, span = Path(clip.name), None
            try:
                found, rate, first_number = (None, None, None) if kept else self._media_of(clip, media)
                if found is None:
                    self._tell(clip, f"{kept or 'has no media'}; it is kept as it is")
                    continue
                path = found
                if not isinstance(fields, Mapping):
                    raise InputError(
                        f"{_KEY} in its metadata is {shown(fields)}; give an object with fields of a recipe"
                    )
                if (path, rate) not in known:
                    known[path, rate] = Media.at(path, opened, rate)
                span = span_of(clip, known[path, rate], first_number, handles, partial(self._tell, clip))
            except InputError as error:
                problem = f"{title}: {error}"
                items[number,] = Item(path, output / path.name, title=title, root=self.path.parent, problem=problem)
                self._uses.append(_Use(number, items[number,]))
                continue
            key = (path, rate, span.start, span.stop, repr(fields))
            if key not in items:
                place = output / _name_of(span, result_name(path, rate is not None), key, named)
                part = f"{span.start}:{span.stop}"
                items[key] = Item(path, place, Path(), fields, part, title, self.path.parent, fps=rate)
            self._uses.append(_Use(number, items[key], known[path, rate], span))
        self._tell_of_the_rest()
        if not items:
            raise InputError(
                f"{self.path} has no clip that can be refocused; {'; '.join(self.remarks) or 'it is empty'}"
            )
        return list(items.values())

    def result_path(self, output: Path) -> Path:
        """Where the timeline of the results goes, unless it is said: into their folder, under the timeline's name."""
        suffix = self.path.suffix.lower()
        return output / (self.path.name if suffix in _WRITTEN else f"{self.path.stem}.otio")

    def require_writable(self, path: Path, *, overwrite: bool) -> None:
        """Refuse a timeline of the results that cannot be written, before any of the ``items`` is rendered.

        Raises:
            InputError: it is the timeline itself, of another kind, the kind cannot hold this timeline, or
                it exists and is not, as it is, what a batch wrote; ``overwrite`` allows the last.
        """
        from any2bokeh.batch.record import Record  # brings the renderer, which `--help` does not wait for

        if path.resolve() == self.path.resolve():
            raise InputError(f"{path} is the timeline that is read and would be replaced; give --timeline another name")
        if path.exists() and not (overwrite or Record(path).may_be_replaced):
            raise InputError(
                f"{path} exists already, and no batch has made it as it is; move it away or pass --overwrite"
            )
        root, _ = self._with_results(_expected, path)
        self._text(root, path)

    def write(self, path: Path, outcomes: Iterable[Outcome], opened: Opened) -> list[str]:
        """Write the timeline with the results in place of their media.

        Args:
            path: its suffix says the kind.
            outcomes: of the items; a clip whose item failed keeps its media.
            opened: opens results.

        Returns:
            What the user should know: the clips that kept their media.

        Raises:
            InputError: it cannot be written.
        """
        from any2bokeh.batch.record import Record

        done = {id(each.item): each for each in outcomes}
        results: dict[int, Media] = {}

        def result_of(use: _Use) -> Media | None:
            outcome = done.get(id(use.item))
            if outcome is None or outcome.state == "failed" or use.media is None:
                return None
            if id(use.item) not in results:
                results[id(use.item)] = Media.at(use.item.output, opened, use.item.fps)
            return results[id(use.item)]

        root, kept = self._with_results(result_of, path)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        record, made_of = Record(path), {"timeline": self.path.name}
        record.begin(made_of, 0)
        json_file.write_text(self._text(root, path), path, "timeline")
        record.finish(made_of, 0)
        return kept

    def _with_results(self, result_of: "Callable[[_Use], Media | None]", path: Path) -> tuple[Any, list[str]]:
        """The timeline for a path, and what is said of the clips that have no result."""
        root, kept = self._root.deepcopy(), list[str]()
        clips = list(root.find_clips())
        for clip in clips:
            self._anchor(clip)
        for use in self._uses:
            clip, result = clips[use.number], result_of(use)
            if result is None:
                kept.append(f"clip {clip.name} keeps its own media, as it was not refocused")
            else:
                self._put(clip, use, result, path)
        return root, kept

    def _read(self, options: dict[str, float]) -> Any:
        suffix = self.path.suffix.lower()
        try:
            root = self._otio.adapters.read_from_file(str(self.path), **options)
        except self._otio.exceptions.NoKnownAdapterForExtensionError:
            package = _ADAPTERS.get(suffix, "an adapter of OpenTimelineIO for it")
            raise InputError(f"OpenTimelineIO does not read {suffix} files yet; pip install {package}") from None
        except Exception as error:  # adapters raise whatever they like about a file that is none of theirs
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            remedy = "say its rate with --fps, or export it again" if is_edit_list(self.path) else "export it again"
            raise InputError(f"timeline {self.path} cannot be read ({reason}); {remedy}") from None
        if not hasattr(root, "find_clips"):
            raise InputError(f"{self.path} holds a {type(root).__name__} and no timeline; export a timeline")
        return root

    def _kept_because(self, clip: Any) -> str | None:
        """Why a clip is not refocused; None where it is."""
        schema, reference = self._otio.schema, clip.media_reference
        own = clip.metadata.get(_KEY, {})
        if _is_sound(clip, schema):
            return "is sound"
        if not clip.enabled:
            return "is disabled"
        if isinstance(own, Mapping) and own.get("skip") is True:
            return "is to be skipped"
        if isinstance(reference, schema.GeneratorReference):
            return f"is made by the editor ({reference.generator_kind or 'generator'})"
        if _KEY in reference.metadata:
            return "is a result of any2bokeh already"
        known = schema.MissingReference, schema.ExternalReference, schema.ImageSequenceReference
        if not isinstance(reference, known):
            return f"refers to a {type(reference).__name__}, which is not supported"
        if isinstance(reference, schema.ImageSequenceReference) and reference.frame_step != 1:
            return f"shows one of {reference.frame_step} images only, which is not supported"
        return None

    def _media_of(self, clip: Any, media: MediaFolder) -> tuple[Path | None, str | None, int | None]:
        """Path, rate of images, and number of the first image of what a clip refers to; no path where it is missing.

        Raises:
            InputError: see ``MediaFolder.found``.
        """
        reference, folder = clip.media_reference, self.path.parent
        if isinstance(reference, self._otio.schema.ImageSequenceReference):
            path = sequence_path(reference, folder) or Path(reference.target_url_base)
            return path, str(Fraction(exact_rate(reference.rate or 24))), reference.start_frame
        url = getattr(reference, "target_url", "")
        if not url:
            return media.found(reference.name) or media.found(clip.name), None, None
        path = local_path(url, folder) or Path(url)
        if not path.exists():
            path = media.found(path.name) or path
        return path, None, None

    def _tell(self, clip: Any, text: str) -> None:
        self.remarks.append(f"clip {clip.name or '(unnamed)'} of {self.path.name} {text}")

    def _tell_of_the_rest(self) -> None:
        """What else is kept as it is, once for a kind."""
        schema, clips = self._otio.schema, list(self._root.find_clips())
        transitions = len(self._root.find_children(descended_from_type=schema.Transition))
        stacks = self._root.find_children(descended_from_type=schema.Stack)
        nested = sum(each.parent() is not None for each in stacks)
        effects = {
            each.effect_name or each.name or type(each).__name__
            for clip in clips
            for each in clip.effects
            if not isinstance(each, schema.TimeEffect)
        }
        several = sum(len(clip.media_references()) > 1 for clip in clips)
        told = {
            f"{_counted(transitions, 'transition')}; the frames under them are refocused, too": transitions,
            f"{_counted(nested, 'nested sequence')}; the clips in them are refocused, also where they are not "
            "seen because the sequence is trimmed": nested,
            f"effects ({', '.join(sorted(effects))}), which the editor applies to the results": effects,
            f"{_counted(several, 'clip')} with several media; the active one is refocused, and the timeline of the "
            "results has no other": several,
        }
        self.remarks += [f"{self.path.name} has {text}" for text, is_there in told.items() if is_there]

    def _anchor(self, clip: Any) -> None:
        """Make paths absolute that count from the folder of the timeline: the one that is written lies elsewhere."""
        schema = self._otio.schema
        for reference in clip.media_references().values():
            for name in ("target_url", "target_url_base"):
                url = getattr(reference, name, None)
                if url and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]", url):
                    end = "/" if isinstance(reference, schema.ImageSequenceReference) else ""
                    setattr(reference, name, f"{(self.path.parent / url).absolute()}{end}")

    def _put(self, clip: Any, use: _Use, result: Media, path: Path) -> None:
        """Let a clip show the same frames of a result, which counts as ``Media.begins_at`` says."""
        time = self._otio.opentime
        assert use.media is not None
        assert use.span is not None
        fps, old = use.media.fps, clip.media_reference
        begin = clip.source_range or old.available_range
        if begin is None:
            begin = time.TimeRange(
                time.RationalTime(0, float(fps)), time.RationalTime(use.media.frame_count, float(fps))
            )
        rate = begin.start_time.rate

        def at(frames: Fraction | int) -> Any:
            is_alike = round(rate) == round(fps)
            return time.RationalTime(float(frames if is_alike else frames * exact_rate(rate) / fps), rate)

        start = at(result.begins_at + use.span.first - use.span.start)
        for marker in clip.markers:
            marked = marker.marked_range
            moved = (marked.start_time + (start - begin.start_time)).rescaled_to(marked.start_time.rate)
            marker.marked_range = time.TimeRange(moved, marked.duration)
        clip.source_range = time.TimeRange(start, begin.duration)
        own_rate = rate if round(rate) == round(fps) else float(fps)
        available = time.TimeRange(
            time.RationalTime(result.begins_at, own_rate), time.RationalTime(result.frame_count, own_rate)
        )
        like = getattr(old, "target_url", None) or getattr(old, "target_url_base", None) or ""
        new = self._reference(result, "file://localhost/" if path.suffix.lower() == ".xml" else like)
        new.name, new.available_range = result.path.name, available
        new.metadata[_KEY] = {"media": like or str(use.media.path), "frames": f"{use.span.start}:{use.span.stop}"}
        if result.timecode is not None and result.timecode.drop:
            new.metadata["fcp_xml"] = {"timecode": {"displayformat": "DF"}}
        clip.set_media_references({"DEFAULT_MEDIA": new}, "DEFAULT_MEDIA")
        # Premiere takes clips of one master for clips of one file.
        if isinstance(kept := clip.metadata.get("fcp_xml"), MutableMapping):
            kept.pop("masterclipid", None)

    def _reference(self, result: Media, like: str) -> Any:
        """To a file, or to a folder of images."""
        schema = self._otio.schema
        if not result.path.is_dir() or result.numbers is None:
            return schema.ExternalReference(target_url=url_of(result.path, like))
        numbers = result.numbers
        extension = next(each.suffix for each in sorted(result.path.iterdir()) if is_image(each))
        return schema.ImageSequenceReference(
            target_url_base=url_of(result.path, like).rstrip("/") + "/",
            name_prefix=numbers.prefix,
            name_suffix=f"{numbers.suffix}{extension}",
            start_frame=result.begins_at,
            rate=float(result.fps),
            frame_zero_padding=len(numbers.spelled[0]),
        )

    def _text(self, root: Any, path: Path) -> str:
        """A timeline as the text of a file."""
        adapters, schema, suffix = self._otio.adapters, self._otio.schema, path.suffix.lower()
        if suffix not in _WRITTEN:
            raise InputError(f"--timeline {path} is {suffix or 'no'} file; allowed is {alternatives(_WRITTEN)}")
        for clip in root.find_clips() if suffix != ".otio" else ():
            reference = clip.media_reference
            if isinstance(reference, schema.ExternalReference) and reference.available_range is None:
                raise InputError(
                    f"{path} has to say which frames the media of each clip has, and {self.path.name} does not say it "
                    f"of clip {clip.name}, which keeps its own; give --timeline a name with .otio"
                )
        try:
            if suffix == ".otio":
                return adapters.write_to_string(root, "otio_json", target_schema_versions=_SCHEMAS)
            return adapters.write_to_string(root, adapters.from_filepath(str(path)).name)
        except self._otio.exceptions.NoKnownAdapterForExtensionError:
            raise InputError(
                f"OpenTimelineIO does not write {suffix} files yet; pip install {_ADAPTERS[suffix]}"
            ) from None
        except Exception as error:  # adapters raise whatever they like about what their format lacks
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise InputError(
                f"{path} cannot hold what is in {self.path.name} ({reason}); give --timeline a name with .otio"
            ) from None


def _expected(use: _Use) -> Media | None:
    """The result of a clip as it will be, as far as a timeline says it."""
    media, span = use.media, use.span
    if media is None or span is None:
        return None
    timecode = None if media.timecode is None else media.timecode.advanced(span.start)
    return replace(media, path=use.item.output, frame_count=span.stop - span.start, timecode=timecode, numbers=None)


def is_edit_list(path: Path) -> bool:
    """Whether a timeline is an edit decision list, which does not say its rate."""
    return path.suffix.lower() == ".edl"


def _is_sound(clip: Any, schema: Any) -> bool:
    parent = clip.parent()
    while parent is not None and not isinstance(parent, schema.Track):
        parent = parent.parent()
    return parent is not None and parent.kind == schema.TrackKind.Audio


def _name_of(span: Span, name: str, key: tuple[Any, ...], named: dict[str, tuple[Any, ...]]) -> str:
    """A result's name, by the part of its media; a second one of the same name is numbered."""
    extension = Path(name).suffix if Path(name).suffix.lower() in CONTAINER_EXTENSIONS else ""
    begin = f"{name.removesuffix(extension)}_{span.start:06d}-{span.stop - 1:06d}"
    tries = (f"{begin}{more}{extension}" for more in ("", *(f"_{number}" for number in range(2, 10_000))))
    return next(each for each in tries if named.setdefault(each.casefold(), key) == key)


def _plain(value: Any) -> Any:
    """Metadata as plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
