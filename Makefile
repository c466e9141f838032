# Each target makes what it needs: a fresh clone wants Python 3.11 or newer, and nothing else.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SUPERVISOR := $(PY) -m storefront.embedded.supervisor
FLASK := $(PY) -m flask --app storefront.app
STAMP := $(VENV)/.installed-$(shell cksum < requirements.lock | tr -s ' ' '-')
TRANSLATIONS := $(wildcard storefront/translations/*/LC_MESSAGES/*.po)
ARGS ?=
MAKEFLAGS += --no-print-directory
# Some images forbid Python to keep what it compiled. Six programs and two test workers would each compile everything.
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help
.PHONY: help run stop reset shell test check screenshots bench soak translations lock clean

##@ Every day

run: $(STAMP) translations ## Start everything on this machine (PORT=8000), with demo shops
	@$(SUPERVISOR) run

stop: $(STAMP) ## Stop everything, the servers included
	@$(SUPERVISOR) stop

reset: $(STAMP) translations ## Throw the demo's data away and make it anew
	@$(SUPERVISOR) reset

shell: $(STAMP) ## A Python shell inside the application, against the development data
	@variables="$$($(SUPERVISOR) servers)" && eval "$$variables" && $(FLASK) shell

##@ Proof

# By file: tests of one file may share a server, and pytest-xdist loses its groups under pytest 9.2
# (pytest-dev/pytest-xdist#1386).
test: $(STAMP) translations ## Run the tests (ARGS="tests/orders -x" for some of them)
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) ## Format, style, types, layers, templates and the rules of the house, in that order
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m djlint --lint --quiet templates
	$(PY) -m pytest tests/architecture -q -n 0

soak: $(STAMP) translations ## The long proofs: crashes, races and load
	@$(PY) -m pytest -m soak -n 0 $(ARGS)

bench: $(STAMP) translations ## Print the figures of speed
	@$(PY) -m tests.bench $(ARGS)

screenshots: $(STAMP) translations ## Take the README's pictures again
	@$(PY) -m tests.screenshots $(ARGS)

##@ Upkeep

translations: $(STAMP) $(TRANSLATIONS:.po=.mo)
	@:

# Messages in doubt are left out, as gettext does: a reader sees the original rather than a guess.
%.mo: %.po | $(STAMP)
	@$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

lock: ## Resolve the requirements again (needs uv)
	uv pip compile pyproject.toml --extra dev --extra s3 --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --output-file requirements.lock $(ARGS)

clean: ## Remove what can be made again; the data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find storefront tenants tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
	find storefront -name '*.mo' -delete

# The stamp carries the lock's checksum, so that only another lock means another installation.
$(STAMP):
	@echo "Installing the requirements; this happens once for each requirements.lock …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Portales needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PY) -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	@rm -f $(VENV)/.installed-*
	@touch $@

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z]+:.*## / {printf "  make %-13s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
