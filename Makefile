# Each command installs only what it needs into .venv. It installs again only when pyproject.toml has changed.
# `make help` prints the text behind `##` of each command; tests/house/test_build.py holds that each one has such a text.

PIP = .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --editable

.PHONY: help demo test test-whole lint format hooks docs reference pictures dist bench-identity bench-commands bench-code bench-results bench-page bench bench-quick bench-profile storm clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' Makefile

demo: .venv/.has-demo ## train models on handwritten digits, on two local workers (examples/digits.py)
	@.venv/bin/python examples/digits.py demo-workspace

# Four files run at once, also on two cores, because tests wait more than they compute. They run in the order that
# tests/conftest.py makes, because it puts the files that take long first.
PYTEST = .venv/bin/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(if $(MARKS),-m "$(MARKS)")

test: .venv/.has-demo .venv/.has-test ## run the tests of each room and of the house (MARKS=redis: only those that need a server)
	@$(PYTEST) tests/core tests/worker tests/cli tests/house

# test_marks.py looks at all that is collected with it, so it runs here, too.
test-whole: .venv/.has-demo .venv/.has-test ## run the others: documents, whole experiments, faults, the browser (MARKS as above)
	@$(PYTEST) tests/whole tests/page tests/house/test_marks.py

lint: .venv/.has-lint ## check style and types: ruff and mypy
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

format: .venv/.has-lint ## mend the style where ruff can
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

hooks: .venv/.has-lint .venv/.has-hooks ## have git check each commit as `make lint` does (.pre-commit-config.yaml)
	@.venv/bin/pre-commit install

docs: .venv/.has-docs ## build the documents as a site: open site/index.html
	@.venv/bin/python tests/helpers/site_build.py

reference: .venv/.has-test ## write the parts of docs/reference that come from the code: commands and errors
	@.venv/bin/python tests/helpers/reference_pages.py

pictures: .venv/.has-test .venv/.has-demo ## take the pictures of page and terminal in the documents (needs chromium)
	@.venv/bin/python tests/helpers/pictures.py

dist: .venv/.has-dist ## build the wheel and the sdist into dist/, and check them
	@rm -rf dist
	@.venv/bin/python -m build
	@.venv/bin/twine check --strict dist/*

bench-identity: .venv/.has-test ## measure an identity, and write the figures into bench/RESULTS.md
	@.venv/bin/python bench/identity.py --write

bench-commands: .venv/.has-bench ## measure commands of xpm on 100,000 jobs
	@.venv/bin/python bench/run.py --only commands

bench-code: .venv/.has-bench ## measure snapshots, jobs that run from them, fingerprints, and the trace of what jobs run
	@.venv/bin/python bench/run.py --only code --only fingerprints --only tracing

bench-results: .venv/.has-bench .venv/.has-results ## measure tables of results, beside a loop over files with pandas, and log()
	@.venv/bin/python bench/run.py --only results $(if $(QUICK),--quick)

bench-page: .venv/.has-bench .venv/.has-test ## measure the page in Chromium: first paint, events, tabs, memory
	@.venv/bin/python bench/run.py --only page $(if $(QUICK),--quick)

bench: .venv/.has-bench ## measure xpm beside RQ, HyperQueue, experimaestro and submitit, into bench/RESULTS.md (an hour)
	-@.venv/bin/python bench/run.py --write

bench-quick: .venv/.has-bench ## the same at reduced size, in five minutes
	-@.venv/bin/python bench/run.py --quick --write

bench-profile: .venv/.has-bench ## show where the time of a worker and of a submission goes
	@.venv/bin/python bench/profile_us.py

storm: .venv/.has-test ## kill everything that can be killed, and check the promises (SECONDS=600 SEED=7)
	@.venv/bin/python tests/helpers/storm.py --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

clean: ## remove everything that the other commands made: environment, caches, dist, site, demo-workspace
	@rm -rf .venv build dist site .cache *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo-workspace
	@find xpm_core xpm_worker xpm_cli tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.has-%: pyproject.toml .venv/.made
	@echo "installing into .venv what '$*' needs"
	@$(PIP) '.[$*]'
	@touch $@

# Take the first Python of 3.10 or later that can make an environment (Debian's needs python3-venv for that). Versions
# for which there is a wheel with a server come before the newer ones, which need a server on PATH.
.venv/.made:
	@minor=14; newer=; while [ $$minor -lt 30 ]; do newer="$$newer python3.$$minor"; minor=$$((minor + 1)); done; \
	for python in python3 python3.13 python3.12 python3.11 python3.10 $$newer; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then \
	        echo "making .venv with $$($$python --version)"; \
	        $$python -m venv --clear .venv && touch $@; exit; \
	    fi; \
	done; \
	echo "make: no Python 3.10 or later with its venv module on PATH. Install one (Debian, Ubuntu: apt install python3-venv)." >&2; \
	exit 1
