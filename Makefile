# make demo                score the sample tomogram in napari (without a screen: demo/scores.csv, demo/napari.png)
# make demo VOLUME=path    the same for your file
# make test                linter, types, import contract, tests

PYTHON ?= python3
VENV   := .venv
STAMP  := $(VENV)/.installed

.PHONY: demo test

demo: $(STAMP)
	$(VENV)/bin/napari-tiqa demo $(if $(VOLUME),"$(VOLUME)")

test: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m pytest
	# In a process of its own: TensorFlow and a napari canvas cannot live in one (docs/architecture.md).
	$(VENV)/bin/python -m pytest tests/network

# The stamp depends on the script too: a new system library must reach an existing .venv's machine.
$(STAMP): pyproject.toml tools/system-libraries
	tools/system-libraries
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --editable ".[all]" --group dev
	touch $@
