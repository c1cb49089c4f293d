# make demo: reports for the demo team    make test: every check    make lab: JupyterLab
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python

.PHONY: demo test lab lock check format data notebooks docs

demo: .venv/installed
	$(BIN)/salesnb report data/demo

test: .venv/installed check
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lab: .venv/installed
	$(BIN)/salesnb lab

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation, with the notebooks run on the demo team; not again where nothing changed.
docs: .venv/installed
	$(BIN)/python -m sphinx --conf-dir docs --fail-on-warning --keep-going --quiet . build/docs
	@echo build/docs/docs/index.html

# Remakes the demo team, byte for byte with the same pandas and pyarrow.
data: .venv/installed
	rm -rf data/demo
	$(BIN)/salesnb simulate data/demo --seed 0

# Runs the notebooks again and keeps the figures that the tests check.
notebooks: .venv/installed
	$(BIN)/python notebooks/refresh.py

# Rewrites what CI runs on: the newest releases that fit pyproject.toml.
lock: .venv/installed
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --extra docs --no-emit-index-url --no-header pyproject.toml --output-file requirements.lock

# By uv, which takes a minute less than pip; by pip where uv finds no way to the packages. All is
# compiled once: where Python may not keep what it compiles, every command and test would do it anew.
.venv/installed: requirements.lock pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	$(PIP) install uv
	$(UV) --requirement requirements.lock || $(PIP) install --requirement requirements.lock
	$(PIP) install --no-deps --editable .
	$(BIN)/python -m compileall -q salesnb
	touch $@
