# Needs python3 and make, nothing else.

PYTHON ?= python3
WORKERS ?= 2

# What the caller's shell has set for other projects stays out.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Stamps, written last. They bear the interpreter's name: another PYTHON is another environment.
RUNTIME := .venv/runtime-$(subst /,-,$(PYTHON))
DEV := .venv/dev-$(subst /,-,$(PYTHON))

.PHONY: help demo test bench lock clean python

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' Makefile

demo: $(RUNTIME) ## simulate a real trace, compare strategies, serve the dashboard (SERVE=0: do not serve)
	$(BIN)/workbench demo
ifneq ($(SERVE),0)
	$(BIN)/workbench app
endif

test: $(DEV) ## check style and types, run the quick tests (FULL=1: the slow and system tests too)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses $(WORKERS) $(if $(filter-out 0,$(FULL)),,-m "not slow and not system")

bench: $(DEV) ## measure speed and memory
	$(BIN)/python -m benchmarks

# One resolution of all extras, so that every extra installs beside the pinned releases.
lock: python ## pin the newest releases that pyproject.toml allows
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	$(PYTHON) -m venv "$$dir/venv"; \
	"$$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv; \
	resolve() { \
	    "$$dir/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	    --no-header --no-annotate pyproject.toml "$$@"; \
	}; \
	resolve --all-extras --output-file "$$dir/all"; \
	resolve --constraints "$$dir/all" --output-file "$$dir/runtime"; \
	resolve --constraints "$$dir/all" --extra dev --output-file "$$dir/dev"; \
	{ echo "# Written by make lock."; cat "$$dir/runtime"; } > requirements.lock; \
	{ echo "# Written by make lock."; echo "-r requirements.lock"; grep -vxFf "$$dir/runtime" "$$dir/dev"; } \
	    > requirements-dev.lock

clean: ## remove the environment, caches and build outputs; stored runs stay
	rm -rf .venv build dist tests/output .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# An installation that was interrupted has no stamp and is not trusted: it begins anew.
$(RUNTIME): pyproject.toml requirements.lock | python
	@if [ -e $@ ]; then echo "updating .venv"; else echo "creating .venv (once, about two minutes)"; rm -rf .venv; fi
	@rm -f $@
	@$(PYTHON) -m venv .venv
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "adding what tests need to .venv"
	@$(PIP) install -r requirements-dev.lock
	@touch $@

# The interpreter may be of any age, or a shim that runs nothing, so sh alone judges it.
python:
	@version=$$($(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || version=missing; \
	case $$version in \
	3.11.* | 3.12.* | 3.13.*) \
	    $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null && exit; \
	    echo "$(PYTHON) ($$version) lacks venv: install it (Debian: apt-get install python$${version%.*}-venv) and run make again" >&2 ;; \
	*) \
	    for other in python3.13 python3.12 python3.11; do \
	        $$other -c 'import ensurepip, venv' 2>/dev/null && break; \
	    done && mend="run make PYTHON=$$other $(MAKECMDGOALS)" \
	    || mend="install python3.11 (Debian: apt-get install python3.11 python3.11-venv) and run make PYTHON=python3.11 $(MAKECMDGOALS)"; \
	    echo "Python 3.11 to 3.13 is needed, $(PYTHON) is $$version: $$mend" >&2 ;; \
	esac; exit 1
