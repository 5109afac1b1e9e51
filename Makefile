# truyvet: every target says what it does; all of them can be run again.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
PROMETHEUS := .venv/bin/prometheus
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# tests start truyvet's processes over and over: each reads what is compiled, whatever the image says
unexport PYTHONDONTWRITEBYTECODE

# every second file of the unit tests goes with one of them
HALVES := units-0 units-1

.DEFAULT_GOAL := help
.PHONY: help install demo test check units $(HALVES) types layers contracts slow faults postgres up down bench clean

help: ## show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(INSTALLED) ## install everything into .venv, each version pinned

$(INSTALLED): pyproject.toml constraints.txt
	@echo "== installing into .venv (a minute or two the first time)"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else "truyvet needs Python 3.11, this is %d.%d: make PYTHON=/path/to/python3.11" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[embedded,dev]'
	@$(BIN)/python -m streams.warm  # compiles what a worker would compile when it first starts
	@touch $(INSTALLED)

demo: install ## a simulated city end to end: scans in, a case, possible contacts out
	@$(BIN)/truyvet demo

up: install ## start truyvet on this machine and leave it running
	@$(BIN)/truyvet up

down: ## stop what `make up` started; nothing is lost
	@test ! -x $(BIN)/truyvet || $(BIN)/truyvet down

# Prometheus and its own checker of alert rules, unpacked from the system's package: nothing is
# installed or started
$(PROMETHEUS): | $(INSTALLED)
	@echo "== fetching prometheus and promtool"
	@if command -v prometheus >/dev/null && command -v promtool >/dev/null; then \
	  for name in prometheus promtool; do \
	    found=$$(command -v $$name); test "$$found" = "$(CURDIR)/.venv/bin/$$name" || ln -sf "$$found" .venv/bin/$$name; \
	  done; \
	else \
	  folder=$$(mktemp -d); cd $$folder; \
	  apt-get download prometheus >/dev/null 2>&1 || { apt-get update -qq && apt-get download prometheus >/dev/null; } \
	    || { echo "prometheus is missing: install the package prometheus" >&2; exit 1; }; \
	  dpkg -x prometheus_*.deb . && cp usr/bin/prometheus usr/bin/promtool $(CURDIR)/.venv/bin/; rm -rf $$folder; \
	fi

# Three at a time, for they wait as much as they work; each says what it found when it is through.
# The unit tests go in two halves: as one they would still be there when all else is done
check: install $(PROMETHEUS) ## lint, types, layers, unit and contract tests: about two minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@echo "== types, layers, unit and contract tests, three at a time"
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target $(HALVES) contracts types layers

$(HALVES): units-%: install $(PROMETHEUS)
	$(BIN)/python -m pytest $$(ls tests/unit/test_*.py | awk 'NR % 2 == $*')

units: install $(PROMETHEUS) ## the unit tests alone
	$(BIN)/python -m pytest tests/unit

types: install ## mypy alone
	PYTHONHASHSEED=0 $(BIN)/mypy  # its joins of types can depend on the seed

layers: install ## who may import whom, alone
	$(BIN)/lint-imports

contracts: install ## the contract tests alone, on the embedded engine
	$(BIN)/python -m pytest tests/contract

# Everything but what `make slow` adds: other languages' tools, and the benchmarks' short forms.
PROVEN := tests/property tests/integration/test_console_spine.py tests/integration/test_counts.py \
  tests/integration/test_embedded_kafka.py tests/integration/test_ingest.py \
  tests/integration/test_gateway_tables.py tests/integration/test_gateway_stopped_broker.py \
  tests/integration/test_poison.py tests/integration/test_transport_broker.py \
  tests/integration/test_alerts_fire.py tests/integration/test_dlq_replay.py tests/integration/test_segments_churn.py tests/integration/test_late_scans.py tests/integration/test_many_cases.py \
  tests/integration/test_backup.py tests/integration/test_erasure.py tests/integration/test_rebuild.py \
  tests/integration/test_bench_truth_short.py tests/integration/test_bench_trace_short.py \
  tests/integration/test_bench_posters_short.py tests/integration/test_bench_shards_short.py \
  tests/integration/test_spans_followed.py tests/integration/test_new_kafka.py tests/fault

test: check ## check, then property, integration and fault tests on real Kafka and engine
	$(BIN)/python -m pytest $(PROVEN)

slow: install $(PROMETHEUS) ## the integration tests that need other languages' tools, or minutes
	$(BIN)/python -m pytest tests/integration

faults: install ## the fault suite alone: kills, named points, canaries, a bad line to the engine
	$(BIN)/python -m pytest tests/fault

# commands read the data directory's own database: their tests are of SQLite
postgres: install ## the console's unit tests on a real PostgreSQL, if the system has one
	$(BIN)/python -m tests.on_postgres $$(grep -lE '(console|worklist|inspections)_kit' tests/unit/test_*.py \
	  | grep -vE 'test_cli|test_regroup|test_support|test_trips|posters')

bench: install ## truyvet and stock Faust on the same topic, in the same run
	@$(BIN)/truyvet bench ingest

clean: ## remove what the tools left behind, not your data
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
