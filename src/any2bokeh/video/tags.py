"""What a file says of itself: title, camera, place and time of the recording."""

from collections.abc import Mapping

# Written by muxers about the file that they make, or by us for a part of it; untrue of any other.
_FILE_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "timecode")
# What the plain tags of MP4 hold (those of iTunes), by FFmpeg's names; anything else needs the list of free keys.
_PLAIN = frozenset(
    {
        "title",
        "artist",
        "album_artist",
        "composer",
        "album",
        "date",
        "comment",
        "genre",
        "copyright",
        "grouping",
        "lyrics",
        "description",
        "synopsis",
        "show",
        "episode_id",
        "network",
        "keywords",
        "episode_sort",
        "season_number",
        "media_type",
        "hd_video",
        "gapless_playback",
        "compilation",
        "track",
        "disc",
        "sort_name",
        "sort_artist",
        "sort_album_artist",
        "sort_album",
        "sort_composer",
        "sort_show",
        "creation_time",
        "language",
    }
)
_APPLE_PLACE = "com.apple.quicktime.location.ISO6709"


def result_tags(tags: Mapping[str, str], extension: str) -> dict[str, str]:
    """The tags of a result, given those of its source.

    Args:
        tags: FFmpeg's names and values; Matroska's are in capitals.
        extension: of the result.
    """
    kept = {name: value for name, value in tags.items() if name.lower() not in _FILE_TAGS}
    if extension in (".mp4", ".mov"):
        # Matroska's capitals are no names that players of MP4 know.
        kept = {_common_name(name): value for name, value in kept.items()}
        if "location" in kept:
            # Phones of one maker write the place so, those of the other read it there.
            kept.setdefault(_APPLE_PLACE, kept["location"])
            kept = {name: value for name, value in kept.items() if not name.startswith("location-")}
    return kept


def needs_free_keys(tags: Mapping[str, str]) -> bool:
    """Whether MP4 must write its tags as a list of free keys (``movflags use_metadata_tags``)."""
    return any(name.lower() not in _PLAIN for name in tags)


def _common_name(name: str) -> str:
    if name.isupper():
        lower = name.lower()
        if lower == _APPLE_PLACE.lower():
            return _APPLE_PLACE
        return lower
    return name
