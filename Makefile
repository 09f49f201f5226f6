# Everything runs in .venv, made by uv from requirements.lock. Needs Python 3.11 or newer, pip and make.
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
BIN := .venv/bin
ROWS ?= 60000
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: help demo test check bench format lock tools clean

help:
	@echo "make demo    install, then close twelve months of an example company in ./demo-company"
	@echo "make test    install what tests need, then run every check and test"
	@echo "make check   the quick loop: format, lint, types, import walls, fast tests"
	@echo "make bench   measure speed and memory; writes docs/reference/performance.md"
	@echo "make format  put the code into the house format"
	@echo "make lock    resolve requirements.lock anew"

$(UV):
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --no-warn-script-location --root-user-action ignore --target .uv uv==$(UV_VERSION)

.venv/.installed: requirements.lock pyproject.toml | $(UV)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: .venv/.installed
	@rm -rf demo-company
	@$(BIN)/apportion demo demo-company --rows $(ROWS)
	@echo && echo "apportion is $(BIN)/apportion: put $(BIN) on your PATH, or run \`source $(BIN)/activate\`."

tools:
	@command -v hledger >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends hledger >/dev/null; } \
	  || echo "hledger could not be installed: the test that needs it will be skipped"

check: .venv/.installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -n auto -m "not slow"

test: .venv/.installed tools
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -n auto

bench: .venv/.installed
	@$(BIN)/python -m bench

format: .venv/.installed
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

lock: | $(UV)
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-header \
	  pyproject.toml --group dev --group bench --output-file requirements.lock

clean:
	rm -rf .venv .uv demo-company
