# The commands of this project; `make` alone lists them. PYTHON selects the interpreter, ARGS is passed to pytest.
PYTHON ?= python
ARGS ?=
INTER ?=

.DEFAULT_GOAL := help
.PHONY: help test coverage lint format types docs figures look schema fonts gallery gallery-check bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## run the tests on all cores (one test: make test ARGS="-k stride")
	$(PYTHON) -m pytest -n auto $(ARGS)

coverage: ## run the tests and list the lines that none of them reaches
	$(PYTHON) -m pytest -n auto --cov=convanim --cov-report=term $(ARGS)

lint: ## check the code and its format with ruff
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: ## fix what ruff can fix automatically
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## check the types with mypy --strict
	$(PYTHON) -m mypy

docs: ## check the links, pictures, commands and examples of the documentation
	$(PYTHON) docs/check.py

figures: ## redraw the pictures of docs/matplotlib.md, latex.md, player.md and slides.md
	$(PYTHON) docs/figures.py

look: ## redraw docs/look.md: every layout, template and theme
	$(PYTHON) docs/look.py

schema: ## update the JSON Schema of templates from their keys
	$(PYTHON) -c "from convanim.template import schema; open('templates/template.schema.json', 'wb').write(schema())"

fonts: ## make templates/fonts from Inter's release (make fonts INTER=FOLDER; see docs/fonts.py)
	$(PYTHON) docs/fonts.py $(INTER)

gallery: ## build the gallery files that are out of date
	$(PYTHON) -m convanim gallery build

gallery-check: ## compare the gallery with the program's current output
	$(PYTHON) -m convanim gallery check

bench: ## measure speed and sizes; compare only figures of one run
	$(PYTHON) bench/bench.py

clean: ## remove the files that tools left behind
	rm -rf build dist out .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
