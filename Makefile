# `make app` serves the explorer, `make test` tests it; both install first what is missing. `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8501
# Only what stands behind `make`: some shells have a HOST of their own.
ifneq ($(origin HOST),command line)
HOST :=
endif

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check
# Two processes, each with whole files of tests, so that what a file sets up once is set up once; in the order of
# folders, so that the long tests in a browser come first and the many short ones even out the end.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
MADE := $(VENV)/.made-stamp
APP_READY := $(VENV)/.requirements-stamp
DEV_READY := $(VENV)/.requirements-dev-stamp

.DEFAULT_GOAL := help
.PHONY: help app serve venv test test-slow check format data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Options: PYTHON=python3.12 (used once, to make .venv), PORT=8501, HOST=0.0.0.0 (of 'make serve')"

app: $(APP_READY) ## install what is missing and serve the explorer on http://localhost:8501, to this machine alone
	@$(RUN) -m pruning.settings --app "$(HOST)"
	@exec $(RUN) -m streamlit run app.py --server.address "$(or $(HOST),localhost)" --server.port "$(PORT)"

serve: $(APP_READY) ## serve it to others as well: make serve HOST=0.0.0.0
	@$(RUN) -m pruning.settings --serve "$(HOST)"
	@exec $(RUN) -m streamlit run app.py --server.address "$(HOST)" --server.port "$(PORT)"

venv: $(DEV_READY) ## install into .venv what running and developing need
	@echo "$(VENV) is complete: requirements.txt and requirements-dev.txt are installed."

test: $(DEV_READY) ## run every test but the slow ones
	@echo "Running every test that is not marked slow (browser tests skip where Chromium is absent)."
	@$(RUN) -m pytest -m "not slow" $(TWO)

test-slow: $(DEV_READY) ## run the slow tests
	@echo "Running the tests marked slow."
	@$(RUN) -m pytest -m slow $(TWO)

check: $(DEV_READY) ## check format, lint and types, and run the fast tests
	@echo "Checking format, lint and types, then the tests that are neither slow nor in a browser."
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(RUN) -m pytest -q -m "not slow and not browser"

format: $(DEV_READY) ## format the code
	@echo "Formatting the code and mending what lint can mend."
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix .

data: $(APP_READY) ## fetch MNIST and CIFAR-10 ahead of use
	@echo "Fetching the full MNIST and CIFAR-10 (the 5,000 digits built in need no fetching)."
	@$(RUN) -m pruning.data.fetch

# A stamp stands for a finished step: written last, so that an interrupted install is done again, and older than
# the requirements once those change.
$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)' here: install Python 3.11 or newer, or name it with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1): name a newer one with PYTHON=/path/to/python3." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V)."
	@$(PYTHON) -m venv $(VENV) || { echo "The virtual environment could not be made: install Python's venv module (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@touch $@

$(APP_READY): requirements.txt | $(MADE)
	@echo "Installing requirements.txt into $(VENV); PyTorch makes this a large download, so the first time takes minutes."
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt $(APP_READY) | $(MADE)
	@echo "Installing requirements-dev.txt into $(VENV)."
	@$(PIP) -r requirements-dev.txt
	@touch $@
