# One command per need; README and CONTRIBUTING say when to use which.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := setup.py pyproject.toml $(wildcard ext/primerace/_*.p* ext/primerace/[a-z]*.[ch] ext/primerace/simd/*)
BENCH_THRESHOLD ?= min:10%
BASE ?= main~1
JOBS ?= *

.PHONY: race test bench bench-compare duel wheel docs clean

race: $(VENV)/ready
	@$(BIN)/primerace race

# Two files of tests at a time, and then those that measure time. pytest alone runs all, one after the other.
test: $(VENV)/ready-for-tests
	$(BIN)/pytest -n 2 --dist loadfile -p no:benchmark -m 'not alone'
	$(BIN)/pytest -m alone

bench: $(VENV)/ready-for-tests
	$(BIN)/pytest benchmarks --benchmark-autosave

bench-compare: $(VENV)/ready-for-tests
	@ls .benchmarks/*/*.json >/dev/null 2>&1 || { echo "primerace: no saved run to compare with: make bench first" >&2; exit 1; }
	$(BIN)/pytest benchmarks --benchmark-compare --benchmark-compare-fail=$(BENCH_THRESHOLD)

duel: $(VENV)/ready-for-tests
	PYTHONPATH=benchmarks $(BIN)/python tools/duel_revisions.py '$(BASE)' --jobs '$(JOBS)'

wheel: $(VENV)/ready-for-tests
	rm -rf dist
	tools/make-wheel $(BIN)/python dist
	tools/smoke $(BIN)/python dist/*.whl

# Each page of the site is made without a warning, or not at all.
docs: $(VENV)/ready-for-tests
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet docs build/docs
	@echo "the site is build/docs/index.html"

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/primerace/*.so ext/primerace/_*.c

# The build runs again only when something that is compiled has changed.
$(VENV)/ready: $(NATIVE) | $(VENV)/made
	@echo "building primerace …"
	@$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/ready-for-tests: $(NATIVE) | $(VENV)/made
	@echo "building primerace with what its tests need …"
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/ready

$(VENV)/made:
	@$(PYTHON) -c '' 2>/dev/null || { echo "primerace: Python 3.11 or newer is needed, but there is no $(PYTHON)" >&2; exit 1; }
	@$(PYTHON) tools/preflight.py
	@$(PYTHON) -m venv $(VENV)
	@touch $@
