"""Whole frames of interlaced ones."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

import av
import av.error
import av.filter

NEIGHBOURS = 1
"""How many frames on either side a frame is made from."""

_TICK = Fraction(1, 1000)
Tag = TypeVar("Tag")


def deinterlaced(pictures: Iterable[tuple[Tag, av.VideoFrame]]) -> Iterator[tuple[Tag, av.VideoFrame]]:
    """One whole frame for each picture, from its own fields and those of its neighbours; tags go with them.

    Pictures that do not say that they are interlaced pass as they are. The first and the last picture have a neighbour
    on one side only: give ``NEIGHBOURS`` more at either end to have what reading the whole clip gives.

    Source: FFmpeg's ``bwdif`` filter (Bob Weaver's, after BBC R&D's w3fdif and yadif), one frame for each frame.
    """
    bwdif: _Bwdif | None = None
    for tag, picture in pictures:
        if bwdif is None or not bwdif.takes(picture):
            if bwdif is not None:
                yield from bwdif.rest()
            bwdif = _Bwdif(picture)
        yield from bwdif.put(tag, picture)
    if bwdif is not None:
        yield from bwdif.rest()


class _Bwdif:
    """The filter, for pictures of one size and format."""

    def __init__(self, picture: av.VideoFrame) -> None:
        self._layout = _layout(picture)
        self._tags: deque = deque()
        self._count = 0
        width, height, pixel_format = self._layout
        self._graph = av.filter.Graph()
        begin = self._graph.add_buffer(width=width, height=height, format=av.VideoFormat(pixel_format), time_base=_TICK)
        bwdif = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        self._graph.link_nodes(begin, bwdif, self._graph.add("buffersink")).configure()

    def takes(self, picture: av.VideoFrame) -> bool:
        return _layout(picture) == self._layout

    def put(self, tag: Tag, picture: av.VideoFrame) -> Iterator[tuple[Tag, av.VideoFrame]]:
        picture.pts, picture.time_base = self._count, _TICK
        self._count += 1
        self._tags.append(tag)
        self._graph.vpush(picture)
        return self._made()

    def rest(self) -> Iterator[tuple]:
        self._graph.vpush(None)
        return self._made()

    def _made(self) -> Iterator[tuple]:
        while True:
            try:
                picture = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield self._tags.popleft(), picture


def _layout(picture: av.VideoFrame) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name
