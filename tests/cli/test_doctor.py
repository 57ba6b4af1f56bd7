import json
import os
import subprocess
import sys

from any2bokeh import __version__
from tests.cli.conftest import RunCli


def test_lines_for_people(cli: RunCli):
    outcome = cli("doctor")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert {line.split()[0] for line in lines} <= {"ok", "missing"}
    assert __version__ in lines[0]


def test_a_base_that_does_not_load_is_exit_code_2():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['av', 'numba', 'torch', 'wgpu']));"
        "from any2bokeh.cli.main import run; code = run(['doctor', '--json']); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    result = json.loads(done.stdout)
    said = {each["name"]: each for each in result["findings"]}
    assert result["works"] is False
    assert said["packages"]["state"] == said["codecs"]["state"] == "broken"
    assert "av" in said["packages"]["found"]
    assert "numba" in said["packages"]["found"]
    assert said["GPU"]["remedy"].startswith("pip install 'any2bokeh[gpu]'")


def test_it_imports_no_model_library_and_takes_seconds():
    code = (
        "import sys; from any2bokeh.cli.main import run; run(['doctor', '--json']);"
        "print([m for m in ('torch', 'transformers', 'diffusers', 'wgpu', 'ray') if m in sys.modules])"
    )
    before = os.times()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = os.times()
    told, imported = done.stdout.splitlines()
    assert imported == "[]"
    assert {tuple(each) for each in json.loads(told)["findings"]} == {("name", "state", "found", "remedy")}
    # 2.3 s on two busy cores, with a software adapter. Processor time, which the tests beside this one do not stretch.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 6
