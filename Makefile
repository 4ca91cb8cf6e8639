# For a machine without ROS: everything in .venv. On a ROS install use colcon.
PYTHON ?= python3
VENV ?= .venv
SECONDS ?=
BIN = $(VENV)/bin

.PHONY: env demo proof test test-v4l2 lint bench bench-v4l2 clean

env: $(VENV)/.installed
$(VENV)/.installed: requirements.txt setup.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . --config-settings editable_mode=compat
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Ctrl-C ends it, or SECONDS=20
demo: env
	@$(BIN)/python -m camera_mp.bringup config/cameras.yaml --table $(if $(SECONDS),--duration $(SECONDS))

# a table, proof/proof.json and proof/proof.png; SECONDS=10 of each arrangement
proof: $(VENV)/.installed-dev
	@$(BIN)/python -m camera_mp.proof $(if $(SECONDS),--seconds $(SECONDS))

# three at a time: they wait for other processes most of their time
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 3 --dist worksteal

# the cameras of source v4l2, emulated, in a small virtual machine; see test/webcam_vm/README.md
WEBCAM_VM = $(BIN)/python test/webcam_vm/vm.py
test-v4l2: $(VENV)/.installed-dev
	$(WEBCAM_VM) python -m pytest -p no:cacheprovider test/webcam_vm/guest_*.py

bench-v4l2: $(VENV)/.installed-dev
	$(WEBCAM_VM) python benchmark/webcam.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/mypy

# about three quarters of an hour on a quiet machine; tables, JSON and pictures in bench-results/
BENCHMARKS = frame_ring camera jpeg recorder frame_set viewer
PLOTTED = image_topic consumers originals scale detectors
bench: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	mkdir -p bench-results
	$(foreach name,$(BENCHMARKS),$(call run_benchmark,$(name),))
	$(foreach name,$(PLOTTED),$(call run_benchmark,$(name),--plot bench-results/$(name).png))
define run_benchmark
$(BIN)/python benchmark/$(1).py --json bench-results/$(1).json $(2) > bench-results/$(1).md; \
	cat bench-results/$(1).md;
endef

clean:
	rm -rf $(VENV) bench-results proof build install log .pytest_cache .mypy_cache .ruff_cache .hypothesis
