# What a machine needs is made by ivr/machine.py; here are only the names.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench bench-quick bench-full bench-soak bench-10m chaos speech-model lint clean

help:  ## these lines
	@grep -E '^[a-z0-9-]+:.*##' Makefile | sed -E 's/:[^#]*## */\t/'

setup:  ## packages, .venv and Asterisk; quick when all is in place
	@$(PYTHON) -I ivr/machine.py setup

demo: setup  ## a citizen is served on real telephony, in a state directory of its own
	@$(BIN)/python -m tests.demo

LINE_WORKERS ?= 4
test: setup lint  ## everything that must hold; calls after all else, several at a time (LINE_WORKERS=4)
	$(BIN)/python -m pytest --numprocesses=3 --reruns=1 --cov --cov-report= -m "not line"
	$(BIN)/python -m tests.harness.sounds
	$(BIN)/python -m pytest --numprocesses=$(LINE_WORKERS) --reruns=2 --cov --cov-append --cov-report=term:skip-covered \
		--durations=30 --durations-min=20 -m line tests/line tests/integration tests/acceptance

bench: setup  ## how fast, beside others, in at most 15 minutes; JSON in build/bench (docs/bench.md)
	$(BIN)/python -m bench all --json build/bench

bench-quick: setup  ## the same in two minutes: ratios only
	$(BIN)/python -m bench all --effort quick --json build/bench-quick

bench-full: setup  ## the same with more of everything, as long as it takes
	$(BIN)/python -m bench all --effort full --json build/bench-full

bench-soak: setup  ## half an hour at 70 % of the highest rate: does anything grow?
	$(BIN)/python -m bench soak --effort full --json build/bench-soak/soak.json

bench-10m: setup  ## the store with ten million cards on PostgreSQL; takes 20 GB in TMPDIR
	$(BIN)/python -m bench storage --database postgresql --size 10000000 --json build/bench-10m/storage.json

SEED ?= 1
SECONDS ?= 60
chaos: setup  ## everything is killed while citizens call, then counted who was lost (SEED=1 SECONDS=60)
	$(BIN)/python -m tests.chaos --seed $(SEED) --seconds $(SECONDS)

speech-model: setup  ## the tests' recognition model is trained anew, in an environment of its own
	@test -x .venv-speech/bin/python || $(PYTHON) -m venv .venv-speech
	.venv-speech/bin/python -m pip install --quiet --disable-pip-version-check -e ".[speech-model]"
	.venv-speech/bin/python -m tools.speech_model lexicon
	.venv-speech/bin/python -m tools.speech_model train
	.venv-speech/bin/python -m tools.speech_model evaluate

lint:  ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:  ## what tests and tools leave behind; .venv and the cache of Asterisk stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* build dist
	find . -name __pycache__ -not -path './.venv*/*' -prune -exec rm -rf {} +
