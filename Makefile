# Every task of the project. Each target sets up what it needs: Python 3.11 or newer and make suffice.

PYTHON ?= python3
MINUTES ?= 4
TORCH_INDEX ?=
RUN ?=
DATA ?=
ARGS ?=

BIN := .venv/bin
STAMP := .venv/.seq2see-setup
UNFINISHED := .venv/.seq2see-unfinished
EXTRAS := dev,demo,hub,look,tensorboard
INSTALL := -e ".[$(EXTRAS)]"
OLDEST := 3.11.0
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

# The packages whose public functions carry array shapes, as far as they have tests.
SHAPED := $(patsubst %/,%,$(sort $(dir $(wildcard \
	$(foreach package,nn parity decode look train,tests/$(package)/test_*.py)))))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test check docs bench bench-peers browser screenshots format constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo
	@echo '  MINUTES=4        minutes of training in the demo'
	@echo '  PYTHON=python3   the Python that makes .venv'
	@echo '  TORCH_INDEX=URL  one more package index; https://download.pytorch.org/whl/cpu'
	@echo '                   spares a Linux machine without GPU several GB of CUDA'

setup: $(STAMP) ## Make .venv with everything in it; nothing to do when it stands

# The stamp is written last. A marker left behind by an interrupted installation makes the next one
# start from nothing, because pip takes a half-copied package for an installed one.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'seq2see needs Python 3.11 or newer; "$(PYTHON)" is missing or older:' \
			"$$($(PYTHON) --version 2>&1)."; \
		echo 'Name another one, for example: make setup PYTHON=python3.12'; exit 1; } >&2
	@if [ -e $(UNFINISHED) ]; then \
		echo 'The last setup did not finish; making .venv anew.'; rm -rf .venv; fi
	@mkdir -p .venv && touch $(UNFINISHED)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt $(INDEX) $(INSTALL)
	@rm $(UNFINISHED) && touch $@

demo: $(STAMP) ## Train a pronouncer in MINUTES minutes, score it, look inside it
	$(BIN)/seq2see demo --minutes $(MINUTES)

test: $(STAMP) ## Run the tests: with array shapes checked, then the whole suite
	$(if $(SHAPED),SEQ2SEE_SHAPES=1 $(BIN)/python -m pytest $(SHAPED))
	$(BIN)/python -m pytest

check: $(STAMP) ## Lint, check the format, the types (mypy --strict) and the floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP) ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(STAMP) ## List the benchmarks; run one with RUN=name ARGS="..."
ifneq ($(RUN),)
	$(BIN)/python benchmarks/$(RUN).py $(ARGS)
else
	@ls benchmarks/*.py 2>/dev/null || echo 'There is no script under benchmarks/ yet.'
	@echo 'Run one: make bench RUN=name ARGS="..."; its options: make bench RUN=name ARGS=--help'
endif

# The other toolkits stand in .peers/, each in an environment of its own.
bench-peers: $(STAMP) ## Measure seq2see beside other toolkits on DATA=FOLDER of Multi30k
	@if [ -z "$(DATA)" ]; then echo 'Name the folder of Multi30k: make bench-peers DATA=FOLDER;' \
		'docs/benchmarks.md says which files it holds.'; exit 1; fi >&2
	PYTHONPATH=benchmarks $(BIN)/python -m peers "$(DATA)" \
		$(if $(TORCH_INDEX),--index $(TORCH_INDEX)) $(ARGS)

# Tests open reports in it and are skipped without it. Only a Debian whose root asks is changed.
browser: ## Install Chromium for the tests that open a report, where root can on Debian
	@if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then \
		echo 'a Chromium is there'; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
			>/dev/null 2>&1 || echo 'Chromium could not be installed; its tests are skipped'; \
	else echo 'no Chromium; install one to run the tests that open a report'; fi

screenshots: $(STAMP) browser ## Draw docs/report-*.png from a model trained in two minutes
	$(BIN)/python benchmarks/screenshots.py $(ARGS)

format: $(STAMP) ## Format the code and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# Resolved for the oldest Python that seq2see runs on, to the last digit, because its newest packages
# run on every later one (Debian 12 stays with 3.11.2), and as for an empty environment, so that
# nothing installed by hand slips in. The header and the pin of torch are kept: torch is raised by
# hand, since speed and recorded losses hang on it. What torch brings for one kind of hardware alone
# (CUDA, triton) is left unpinned.
constraints: $(STAMP) ## Renew constraints.txt: the newest versions pyproject.toml allows
	fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	grep '^torch==' constraints.txt > "$$fresh/torch.txt" && \
	$(BIN)/python -m pip install --dry-run --ignore-installed --report "$$fresh/report.json" \
		--target "$$fresh/none" --python-version $(OLDEST) --only-binary=:all: \
		-c "$$fresh/torch.txt" $(INDEX) ".[$(EXTRAS)]" && \
	$(BIN)/python -c 'import json, sys; \
		each = [entry["metadata"] for entry in json.load(sys.stdin)["install"]]; \
		pins = ["{name}=={version}".format_map(one) for one in each]; \
		print(*sorted(pins, key=str.lower), sep="\n")' \
		< "$$fresh/report.json" > "$$fresh/frozen.txt" && \
	{ grep '^#' constraints.txt; \
	  sed -E -e '/^(seq2see|pip|triton|nvidia-.*|cuda-.*)==/d' -e 's/\+[a-z0-9.]+$$//' \
	  "$$fresh/frozen.txt"; } > "$$fresh/constraints.txt" && \
	cp "$$fresh/constraints.txt" constraints.txt

clean: ## Remove what the tools leave behind; .venv and trained models stay
	rm -rf site build dist .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
