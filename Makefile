# Set-up happens by itself: `make demo` installs what a run needs, every other target what development needs.
# Another Python, or another place for the environment:  make test PYTHON=python3.12 VENV=/tmp/venv

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Processes of the fast suite.
JOBS ?= 2
# More for pytest: make test ARGS="tests/cli -x"
ARGS ?=

.PHONY: help demo test test-slow test-gpu test-portable test-install bench docs lint format locks clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST) | column -t -s:

demo: $(VENV)/.run-installed  ## Refocus the bundled clip into ./demo-output
	$(BIN)/any2bokeh demo --overwrite

test: $(VENV)/.dev-installed  ## Fast tests (under 8 minutes on two cores)
	# Each process has a half of the tests, and takes from the other's in the end: what a file's tests share is made once,
	# and on a new machine the two do not compile the same kernels side by side.
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

test-slow: $(VENV)/.dev-installed  ## Tests of full size: memory at 1080p, long clips
	$(BIN)/pytest -m "slow and not gpu" $(ARGS)

test-gpu: $(VENV)/.dev-installed  ## Tests that need a CUDA device
	$(BIN)/pytest -m gpu tests/renderers tests/training $(ARGS)

test-portable: $(VENV)/.dev-installed  ## Numerical tests with the kernels of other processors (under 5 minutes)
	scripts/test_portable.sh $(BIN)/pytest

test-install: | $(BIN)/python  ## The wheel, unlocked, on each Python that is here (under 5 minutes)
	$(BIN)/python scripts/test_install.py

bench: $(VENV)/.dev-installed  ## Speed of the renderer and of the whole path
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.dev-installed  ## Build the documentation site into build/site
	$(BIN)/python -m scripts.docs_site build

lint: $(VENV)/.dev-installed  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(VENV)/.dev-installed  ## Lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

locks:  ## Renew the lock files from pyproject.toml; on the oldest Python that is allowed
	$(PYTHON) -m venv --clear build/locks/run
	build/locks/run/bin/pip install --quiet --constraint locks/constraints.txt .
	build/locks/run/bin/pip freeze --exclude any2bokeh --exclude setuptools > build/locks/run.in
	$(PYTHON) -m venv --clear build/locks/dev
	build/locks/dev/bin/pip install --quiet --constraint locks/constraints.txt '.[dev]'
	build/locks/dev/bin/pip freeze --all --exclude any2bokeh --exclude pip --exclude torch > build/locks/dev.in
	$(PYTHON) -m venv build/locks/uv
	build/locks/uv/bin/pip install --quiet uv
	for lock in run dev; do build/locks/uv/bin/uv pip compile --quiet --no-deps --generate-hashes --no-header --no-annotate \
		--python-version 3.11 build/locks/$$lock.in --output-file locks/$$lock.txt || exit; done

clean:  ## Remove what was made here, the environment too
	rm -rf $(VENV) build demo-output .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "any2bokeh needs Python 3.11 or newer: make PYTHON=path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: locks/run.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --no-deps --requirement locks/run.txt
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev-installed: locks/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --no-deps --requirement locks/dev.txt
	$(PIP) install --constraint locks/constraints.txt torch
	$(PIP) install --no-deps --editable .
	@touch $@ $(VENV)/.run-installed
