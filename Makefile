# The README's two commands are `make reproduce` and `make test`; both set up what they need.
#   make reproduce [PROFILE=quick]   run every notebook, write the report, print its path
#   make test [COV=1]                lint, types, spelling, every test; COV=1: how much of the packages they run
#   make site                        a web site of the last run's notebooks, print its path; runs nothing
#   make setup                       only the environment (.venv)
#   make lab                         JupyterLab on the notebooks
#   make sync                        write every notebook's first cells, then notebooks/*.ipynb from notebooks/py/*.py, and
#                                    quote results/ in the documents
#   make clean                       delete the environment and all results: what facesr made, and nothing else
# Variables: PROFILE (smoke, quick, workshop, paper), OUT (runs), SEED, SEEDS (0-4: each, and pooled), DEVICE, JOBS, DATA_ROOT,
# PYTHON (python3), VENV (.venv), EXTRAS (lab,tools,site,test: what of pyproject.toml is installed; cluster is another),
# LOCKED (1: the packages of requirements.lock, each compared with its SHA-256; those of the extras above).
# A CPU-only torch, about 4.5 GB smaller, where the torch project's own index can be reached:
#   make reproduce UV_TORCH_BACKEND=cpu

PROFILE ?= quick
OUT ?= runs
SEED ?= 0
SEEDS ?=
DEVICE ?= auto
JOBS ?=
DATA_ROOT ?=
PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= lab,tools,site,test
LOCKED ?=
ifneq ($(filter -%,$(firstword $(VENV))),)
override VENV := ./$(VENV)
endif

# Recipes read variables from the environment, as "$$OUT": quoted by the shell, any character may be in them.
export PROFILE OUT SEED SEEDS DEVICE JOBS DATA_ROOT PYTHON VENV EXTRAS LOCKED
ifdef UV_TORCH_BACKEND
export UV_TORCH_BACKEND
endif
BIN := "$$VENV/bin"

.DEFAULT_GOAL := help
.PHONY: help setup environment reproduce site test lint lab sync clean

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

reproduce: setup
	@$(BIN)/facesr run all --profile="$$PROFILE" --out="$$OUT" $(if $(SEEDS),--seeds="$$SEEDS",--seed="$$SEED") --device="$$DEVICE" $(if $(JOBS),--jobs="$$JOBS") --data-root="$$DATA_ROOT"

site: setup
	@$(BIN)/facesr site --profile="$$PROFILE" --out="$$OUT"

test: lint
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(if $(COV),--cov --cov-report=)
	@$(if $(COV),echo "Coverage: $$($(BIN)/coverage report --format=total) % of statements ($(BIN)/coverage report lists the files)")

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/typos && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

lab: setup
	@$(BIN)/jupyter lab notebooks/00_start_here.ipynb

sync: setup
	@$(BIN)/python -m facesr_tools.openers
	@$(BIN)/jupytext --quiet --sync notebooks/py/*.py
	@$(BIN)/python -m facesr_tools.ways
	@$(BIN)/python -m facesr_tools.quote

clean:
	@"$$PYTHON" facesr_tools/clean.py "$$VENV" "$$OUT"

# The environment is made when it is missing, or older than the files that say what belongs into it.
setup:
	@if [ ! -e "$$VENV/.facesr-ready" ] || [ -n "$$(find pyproject.toml constraints.txt -newer "$$VENV/.facesr-ready")" ]; then \
	  $(MAKE) --no-print-directory environment; \
	fi

# uv installs in a fraction of pip's time: use the one at hand, or fetch it with pip, or do without.
# Compiled at once, since some machines forbid Python to keep what it compiles: torch then takes seconds in every process.
# constraints.txt names versions that were tested together; torch and torchvision in it are a pair that imports together.
# Last come the weights that LPIPS, FID and NIQE need (official where their hosts can be reached, else named substitutes).
environment:
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "facesr needs Python 3.11 or newer; '$$PYTHON' is $$("$$PYTHON" --version 2>&1). Set PYTHON=python3.12, say." >&2; exit 1; }
	@there=$$(ls -d -- "$$VENV" 2>/dev/null); \
	if [ ! -x $(BIN)/python ] && ! "$$PYTHON" -m venv -- "$$VENV" >/dev/null 2>&1; then \
	  [ -n "$$there" ] || rm -rf -- "$$VENV"; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Debian keeps Python's venv in a package of its own: installing python3-venv"; \
	    apt-get -qq update && apt-get -qq install -y python3-venv >/dev/null && "$$PYTHON" -m venv -- "$$VENV"; \
	  else \
	    echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; \
	  fi; \
	fi
	@uv=$$(command -v uv || true); \
	if [ -z "$$uv" ] && $(BIN)/python -m pip --quiet install uv; then uv=$(BIN)/uv; fi; \
	if [ -n "$$uv" ]; then \
	  echo "Installing into $$VENV (torch alone is some gigabytes)"; \
	  set -- "$$uv" pip install --quiet --compile-bytecode --python=$(BIN)/python; \
	else \
	  echo "No uv: installing with pip, which takes longer"; \
	  set -- $(BIN)/python -m pip install --quiet; \
	fi; \
	if [ -n "$$LOCKED" ]; then \
	  "$$@" --require-hashes --requirement requirements.lock && "$$@" --no-deps --editable .; \
	else \
	  "$$@" --constraint constraints.txt --editable ".[$$EXTRAS]"; \
	fi
	@$(BIN)/python -c 'import torch, torchvision' \
	  || { echo "torch and torchvision do not fit together: remove $$VENV and run make setup again" >&2; exit 1; }
	@$(BIN)/facesr weights fetch || echo "Some scores will say n/a; later: $$VENV/bin/facesr weights fetch"
	@touch -- "$$VENV/.facesr-ready"
