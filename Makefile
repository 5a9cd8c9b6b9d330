# make demo    train models on handwritten digits, on two local workers (examples/digits.py)
# make test    run every test
# make lint    ruff and mypy
# make bench-identity    measure an identity, and write the figures into bench/RESULTS.md
# make bench   measure xpm beside RQ, HyperQueue, experimaestro and submitit, into bench/RESULTS.md (an hour)
# make bench-quick       the same at reduced size, in five minutes
# make bench-profile     show where the time of a worker and of a submission goes
# make docs    build the documents as a site: open site/index.html
# make storm   kill everything that can be killed, and check the promises (SECONDS=600 SEED=7)
# make reference         write the parts of docs/reference that come from the code: commands and errors
# make clean   remove everything that the other commands made: environment, caches, demo-workspace
#
# Each command installs only what it needs into .venv. It installs again only when pyproject.toml has changed.

PIP = .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --editable

.PHONY: demo test lint docs reference storm bench bench-quick bench-profile bench-identity clean

demo: .venv/.has-demo
	@.venv/bin/python examples/digits.py demo-workspace

# The tests run in the order that tests/conftest.py makes, because it puts the files that take long first.
test: .venv/.has-demo .venv/.has-test
	@.venv/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.has-lint
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

docs: .venv/.has-docs
	@.venv/bin/python tests/helpers/site_build.py

reference: .venv/.has-test
	@.venv/bin/python tests/helpers/reference_pages.py

storm: .venv/.has-test
	@.venv/bin/python tests/helpers/storm.py --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

bench: .venv/.has-bench
	-@.venv/bin/python bench/run.py --write

bench-quick: .venv/.has-bench
	-@.venv/bin/python bench/run.py --quick --write

bench-profile: .venv/.has-bench
	@.venv/bin/python bench/profile_us.py

bench-identity: .venv/.has-test
	@.venv/bin/python bench/identity.py --write

clean:
	@rm -rf .venv build dist site .cache *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo-workspace
	@find xpm_core xpm_worker xpm_cli tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.has-%: pyproject.toml .venv/.made
	@echo "installing into .venv what '$*' needs"
	@$(PIP) '.[$*]'
	@touch $@

# Take the first Python of a supported version that can make an environment (Debian's needs python3-venv for that).
.venv/.made:
	@for python in python3 python3.13 python3.12 python3.11 python3.10; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	        echo "making .venv with $$($$python --version)"; \
	        $$python -m venv --clear .venv && touch $@; exit; \
	    fi; \
	done; \
	echo "make: no Python 3.10 to 3.13 with its venv module on PATH. Install one (Debian, Ubuntu: apt install python3-venv)." >&2; \
	exit 1
