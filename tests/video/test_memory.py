"""Memory does not grow with the clip."""

import gc
from pathlib import Path

import psutil

from any2bokeh.video import open_sink, open_source
from tests.video.native_clips import write_clip


def test_memory_is_flat_in_clip_length(tmp_path: Path) -> None:
    size = (320, 192)
    picture_bytes = 3 * 4 * size[0] * size[1]
    clip = write_clip(tmp_path / "in.mp4", size=size, frames=180, sound="aac", options={"preset": "ultrafast"})
    process = psutil.Process()
    used = []
    with open_source(clip) as source, open_sink(tmp_path / "out.mp4", source) as sink:
        for frame in source.frames():
            sink.write(frame, frame.pixels.copy())
            # The encoder's look-ahead fills up during the first 60 frames.
            if frame.index % 60 == 59:
                gc.collect()
                used.append(process.memory_info().rss)
    # 120 frames held back would be 88 MB; worst seen 0.1 MB.
    assert max(used) - used[0] < 12 * picture_bytes
