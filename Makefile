# The commands of this project; `make` alone lists them. PYTHON chooses the interpreter, ARGS is handed to pytest.
PYTHON ?= python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help test coverage lint format types docs figures look schema gallery gallery-check bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## run the tests on every core (one test: make test ARGS="-k stride")
	$(PYTHON) -m pytest -n auto $(ARGS)

coverage: ## run the tests and name the lines that none of them reaches
	$(PYTHON) -m pytest -n auto --cov=convanim --cov-report=term $(ARGS)

lint: ## ruff: rules, then layout
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: ## let ruff mend what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## mypy --strict over the package
	$(PYTHON) -m mypy

docs: ## every relative link and picture exists, every example in the pages gives what it says
	$(PYTHON) docs/check.py

figures: ## draw the pictures of docs/matplotlib.md and docs/latex.md anew
	$(PYTHON) docs/figures.py

look: ## draw docs/look.md anew: every layout, template and theme
	$(PYTHON) docs/look.py

schema: ## write the schema of templates anew, from their keys
	$(PYTHON) -c "from convanim.template import schema; open('templates/template.schema.json', 'wb').write(schema())"

gallery: ## make what is stale in the gallery
	$(PYTHON) -m convanim gallery build

gallery-check: ## compare the gallery with what the program draws now
	$(PYTHON) -m convanim gallery check

bench: ## measure; compare only figures of one run
	$(PYTHON) bench/bench.py

clean: ## remove what the tools left behind
	rm -rf build dist out .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
