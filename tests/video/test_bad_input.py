"""What the user can mend is told in one line, and nothing is left behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.refocusing import refocus_frames
from any2bokeh.video import Encoding, Frame, Reading, VideoSource, open_sink, open_source
from tests.video.native_clips import FRAMES, add_sound, write_clip, write_tone


def write_images(folder: Path, count: int = 4, *, size: tuple[int, int] = (8, 6)) -> Path:
    folder.mkdir(exist_ok=True)
    for index in range(count):
        image = np.full((size[1], size[0], 3), 20 * index, np.uint8)
        assert cv2.imwrite(str(folder / f"{index:03d}.png"), image)
    return folder


def read_all(path: Path, *, strict: bool = False) -> list[Frame]:
    with open_source(path, reading=Reading(strict=strict)) as source:
        return list(source.frames())


def names_in(folder: Path) -> list[str]:
    """What a folder holds, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def write_all(
    source: VideoSource, path: Path, encoding: Encoding | None = None, *, midway: Callable[[], None] = lambda: None
) -> None:
    """Write every frame; ``midway`` is called once the output is open and two frames are in it."""
    with open_sink(path, source, encoding=encoding) as sink:
        for frame in source.frames():
            if frame.index == 2:
                midway()
            sink.write(frame, frame.pixels)


def complaint(path: Path, *, strict: bool = False) -> str:
    """The one line that reading ``path`` ends with."""
    with pytest.raises(InputError) as caught:
        read_all(path, strict=strict)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    assert complaint(tmp_path / "none.mp4") == f"{tmp_path}/none.mp4 does not exist; check the path"


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert "empty.mp4 is empty (0 bytes)" in complaint(tmp_path / "empty.mp4")


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4"])
def test_not_a_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear diary, " * 500)
    assert f"{name} cannot be read as a video" in complaint(tmp_path / name)


def test_sound_alone(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.m4a"), "w") as container:
        write_tone(container, add_sound(container, "aac"), 0.5)
    assert "song.m4a has no video stream with frames" in complaint(tmp_path / "song.m4a")


@pytest.mark.parametrize("name", ["none.mp4", "none.avi"])
def test_no_frames(tmp_path: Path, name: str) -> None:
    with av.open(str(tmp_path / name), "w") as container:
        container.add_stream("mpeg4", rate=24)
        container.start_encoding()
    assert f"{name} has no video stream with frames" in complaint(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("fast.mp4", "libx264", {"movflags": "+faststart"}),
        ("clip.mkv", "libx264", {}),
        ("clip.webm", "libvpx-vp9", {}),
        ("clip.avi", "mpeg4", {}),
    ],
)
def test_cut_short(tmp_path: Path, name: str, encoder: str, options: dict[str, str]) -> None:
    clip = write_clip(tmp_path / name, encoder=encoder, noise=True, container_options=options)
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 6 // 10])
    told = complaint(clip)
    assert f"{name} is cut short: " in told
    there = int(told.split("cut short: ")[1].split()[0])
    assert 1 <= there < FRAMES
    assert "bytes are missing" in told


def test_cut_short_before_its_index(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", noise=True)
    clip.write_bytes(clip.read_bytes()[:2000])
    assert "it is cut short, so its index is missing" in complaint(clip)


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", noise=True, size=(128, 96), options={"bf": "0"})
    with av.open(str(clip)) as container:
        fifth = [bytes(packet) for packet in container.demux(video=0) if packet.size][5]
    data = clip.read_bytes()
    begin = data.index(fifth) + len(fifth) // 3
    clip.write_bytes(data[:begin] + bytes(100) + data[begin + 100 :])
    assert complaint(clip, strict=True).startswith(
        f"{clip} is damaged: frame 5 of {FRAMES} is incomplete, 5 were decoded"
    )


def test_sizes_that_change_in_a_sequence(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "in")
    cv2.imwrite(str(folder / "002.png"), np.zeros((6, 9, 3), np.uint8))
    told = complaint(folder)
    assert told.startswith(f"{folder}/002.png is 9x6 but 000.png is 8x6")


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "exr"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"junk" * 99])
def test_damaged_image_is_named(
    tmp_path: Path, extension: str, damage: Callable[[bytes], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    from any2bokeh.video.image import write_exr

    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    for index in range(3):
        path = tmp_path / f"{index}.{extension}"
        if extension == "exr":
            write_exr(path, image.astype(np.float32))
        else:
            assert cv2.imwrite(str(path), image)
    path = tmp_path / f"1.{extension}"
    path.write_bytes(damage(path.read_bytes()))
    assert complaint(tmp_path).startswith(f"{path} ")
    assert capfd.readouterr().err == ""


def test_nothing_in_a_folder_or_pattern(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    assert "holds no images" in complaint(tmp_path)
    assert "no file matches" in complaint(tmp_path / "*.png")
    assert "no image among the 1 files" in complaint(tmp_path / "*.txt")


@pytest.mark.parametrize("size", [(65536, 1), (1, 65536)])
def test_a_side_that_16_bits_do_not_count(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = write_images(tmp_path / "frames", 1, size=size)
    with pytest.raises(InputError, match=f"frames is {size[0]}x{size[1]} px; a side may have 65535 px at most"):
        open_source(folder)
    width, height = (min(65535, side) for side in size)
    open_source(write_images(tmp_path / "frames", 1, size=(width, height))).close()
    pixels = np.zeros((1, 3, size[1], size[0]), np.float32)
    with pytest.raises(InputError, match="frame is"):
        refocus_frames(pixels, pixels[:, :1], 0.5, 1)


def test_mixed_folder(tmp_path: Path) -> None:
    write_images(tmp_path)
    cv2.imwrite(str(tmp_path / "0.jpg"), np.zeros((6, 8, 3), np.uint8))
    assert "mixes .jpg and .png images" in complaint(tmp_path)


@pytest.mark.parametrize("fps", [0, -1, "fast", "1/0", float("nan"), 1e9])
def test_fps_that_is_none(tmp_path: Path, fps: float | str) -> None:
    with pytest.raises(InputError, match="fps is"):
        open_source(write_images(tmp_path / "in"), fps=fps)


def test_fps_of_a_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="time stamps of its own"):
        open_source(write_clip(tmp_path / "in.mp4"), fps=30)


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_missing_parent_folder(tmp_path: Path, name: str) -> None:
    source = open_source(write_images(tmp_path / "in"))
    with pytest.raises(InputError, match=r"there is no folder .*nowhere; create it first"):
        open_sink(tmp_path / "nowhere" / name, source)


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_unwritable_place(tmp_path: Path, name: str) -> None:
    # Not even root may create files here.
    source = open_source(write_images(tmp_path / "in"))
    with pytest.raises(InputError, match=f"cannot write /proc/{name}"):
        open_sink(Path("/proc") / name, source)


def test_existing_output(tmp_path: Path) -> None:
    source = open_source(write_images(tmp_path / "in"))
    (tmp_path / "out.mp4").write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        open_sink(tmp_path / "out.mp4", source)
    assert (tmp_path / "out.mp4").read_text() == "precious"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        open_sink(tmp_path / "out", source)


def test_output_that_is_the_input(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4")
    (tmp_path / "link.mp4").symlink_to(clip)
    for path in (clip, tmp_path / "link.mp4"):
        with pytest.raises(InputError, match="is the input itself"):
            open_sink(path, open_source(clip), overwrite=True)
    folder = write_images(tmp_path / "images")
    for given in (folder, folder / "*.png", folder / "000.png"):
        with pytest.raises(InputError, match="the input itself"):
            open_sink(folder, open_source(given), overwrite=True)
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, InputError])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
def test_nothing_is_left_after_an_exception(tmp_path: Path, name: str, kind: type[BaseException]) -> None:
    source = open_source(write_images(tmp_path / "in"))

    def stop() -> None:
        assert len(names_in(tmp_path)) == 3  # the input, the pending output and its claim
        raise kind("stop")

    with pytest.raises(kind, match="stop"):
        write_all(source, tmp_path / name, midway=stop)
    assert names_in(tmp_path) == ["in"]


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_nothing_is_left_of_a_sink_that_was_dropped(tmp_path: Path, name: str) -> None:
    sink = open_sink(tmp_path / name, open_source(write_images(tmp_path / "in")))
    assert len(names_in(tmp_path)) == 3  # the input, the pending output and its claim
    del sink
    assert names_in(tmp_path) == ["in"]


@pytest.mark.parametrize("encoding", [Encoding(), Encoding("ffv1")])
def test_full_disk(tmp_path: Path, encoding: Encoding) -> None:
    source = open_source(write_clip(tmp_path / "in.mkv", encoder="ffv1", noise=True, size=(128, 96)))

    def fill() -> None:
        # Every write to this device says that the disk is full; the muxer holds the file open, so its descriptor is
        # what has to be exchanged.
        _redirect(next(tmp_path.glob(".out*")), "/dev/full")

    with pytest.raises(InputError, match=r"disk full while writing .*out\.mkv; free some space"):
        write_all(source, tmp_path / "out.mkv", encoding, midway=fill)
    assert names_in(tmp_path) == ["in.mkv"]


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        (Encoding("png"), r"disk full while writing .*/out; free some space"),
        # The EXR writer does not say why.
        (Encoding("exr"), r"cannot write .*/out: .*; check free space"),
    ],
)
def test_full_disk_of_a_folder(tmp_path: Path, encoding: Encoding, message: str) -> None:
    source = open_source(write_images(tmp_path / "in", size=(64, 64)))

    def fill() -> None:
        (next(tmp_path.glob(".out*")) / f"003.{encoding.codec}").symlink_to("/dev/full")

    with pytest.raises(InputError, match=message):
        write_all(source, tmp_path / "out", encoding, midway=fill)
    assert names_in(tmp_path) == ["in"]


def test_file_size_limit(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", noise=True, size=(128, 96))
    code = f"""
import resource, sys
from any2bokeh.errors import InputError
from any2bokeh.video import Encoding, open_sink, open_source
source = open_source({str(clip)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    with open_sink({str(tmp_path / "out.mkv")!r}, source, encoding=Encoding("ffv1")) as sink:
        for frame in source.frames():
            sink.write(frame, frame.pixels)
except InputError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert "out.mkv grows larger than its file system or limit allows" in run.stdout, run.stderr
    assert names_in(tmp_path) == ["in.mkv"]


def test_sink_without_frames(tmp_path: Path) -> None:
    source = open_source(write_images(tmp_path / "in"))
    with pytest.raises(InputError, match="no frame was written"), open_sink(tmp_path / "out.mp4", source):
        pass
    assert names_in(tmp_path) == ["in"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"codec": "divx"}, "codec is 'divx'"), ({"sound": "loud"}, "sound is 'loud'"), ({"threads": 0}, "threads is 0")],
)
def test_encoding_is_checked(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Encoding(**arguments)


def _redirect(path: Path, device: str) -> None:
    """Let every open descriptor of ``path`` write to ``device`` from now on."""
    descriptors = [
        int(link.name)
        for link in Path("/proc/self/fd").iterdir()
        if link.exists() and os.path.samestat(link.stat(), path.stat())
    ]
    assert descriptors
    target = os.open(device, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(target, descriptor)
    os.close(target)
