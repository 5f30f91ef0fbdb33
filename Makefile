# Everything is done by tools/bootstrap.py, so that a machine without make has the same commands:
# python3 tools/bootstrap.py run | test | check | bench | docs | pictures | lock | clean

PYTHON ?= python3
ARGS ?=

.PHONY: run test check bench docs pictures lock clean
.DEFAULT_GOAL := run

run test check bench docs pictures lock clean:
	@$(PYTHON) tools/bootstrap.py $@ $(ARGS)
