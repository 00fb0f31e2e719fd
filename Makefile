.DEFAULT_GOAL := help
PYTHON := .venv/bin/python

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: setup ## Set up and start everything, with a demo (GATEHOUSE_DEMO=0 starts empty)
	@exec $(PYTHON) manage.py up

test: setup-dev ## Set up and run the tests
	$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup-dev ## Import order, style, types
	.venv/bin/lint-imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .

format: setup-dev ## Format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

faults: setup-dev ## Kill, cut and fill everything under load; reckon calls with bills (15 minutes)
	$(PYTHON) -m pytest tests/faults -m faults -s $(ARGS)

bench: setup-dev ## Measure the gate against its peers, in one run
	deploy/setup.sh bench
	$(PYTHON) -m benchmarks

lock: setup-dev ## Resolve the requirements*.in files anew
	deploy/lock.sh

setup: ## Install what running needs
	@deploy/setup.sh run

setup-dev: ## Install what tests and lint need
	@deploy/setup.sh dev

.PHONY: help run test faults lint format bench lock setup setup-dev
