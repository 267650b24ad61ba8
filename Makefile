# Two commands: `make interim` builds the report of the example study, `make test` proves the rules. `make help` lists all.
# Works with GNU make 3.81 and later; needs python3 >= 3.11 and a package index.

STUDY ?= params/example.toml
PYTHON ?= python3
REPORTS ?= reports
EXAMPLE := .interim/example/main13
BIN := .venv/bin
RUN_OK := .venv/.ok
DEV_OK := .venv/.ok-dev
LAB_OK := .venv-lab/.ok

ifeq ($(FORCE),1)
ifneq ($(filter interim,$(MAKECMDGOALS)),)
$(shell rm -rf .venv/.ok .venv/.ok-dev $(EXAMPLE) $(EXAMPLE).ok)
endif
endif

.PHONY: help interim test check bench bench-report package-check peers mutation validate lab lock docs clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo "make interim STUDY=params/other.toml   another study;  make interim FORCE=1   set up and build everything again"

interim: $(RUN_OK) $(if $(filter params/example.toml,$(STUDY)),$(EXAMPLE).ok)  ## build the report of STUDY (default: the synthetic example study)
	@$(BIN)/interim run $(STUDY) --reports $(REPORTS) $(if $(filter 1,$(FORCE)),--force)

test: $(DEV_OK) $(EXAMPLE).ok  ## run all tests; writes reports/validation/rules.md (rule, tests, reference, result)
	@$(BIN)/python -m pytest -q -n 2 --cov --cov-report=term --cov-fail-under=90 --rules=$(REPORTS)/validation

check: $(DEV_OK)  ## style, types, layers, budgets, notebooks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_house.py
	@$(BIN)/python tools/make_docs.py --check
	@$(BIN)/interim check notebooks

bench: $(DEV_OK)  ## ratios against peers, measured in one run (peers that are not installed are skipped: see make peers)
	@for f in benchmarks/*_bench.py; do OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(or $(wildcard .venv-peers/bin/python),$(BIN)/python) $$f || exit 1; done

package-check: $(DEV_OK) $(EXAMPLE).ok  ## build the package of STUDY in several ways and compare every byte (WAYS=cold,warm for some of them)
	@$(BIN)/python tools/package_check.py $(STUDY) --ways "$(WAYS)"

bench-report: $(DEV_OK) $(EXAMPLE).ok  ## time of a build against papermill and nbconvert, of a rebuild and of a second run (ROUNDS=5)
	@$(or $(wildcard .venv-peers/bin/python),$(BIN)/python) benchmarks/report_bench.py

peers: .venv-peers/.ok .venv-clintrials/.ok  ## an environment of its own for the peers of the benchmarks that the project does not depend on (some are GPL)

mutation: $(DEV_OK)  ## plant all seeded defects, alone and in pairs, damage single cells; writes docs/mutation.md
	@OMP_NUM_THREADS=1 $(BIN)/python tools/mutation.py

validate: $(RUN_OK)  ## run the reference packs of the project (PACKS=folder for others)
	@$(BIN)/interim validate $(or $(PACKS),tests/reference)

lab: $(LAB_OK)  ## open Jupyter with the project's kernel
	@.venv-lab/bin/jupyter lab notebooks

docs: $(DEV_OK)  ## write docs/parameters.md, docs/datasets.md and the hashes of the templates from the code
	@$(BIN)/python tools/make_docs.py

lock:  ## resolve the lock files again (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-strip-extras pyproject.toml --extra build -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-strip-extras pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-strip-extras pyproject.toml --extra build --extra lab -c requirements.lock -o requirements-lab.lock

clean:  ## remove environments, example data and reports
	rm -rf .venv .venv-lab .venv-peers .venv-clintrials .interim reports

$(RUN_OK): pyproject.toml requirements.lock tools/make_env.sh
	@PYTHON="$(PYTHON)" sh tools/make_env.sh .venv requirements.lock
	@touch $@

$(DEV_OK): $(RUN_OK) requirements-dev.lock
	@PYTHON="$(PYTHON)" sh tools/make_env.sh .venv requirements-dev.lock
	@touch $@

.venv-clintrials/.ok: tools/make_peer.sh
	@PYTHON="$(PYTHON)" sh tools/make_peer.sh .venv-clintrials
	@mkdir -p .venv-clintrials && touch $@

.venv-peers/.ok: requirements-dev.lock benchmarks/peers.txt tools/make_env.sh
	@PYTHON="$(PYTHON)" sh tools/make_env.sh .venv-peers requirements-dev.lock
	@$(PYTHON) -m pip --python .venv-peers/bin/python install -q --disable-pip-version-check --no-deps -r benchmarks/peers.txt
	@touch $@

$(LAB_OK): pyproject.toml requirements-lab.lock tools/make_env.sh
	@PYTHON="$(PYTHON)" sh tools/make_env.sh .venv-lab requirements-lab.lock
	@.venv-lab/bin/python -m ipykernel install --prefix .venv-lab --name interim --display-name "interim" >/dev/null
	@touch $@

$(EXAMPLE).ok: $(RUN_OK) $(wildcard src/interim/example/*.py src/interim/example/*.toml src/interim/example/*.csv)
	@$(BIN)/interim example $(EXAMPLE)
	@touch $@
