# Every target is one command of the package dev/. `make help` lists them.

PYTHON ?= python3
PORT ?= 8000
DEV = cd "$(CURDIR)" && $(PYTHON) -B -m dev

.DEFAULT_GOAL := help
.PHONY: help site start stop clean demo test fuzz bench chaos lint format

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

site: ## build the private site with the app on it, or bring it up to date
	@$(DEV) site

start: ## serve Desk on 127.0.0.1 (PORT=8000), run jobs, catch mail
	@$(DEV) start $(PORT)

stop: ## stop everything that runs for this folder
	@$(DEV) stop

clean: ## stop everything and remove the site and all that was built
	@$(DEV) clean

demo: ## play the demo on the site
	@$(DEV) demo $(ARGS)

test: ## run the tests (ARGS="tests/core -k name"; BENCH=path SITE=name for a real bench)
	@$(DEV) test $(if $(BENCH),--bench "$(BENCH)") $(if $(SITE),--site "$(SITE)") $(if $(ARGS),'$(ARGS)')

fuzz: ## try random and hostile input for long (ARGS="tests/fuzz/test_uploads.py")
	@$(DEV) fuzz $(if $(ARGS),'$(ARGS)')

bench: ## measure speed and memory as ratios within one run (ARGS=--no-idle; BENCH=path SITE=name)
	@$(DEV) bench $(if $(BENCH),--bench "$(BENCH)") $(if $(SITE),--site "$(SITE)") $(if $(ARGS),'$(ARGS)')

chaos: ## kill, stop and confuse everything, and count what arrives (ARGS=--short; BENCH=path SITE=name)
	@$(DEV) chaos $(if $(BENCH),--bench "$(BENCH)") $(if $(SITE),--site "$(SITE)") $(if $(ARGS),'$(ARGS)')

lint: ## check style and format, and look for weaknesses
	@$(DEV) lint

format: ## format the code, and repair what can be repaired
	@$(DEV) format
