"""What happens where there is no GPU, where it is wrong, and where it fails."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from any2bokeh.engines import EngineSettings, make_renderer
from any2bokeh.errors import InputError
from any2bokeh.optics.look import Look
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.layered.gpu import self_test
from any2bokeh.renderers.layered.gpu.choice import renderer_on
from any2bokeh.renderers.layered.gpu.device import Device, adapters, open_device
from any2bokeh.renderers.layered.gpu.renderer import GpuRenderer
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered.gpu.test_renderer import card_frame


def lose(device: Device) -> None:
    """Take the device away, as a driver does that was reset."""
    device._device.destroy()


def test_the_cpu_goes_on_from_the_frame_at_which_the_gpu_is_lost(device):
    frames, told = [card_frame(radius_px) for radius_px in (3, 4, 5, 6)], []
    renderer = GpuRenderer(lambda: device, notice=told.append, threads=1)
    results = renderer.render(iter(frames))
    found = [next(results)]
    lose(device)
    found += list(results)
    assert len(found) == len(frames)
    cpu = LayeredRenderer(threads=1)
    for picture, frame in zip(found, frames, strict=True):
        np.testing.assert_allclose(picture, cpu.render_frame(frame), atol=1e-4)
    assert len(told) == 1
    assert told[0].startswith("the GPU failed, and the CPU goes on: ")
    assert "\n" not in told[0]


def test_without_leave_to_go_on_it_is_one_line(device):
    renderer = GpuRenderer(lambda: device, falls_back=False, threads=1)
    lose(device)
    with pytest.raises(InputError, match=r"^--device gpu: .*; use --device cpu, or auto$"):
        renderer.render_frame(card_frame(4))


def test_a_lost_device_is_opened_anew(device):
    renderer = GpuRenderer(lambda: device, threads=1)
    lose(device)
    renderer.render_frame(card_frame(3))
    again = GpuRenderer(lambda: open_device(software=True), raises=True, threads=1)
    again.render_frame(card_frame(3))


def test_a_buffer_beyond_the_limit_is_a_fault(device):
    told = []
    renderer = GpuRenderer(lambda: device, notice=told.append, threads=1)
    device.most_bytes = 2000
    picture = renderer.render_frame(card_frame(4))
    np.testing.assert_array_equal(picture, LayeredRenderer(threads=1).render_frame(card_frame(4)))
    assert "larger than" in told[0]


@pytest.mark.parametrize("files", [(), ("null",)], ids=["no device file", "a device file"])
def test_auto_takes_no_processor_that_stands_in(device, monkeypatch, files):
    if any(adapter.info["adapter_type"] != "CPU" for adapter in adapters()):
        pytest.skip("there is a real GPU here")
    monkeypatch.setattr("any2bokeh.renderers.layered.gpu.device._DEVICE_FILES", files)
    told = []
    assert type(renderer_on("auto", notice=told.append)) is LayeredRenderer
    assert told == [], "that there is none needs no remark"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /dev")
def test_without_a_device_file_no_graphics_library_is_loaded():
    code = (
        "from any2bokeh.renderers.layered.gpu import choice, device; import sys; device._DEVICE_FILES = ();"
        "choice.renderer_on('auto'); print('wgpu' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("runtime_dir", [None, "not/absolute"])
def test_asking_for_adapters_writes_nothing_to_the_terminal(device, runtime_dir):
    code = "from any2bokeh.renderers.layered.gpu.device import adapters; import os; adapters(); print(*os.environ)"
    surroundings = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    if runtime_dir is not None:
        surroundings["XDG_RUNTIME_DIR"] = runtime_dir
    told = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert "NODEVICE_SELECT" not in told.stdout.split(), "other programs that are started get no part of this"


def test_the_self_test_is_run_once_for_an_adapter(device, tmp_path, monkeypatch):
    runs = []
    monkeypatch.setattr(self_test, "_tested", lambda device, need: runs.append(need) or "")
    plain = self_test.Need.of(transfer="hlg")
    self_test.require_passed(device, plain, kept_in=tmp_path)
    self_test.require_passed(device, self_test.Need.of(), kept_in=tmp_path)
    assert runs == [plain]
    [kept] = tmp_path.iterdir()
    kept.write_text("damaged")
    self_test.require_passed(device, plain, kept_in=tmp_path)
    assert runs == [plain, plain]
    more = self_test.Need.of(vignetting=Vignetting(0.5, 0.0), transfer="linear")
    self_test.require_passed(device, more, kept_in=tmp_path)
    assert runs == [plain, plain, self_test.Need(cuts=True, codes_16=False)]


def test_an_adapter_that_failed_is_not_used(device, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    self_test._remember(
        tmp_path / "any2bokeh" / "gpu" / f"{self_test._key(device.name, self_test.Need())}.json",
        device.name,
        "gives other pictures",
    )
    with pytest.raises(InputError, match=r"--device gpu: .* gives other pictures; use --device cpu, or auto"):
        renderer_on("gpu")


@pytest.mark.slow
@pytest.mark.parametrize("transfer", ["srgb", "linear"])
def test_this_adapter_passes_its_self_test(device, tmp_path, transfer):
    self_test.require_passed(device, self_test.Need.of(transfer=transfer), kept_in=tmp_path)
    [kept] = tmp_path.iterdir()
    assert json.loads(kept.read_text())["fault"] == ""


def test_wrong_pictures_fail_the_self_test(device, monkeypatch):
    monkeypatch.setattr(self_test, "_LOOKS", ({},))
    frame = card_frame(4)
    monkeypatch.setattr(self_test, "_frame", lambda: frame)
    assert self_test._tested(device, self_test.Need()) == ""
    # A device that loses what is written to it.
    upload = device.upload
    monkeypatch.setattr(device, "upload", lambda name, values: upload(name, values * 0 if name == "pixels" else values))
    assert "gives other pictures than the CPU" in self_test._tested(device, self_test.Need())


def test_the_layered_engine_takes_no_device_of_models():
    with pytest.raises(InputError, match="--device cuda is for --engine diffusion"):
        make_renderer(EngineSettings(device="cuda"), Look())


def test_models_are_not_told_of_webgpu():
    assert EngineSettings(device="gpu").model_device == "auto"
    with pytest.raises(InputError, match="--device gpu is for --engine layered"):
        make_renderer(EngineSettings(engine="diffusion", device="gpu"), Look())
