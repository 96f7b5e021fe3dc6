# leadloop: `make demo` shows it, `make test` proves it. Everything installs into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test check bench scale clean install dev

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(VENV)/.installed

demo: install ## leads living their lives in a Salesforce and a HubSpot on this machine
	$(BIN)/leadloop demo

test: dev ## the whole test suite: no network, no server needed
	$(BIN)/python -m pytest -n 2 tests --ignore=tests/benchmarks

check: dev ## style, types, import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: dev ## speed and memory, as ratios measured in the same run
	$(BIN)/python -m pytest -s -p no:randomly tests/benchmarks

LEADS ?= 1000000
scale: dev ## very many leads on both platforms, linked and in step; LEADS=100000 for fewer
	$(BIN)/python -m tests.benchmarks.scale $(LEADS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
