"""What a file holds beside pictures, sound and subtitles: attachments go along where they can, the rest is told."""

from pathlib import Path
from typing import Any

from av.stream import Disposition


def carry_attachments(source: Any, result: Any) -> int:
    """Copy the attachments (fonts, mostly) of an open source into a Matroska result; how many were left out."""
    attachments = [stream for stream in source.streams if stream.type == "attachment"]
    if result.format.name != "matroska":
        return len(attachments)
    for stream in attachments:
        result.add_stream_from_template(stream)
    return 0


def left_out(source: Any, video: Any, path: Path, *, attachments: int) -> list[str]:
    """Remarks on streams of an open source that a result does not have.

    Args:
        source: the open source.
        video: the stream of it that is refocused.
        path: its name.
        attachments: how many of those were not carried.
    """
    found: dict[str, int] = {}
    for stream in source.streams:
        if stream.type == "video" and stream.index != video.index:
            is_cover = bool(stream.disposition & Disposition.attached_pic)
            _count(found, "cover picture" if is_cover else "further video track")
        elif stream.type == "data" and not _is_timecode(stream) and not _is_chapter_list(source, stream):
            _count(found, "data track")
        elif stream.type == "unknown":
            _count(found, "track of an unknown kind")
    if attachments:
        found["attachment"] = attachments
    if not found:
        return []
    what = ", ".join(f"{count} {_plural(name, count)}" for name, count in found.items())
    verb = "is" if sum(found.values()) == 1 else "are"
    return [f"of {path}, {what} {verb} left out{'; only .mkv holds attachments' if attachments else ''}"]


def _count(found: dict[str, int], name: str) -> None:
    found[name] = found.get(name, 0) + 1


def _plural(name: str, count: int) -> str:
    if count == 1:
        return name
    return name.replace("track", "tracks") if "track" in name else f"{name}s"


def _is_chapter_list(source: Any, stream: Any) -> bool:
    # In MP4, the titles of chapters are a track, too.
    return "mp4" in source.format.name and stream.frames > 0 and stream.frames == len(source.chapters())


def _is_timecode(stream: Any) -> bool:
    # A track of time code reaches the result as such.
    return any(key.lower() == "timecode" for key in stream.metadata)
