"""Decode and encode: video files and image sequences, streamed, with timing, sound and colour kept."""

from any2bokeh.video.encoding import Encoding
from any2bokeh.video.frame import Frame
from any2bokeh.video.info import AudioInfo, ColorTags, VideoInfo
from any2bokeh.video.opening import open_sink, open_source
from any2bokeh.video.reading import Reading
from any2bokeh.video.sequence import natural_sorted
from any2bokeh.video.sink import VideoSink
from any2bokeh.video.source import VideoSource

__all__ = [
    "AudioInfo",
    "ColorTags",
    "Encoding",
    "Frame",
    "Reading",
    "VideoInfo",
    "VideoSink",
    "VideoSource",
    "natural_sorted",
    "open_sink",
    "open_source",
]
