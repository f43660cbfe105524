# The commands of Daypost. On a fresh machine they need Python 3.11 or newer with its venv module.
#
#   make run      everything, in the foreground: PORT=8000 PRACTICE_PORT=8025
#   make demo     the main job without a browser: CSV=path
#   make test     the suite, on SQLite and PostgreSQL; make test-system tries `make run` from outside,
#                 and our mail sessions with Dovecot and Postfix; make test-live: docs/live-tests.md
#   make torture  faults at every step, by name and at random: ROUNDS=20 SEED=1 DB=sqlite|postgres
#   make mutants  break each promise on purpose, in a copy, and see which test notices
#   make bench    the figures of docs/figures.md
#   make compare  Daypost beside two other queues, in the same faults
#   make check    format, lint, types, directions of imports

.PHONY: install run demo lock test test-system test-live torture mutants bench compare check
.DEFAULT_GOAL := run

python := .venv/bin/python
installed := .venv/installed
installed_dev := .venv/installed-dev

install: $(installed)

run: $(installed)
	@exec $(python) -m config.run

demo: $(installed)
	@exec $(python) -m config.demo

# --- Dependencies, exactly as locked --------------------------------------------------------

.venv/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    && echo "Making .venv with $$($$python --version)" && exec $$python -m venv .venv; \
	done; \
	echo "Python 3.11 or newer is needed, with its venv module (Debian: python3-venv)." >&2; exit 1

pip_install := $(python) -m pip install --quiet --disable-pip-version-check --require-hashes

$(installed): requirements.txt | .venv/bin/python
	@echo "Installing what Daypost needs"
	@$(pip_install) --requirement requirements.txt
	@touch $@

$(installed_dev): requirements-dev.txt | $(installed)
	@echo "Installing what its tests need"
	@$(pip_install) --requirement requirements-dev.txt
	@touch $@

# Compiles the locks again, with the newest versions that pyproject.toml allows.
compile := .venv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes \
  --no-emit-index-url --no-annotate --no-header --python-version 3.11 pyproject.toml
lock: $(installed_dev)
	$(compile) --output-file requirements.txt
	$(compile) --group dev --output-file requirements-dev.txt
	$(filter-out pyproject.toml,$(compile)) benchmarks/peers/requirements.in \
	  --output-file benchmarks/peers/requirements.txt

# --- Proof ------------------------------------------------------------------------------------

pytest := $(python) -m pytest -n 2 --dist worksteal --durations 15 --durations-min 1
# What starts a whole instance from a fresh clone has a target of its own.
suite := tests --ignore tests/system

# All of it on SQLite, then what touches the database (tests/plugin.py) on PostgreSQL.
test: $(installed_dev)
	@$(python) -m tests.browser.chromium
	@$(pytest) $(suite)
	@$(pytest) $(suite) --database=postgres

# `make run` itself, in a fresh clone, as a black box; and real mail servers, of Debian's packages.
test-system: $(installed_dev)
	@$(python) -m tests.system.packages
	@$(python) -m pytest tests/system --durations 5

# A real Gmail account, for somebody who has one to spare: docs/live-tests.md.
test-live: $(installed_dev)
	@$(python) -m tests.live

# How the promise is proved: docs/proof.md.
torture: $(installed_dev)
	@$(python) -m tests.torture --rounds $(or $(ROUNDS),20) --seed $(or $(SEED),1) \
	  --db $(or $(DB),sqlite)

mutants: $(installed_dev)
	@$(python) -m tests.mutants --write

# What a machine can do: docs/figures.md.
bench: $(installed_dev)
	@$(python) -m benchmarks

# Beside django-post_office and django-mailer, in a venv of their own that is thrown away.
compare: $(installed_dev)
	@$(python) -m benchmarks.peers.compare

check: $(installed_dev)
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@find templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --check --target-version 5.2
	@.venv/bin/mypy .
	@.venv/bin/lint-imports
	@.ci/check-tree
