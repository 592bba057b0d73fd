# Every target works alone on a fresh clone: it makes .venv first if need be.

PYTHON ?= python3.11 python3#  candidates: the first that is 3.11 or newer makes .venv
TORCH ?= default#  cpu | default | skip, see `make help`

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TORCH_PINNED := $(shell sed -n 's/^torch==//p' constraints.txt)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1

ifeq ($(TORCH),cpu)
  SAY := torch $(TORCH_PINNED), CPU build: about 200 MB to download, 1.5 GB in .venv with all the rest
  ifeq ($(shell uname -s),Linux)  # elsewhere the usual index has CPU builds
    PIP_INDEX := --extra-index-url https://download.pytorch.org/whl/cpu
  endif
else ifeq ($(TORCH),default)
  SAY := torch $(TORCH_PINNED), the build your pip finds: CPU, about 200 MB to download; \
on Linux usually CUDA, about 3 GB (TORCH=cpu avoids that)
else ifeq ($(TORCH),skip)
  SAY := no torch, but the one your Python has; all the rest takes about 0.8 GB in .venv
  VENV_FLAGS := --system-site-packages
else
  $(error TORCH is '$(TORCH)': expected cpu, default or skip)
endif

# Shell: leaves a suitable Python in $python, or fails in one sentence.
define PICK_PYTHON
for python in $(PYTHON) ""; do \
  test "$$python" || { echo "agentic needs Python 3.11 or newer, which none of '$(strip $(PYTHON))' is: \
install it, or name it with 'make PYTHON=/path/to/python'." >&2; exit 1; }; \
  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
done
endef

.DEFAULT_GOAL := help
.PHONY: install demo test slow soak ci lint types benchmark figures house pictures study calibration docs site notebooks lock \
  clean help
.DELETE_ON_ERROR:

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@echo "  TORCH=default    the build of torch that pip is configured for (the usual choice)"
	@echo "  TORCH=cpu        on Linux, PyTorch's small CPU build"
	@echo "  TORCH=skip       keep the torch that Python already has; download none"
	@echo "  PYTHON=...       the Python (3.11 or newer) that makes .venv"
	@echo "  BENCH=...        the bench folder that make pictures shows, in place of a new run"

install: $(STAMP)  ## make .venv and install agentic with its development tools

$(STAMP): pyproject.toml constraints.txt
	@echo "Installing $(SAY). This takes a minute or a few."
	@test -x $(BIN)/pip || { $(PICK_PYTHON); "$$python" -m venv $(VENV_FLAGS) $(VENV); }
ifeq ($(TORCH),skip)
	@$(BIN)/python -c 'import torch' || { echo "TORCH=skip, but $(VENV) has no torch: remove $(VENV) and" \
	  "name a Python that has torch with PYTHON=, or leave out TORCH=skip." >&2; exit 1; }
	grep -v '^torch==' constraints.txt > $(VENV)/constraints.txt
else
	cp constraints.txt $(VENV)/constraints.txt
endif
	$(BIN)/python -m pip install --quiet $(PIP_INDEX) -e ".[dev]" -c $(VENV)/constraints.txt
	@$(BIN)/python -c 'import torch; print("Installed torch", torch.__version__)'
	@touch $@

demo: $(STAMP)  ## run the demonstration (no display needed)
	$(BIN)/agentic demo

test: $(STAMP)  ## run the tests but for the slow ones (four minutes on two cores)
	$(BIN)/python -m pytest -n 2 -rs

slow: $(STAMP)  ## run the slow tests, as CI does too (ten minutes on two cores)
	$(BIN)/python -m pytest -n 2 -rs -m slow

soak: $(STAMP)  ## run the calibrations and long series that CI never runs (see docs/soak.md)
	$(BIN)/python -m pytest -n 2 -rs -m soak --durations=0 --durations-min=1
	$(BIN)/python -m soak
	$(BIN)/python -m soak.discovery

ci:  ## run everything a change must pass, with the time of each step (.ci/run)
	.ci/run

lint: $(STAMP)  ## check style, formatting and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

types: $(STAMP)  ## check types
	$(BIN)/mypy

benchmark: $(STAMP)  ## measure speed
	$(BIN)/python -m benchmarks

figures: $(STAMP)  ## draw the pictures of the documentation anew
	$(BIN)/python -m figures

house: $(STAMP)  ## draw the picture of rooms and imports in CONTRIBUTING.md anew, from the import contracts
	$(BIN)/python -m figures house

pictures: $(STAMP)  ## make the README's bench table and the picture of its report anew (needs Chromium)
	$(BIN)/python -m pictures $(BENCH)

study: $(STAMP)  ## make the study of feedforward against settled energies anew (a quarter of an hour)
	$(BIN)/python examples/feedforward_vs_energy.py

calibration: $(STAMP)  ## try every interval and null of the metrics on up to 400 seeds (a few minutes)
	$(BIN)/python -m calibration

docs: $(STAMP)  ## run the examples in the pages (pytest's 5 means that there is none)
	$(BIN)/python -m pytest --timeout 300 --doctest-glob="*.md" README.md CONTRIBUTING.md docs || test $$? -eq 5

site: $(STAMP)  ## build the site of these pages into build/site (needs the extra docs; a minute)
	@$(BIN)/python -c 'import mkdocs, mkdocstrings' || { echo "The extra docs is not installed:" \
	  "$(BIN)/pip install -e '.[docs]' -c $(VENV)/constraints.txt" >&2; exit 1; }
	$(BIN)/python -m mkdocs build --strict --quiet

notebooks: $(STAMP)  ## execute the notebooks anew and keep what they print (needs the extra docs)
	$(BIN)/python -m website.execute

lock:  ## renew constraints.txt from a clean install of today's releases (torch keeps its version)
	@set -e; $(PICK_PYTHON); venv=$$(mktemp -d); trap 'rm -rf "$$venv"' EXIT; \
	"$$python" -m venv "$$venv"; \
	"$$venv/bin/python" -m pip install --quiet -e ".[dev,tests,docs]" "torch==$(TORCH_PINNED)"; \
	{ sed -n '/^#/p' constraints.txt; \
	  "$$venv/bin/python" -m pip freeze --exclude-editable | sed 's/+[^ ]*$$//' | LC_ALL=C sort -f \
	  | grep -Ev '^(pip|setuptools|wheel|triton|nvidia-.*|cuda-.*)=='; } > "$$venv/constraints.txt"; \
	cp "$$venv/constraints.txt" constraints.txt

clean:  ## remove caches and built files; .venv and runs/ stay
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +
