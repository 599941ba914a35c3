# Every target sets up what it needs in .venv, and nothing outside this folder.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: run test lint sweep soak mutants coverage bench bench-report bench-docs bench-clocks fpga fpga-columns fpga-runtime fpga-wide explore explore-data explore-docs boards soc netlists docs fresh vectors conformance models models-test prove wheel-test demo-classify demo-int8 demo-sound demo-text demo-detect clean help tools

VENV  := .venv
PY    := $(VENV)/bin/python
CORE  := $(VENV)/.core-installed
DEV   := $(VENV)/.dev-installed
FARM  := $(VENV)/.farm-installed
FPGA  := $(VENV)/.fpga-installed
EXPLORE := $(VENV)/.explore-installed
TORCH := $(VENV)/.conformance-installed
KERAS := $(VENV)/.keras-installed
BENCH := $(VENV)/.bench-installed
PROVE := $(VENV)/.prove-installed

ARGS  ?=
COUNT ?= 1000
MINUTES ?= 10
SEED  ?= 1

# The address of a Dask scheduler, whose workers do what takes long; without, those of this machine.
SCHEDULER ?=
ON := $(if $(SCHEDULER),--scheduler $(SCHEDULER))

# Compiled models and the like are kept in .venv too.
IN_ENV := XDG_CACHE_HOME="$(CURDIR)/$(VENV)/cache" XDG_CONFIG_HOME="$(CURDIR)/$(VENV)/config" PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
PIP    := $(PY) -m pip --quiet --disable-pip-version-check

run: $(CORE) ## pool the photograph, or your own picture: make run ARGS="cat.png --kernel 2"
	@$(IN_ENV) $(PY) -m streampool_sim run $(ARGS)

test: tools lint ## lint, types and all tests
	@$(IN_ENV) $(PY) -m pytest -n 2 --dist worksteal $(ARGS)

lint: $(DEV) ## lint, format and types
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m pyright

sweep: tools $(FARM) ## random specifications in both engines: make sweep COUNT=5000 SEED=1
	@$(IN_ENV) $(PY) -m streampool_sim sweep $(COUNT) --seed $(SEED) --scheduler $(or $(SCHEDULER),local) $(ARGS)

soak: tools $(CORE) ## random cores for minutes, stalled and reset: make soak MINUTES=10 ARGS="--seed 1"
	@$(IN_ENV) $(PY) -m streampool_sim soak --minutes $(MINUTES) $(ARGS)

bench: tools $(CORE) ## speed of the simulation engines
	@$(IN_ENV) $(PY) -m streampool_bench.engines $(ARGS)

bench-report: tools $(BENCH) ## compare software with the core, on a page: make bench-report ARGS=--quick
	@mkdir -p build
	@$(IN_ENV) $(PY) -m streampool_sim bench --simulate --folder build/bench \
	  --json build/bench.json --html build/bench.html $(ARGS)

bench-docs: tools $(BENCH) ## the same, and update docs/; use a machine that is otherwise idle
	@mkdir -p build
	@$(IN_ENV) $(PY) -m streampool_sim bench --simulate --folder build/bench-docs \
	  --json build/bench.json --html build/bench.html $(ARGS)
	@$(IN_ENV) $(PY) -m streampool_bench.report.digest build/bench.json docs/bench.json
	@$(IN_ENV) $(PY) docs/figures.py
	@$(IN_ENV) $(PY) docs/tables.py software bench-layers bench-networks

bench-clocks: $(CORE) ## count the cores of docs/bench.json again, at the clocks of today's placements
	@$(IN_ENV) $(PY) -m streampool_bench.report.digest docs/bench.json docs/bench.json
	@$(IN_ENV) $(PY) docs/figures.py
	@$(IN_ENV) $(PY) docs/tables.py software bench-layers bench-networks

fpga: $(FPGA) ## clock and area of the reference jobs: make fpga SEEDS=5 JOBS=A1,B8 DEVICES=ecp5-85k-6
	@$(IN_ENV) $(PY) -m streampool_sim fpga $(ON) $(if $(SEEDS),--seeds $(SEEDS)) \
	  $(if $(JOBS),--jobs "$(JOBS)") $(if $(DEVICES),--devices $(DEVICES)) $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py headline fpga fpga-short fpga-bar
	@$(MAKE) --no-print-directory bench-clocks

fpga-columns: $(FPGA) ## clock and area of several columns a beat, beside as many lanes: make fpga-columns SEEDS=5
	@$(IN_ENV) $(PY) -m streampool_sim fpga --columns $(ON) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs "$(JOBS)") $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py fpga-columns

fpga-runtime: $(FPGA) ## clock and area of cores whose job changes while they run: make fpga-runtime SEEDS=5
	@$(IN_ENV) $(PY) -m streampool_sim fpga --runtime $(ON) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs "$(JOBS)") $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py runtime-placed

fpga-wide: $(FPGA) ## clock and area of the widest cores, cut into slices: make fpga-wide SEEDS=5
	@$(IN_ENV) $(PY) -m streampool_sim fpga --wide $(ON) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs "$(JOBS)") $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py fpga-wide
	@$(MAKE) --no-print-directory bench-clocks

explore: tools $(EXPLORE) ## lanes and columns for a network: make explore ARGS="--net lenet5 --device ecp5-25k-6 --fps 1000"
	@$(IN_ENV) $(PY) -m streampool_sim explore $(ON) $(ARGS)

explore-data: $(EXPLORE) ## place what the cost model is fitted on, as far as it is missing, and fit it again
	@$(IN_ENV) $(PY) -m streampool_explore.training $(ON) $(ARGS)
	@$(IN_ENV) $(PY) -m streampool_explore.fit --store build/store
	@$(IN_ENV) $(PY) docs/tables.py explore-designs explore-errors explore-search

explore-docs: $(EXPLORE) ## the explorations of docs/explore.md
	@mkdir -p build/explore
	@for each in "lenet5 ecp5-25k-6 200000" "lenet5 ice40-hx8k 100000" \
	  "alexnet ecp5-25k-6 3000" "alexnet ice40-hx8k 1500" "yolov3_tiny ecp5-25k-6 300"; do \
	  set -- $$each; $(IN_ENV) $(PY) -m streampool_sim explore --net $$1 --device $$2 --fps $$3 $(ON) \
	    --json build/explore/$$1-$$2.json $(ARGS) || exit 1; \
	done
	@$(IN_ENV) $(PY) docs/tables.py explore-confirmed
	@$(IN_ENV) $(PY) docs/figures.py

netlists: tools $(DEV) ## compare synthesized cores with the cores they are made from, beat for beat
	@$(IN_ENV) $(PY) -m pytest -n 2 --long tests/netlist $(ARGS)

boards: $(FPGA) ## bitstreams that test a core on a board, and with a link: make boards BOARDS="icebreaker orangecrab"
	@$(IN_ENV) $(PY) -m streampool_sim boards $(BOARDS) $(ARGS)
	@$(PIP) install -e '.[link,usb]'
	@$(IN_ENV) $(PY) -m streampool_sim boards --link $(BOARDS) $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py boards-reached
	@$(IN_ENV) $(PY) docs/board_pages.py $(BOARDS)

docs: tools $(CORE) ## write the figures of README.md and docs/ again
	@$(IN_ENV) $(PY) docs/figures.py
	@$(IN_ENV) $(PY) docs/played.py
	@$(IN_ENV) $(PY) docs/tables.py $(ARGS)

fresh: tools ## clone, empty HOME, bare PATH; then make run and make test there
	@.ci/fresh

soc: $(DEV) ## simulate a RISC-V computer that hands frames to a core by DMA
	@$(PIP) install -e '.[soc]'
	@$(IN_ENV) $(PY) -m pytest tests/examples/test_soc.py $(ARGS)

vectors: $(TORCH) ## record the test vectors again, with torch
	@$(IN_ENV) $(PY) tests/golden/make_vectors.py
	@$(IN_ENV) PYTHONPATH=tests $(PY) -m conformance.run --record tests/golden/vectors/runtimes.json

conformance: tools $(TORCH) ## compare random specifications with torch, onnxruntime and TFLite
	@$(IN_ENV) PYTHONPATH=tests $(PY) -m conformance.run --scheduler $(or $(SCHEDULER),local) $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py conformance own-rounding onnx

models: tools $(TORCH) ## read and run the models of docs/models.md: make models ARGS=onnx
	@mkdir -p build
	@$(IN_ENV) PYTHONPATH=tests $(PY) -m zoo.run $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py models

models-test: tools $(TORCH) $(KERAS) ## tests of model readers with PyTorch, Keras and LiteRT installed
	@$(IN_ENV) $(PY) -m pytest tests/models tests/examples/test_beginner.py $(ARGS)

prove: tools $(PROVE) ## prove the hardware, for any data, stalls and resets: make prove ARGS=--long
	@$(IN_ENV) PYTHONPATH=tests $(PY) -m proofs.run $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py proofs

mutants: tools $(DEV) ## put faults into netlists and sources, and show that each is found or is none
	@$(IN_ENV) PYTHONPATH=tests $(PY) -m mutants.run $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py mutants mutants-listed source-mutants source-mutants-listed

coverage: tools $(DEV) ## what the tests reach of Verilog, or why not: ARGS="--part verilog"
	@$(IN_ENV) PYTHONPATH=tests $(PY) -m covered.run $(ARGS)
	@$(IN_ENV) $(PY) docs/tables.py verilog-coverage verilog-listed bins python-coverage python-missed

wheel-test: $(DEV) ## build the wheel and run it in an empty environment
	@$(IN_ENV) $(PY) -m pytest tests/cli/test_wheel.py

demo-int8: tools $(VENV)/demos/int8/.installed ## a quantised TFLite network, converted here, with its pooling in cores
	@$(IN_ENV) $(VENV)/demos/int8/bin/python examples/demos/int8.py

demo-classify: tools $(VENV)/demos/classify/.installed ## a convolutional network reads real digits with its pooling in cores
	@$(IN_ENV) $(VENV)/demos/classify/bin/python examples/demos/classify.py

demo-text: tools $(VENV)/demos/text/.installed ## a network tells what is in files, its maximum over time in a core
	@$(IN_ENV) $(VENV)/demos/text/bin/python examples/demos/text.py

demo-detect: tools $(VENV)/demos/detect/.installed ## detectors of faces and of characters with their pooling in cores
	@$(IN_ENV) $(VENV)/demos/detect/bin/python examples/demos/detect.py

demo-sound: tools $(VENV)/demos/sound/.installed ## a Keras network of one axis that knows sounds, with its pooling in cores
	@$(IN_ENV) $(VENV)/demos/sound/bin/python examples/demos/sound.py

clean: ## remove .venv and whatever was made
	rm -rf $(VENV) build examples/build dist sim_build .pytest_cache .ruff_cache .hypothesis
	find golden hw sim tests docs examples -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f chelsea-*

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Says everything that is missing in one sentence, before anything is fetched.
tools:
	@missing=; \
	command -v perl >/dev/null || missing="$$missing, perl"; \
	command -v $${CXX:-c++} >/dev/null || command -v g++ >/dev/null || \
	  missing="$$missing, a C++ compiler (c++ or g++)"; \
	$(FIND_PYTHON); \
	test -n "$$python" || missing="$$missing, python3 (3.11 or later) with venv"; \
	if [ -n "$$missing" ]; then \
	  echo "streampool: this needs$${missing#,}, which this machine lacks." >&2; exit 1; \
	fi

# The first Python that will do. Debian's python3 lacks ensurepip until python3-venv is installed.
define FIND_PYTHON
python=; \
for each in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
  if $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
    >/dev/null 2>&1; then python=$$each; break; fi; \
done
endef

$(PY):
	@$(FIND_PYTHON); \
	if [ -z "$$python" ]; then \
	  echo "streampool: this needs python3 (3.11 or later) with venv, which this machine lacks." >&2; \
	  exit 1; \
	fi; \
	echo "Setting up $(VENV), once ..." >&2; \
	$$python -m venv $(VENV)

# What a demonstration needs stands in examples/demos/NAME.txt, pinned, and has an environment of its own.
# Of the packages in NAME.data.txt it takes files or a module, so what the rest of them needs is left out.
$(VENV)/demos/%/.installed: examples/demos/%.txt pyproject.toml | $(PY)
	@echo "Installing what the demonstration needs, once; this takes minutes ..." >&2
	@$(PY) -m venv $(@D)
	@$(@D)/bin/python -m pip --quiet --disable-pip-version-check install --no-warn-conflicts -e . -r $<
	@if test -f $(<:.txt=.data.txt); then \
	  $(@D)/bin/python -m pip --quiet --disable-pip-version-check install --no-deps -r $(<:.txt=.data.txt); \
	fi
	@touch $@

$(CORE): pyproject.toml | $(PY)
	@$(PIP) install -e .
	@touch $@

$(DEV): pyproject.toml | $(PY)
	@$(PIP) install -e '.[dev]'
	@touch $@ $(CORE)

$(FARM): pyproject.toml | $(PY)
	@$(PIP) install -e '.[farm]'
	@touch $@ $(CORE)

$(FPGA): pyproject.toml | $(PY)
	@$(PIP) install -e '.[fpga]'
	@touch $@ $(CORE)

$(EXPLORE): pyproject.toml | $(PY)
	@$(PIP) install -e '.[explore]'
	@touch $@ $(CORE)

$(TORCH): pyproject.toml $(DEV)
	@$(PIP) install -e '.[conformance]'
	@touch $@

$(KERAS): pyproject.toml $(DEV)
	@echo "Installing Keras and TensorFlow, once ..." >&2
	@$(PIP) install -e '.[keras]'
	@touch $@

$(PROVE): pyproject.toml | $(PY)
	@$(PIP) install -e '.[prove]'
	@touch $@ $(CORE)

$(BENCH): pyproject.toml | $(CORE)
	@echo "Installing what is measured against, once ..." >&2
	@$(PIP) install -e .
	@$(PY) -m streampool_bench.install
	@touch $@
