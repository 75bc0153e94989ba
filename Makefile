# make demo                score the sample tomogram in napari (without a screen: demo/scores.csv, demo/napari.png)
# make demo VOLUME=path    the same for your file
# make test                linter, types, import contract, tests, coverage (under 8 minutes on 2 cores)
# make coverage           all tests, coverage of child processes too
# make fuzz MINUTES=10   broken and hostile files for every reader; --seed and more by ARGS
# make quick               the tests that open no viewer and start no other process (under a minute)

PYTHON ?= python3
VENV   := .venv
STAMP  := $(VENV)/.installed

.PHONY: demo test quick coverage fuzz

demo: $(STAMP)
	$(VENV)/bin/napari-tiqa demo $(if $(VOLUME),"$(VOLUME)")

test: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python tools/run_tests.py

# Coverage of child processes too (the model process, the shell); takes minutes longer.
coverage: $(STAMP)
	$(VENV)/bin/python tools/run_tests.py --children

MINUTES ?= 10
fuzz: $(STAMP)
	$(VENV)/bin/python -m tests.fuzz --minutes $(MINUTES) $(ARGS)

quick: $(STAMP)
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile -m "not viewer and not process and not slow"

# The stamp depends on the script too: a new system library must reach an existing .venv's machine.
$(STAMP): pyproject.toml tools/system-libraries
	tools/system-libraries
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --editable ".[all]" --group dev
	touch $@
