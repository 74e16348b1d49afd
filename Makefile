# The targets are the same for people and for the continuous check; CONTRIBUTING.md explains them.
PYTHON ?= python3
VENV   ?= .venv
RUN    := $(VENV)/bin/python
GPU    ?=
SRC    ?= demo
OUT    ?= runs/$(if $(filter demo,$(SRC)),demo,latest)
CODE   := core capture detectors tracker estimators watch render outputs weights pipeline web evaluation training benchmarks stream.py

# Windows need a display and the system libraries of a desktop; without them OpenCV's headless
# build is the one that imports. LD cannot be asked portably, so Python is.
WINDOW := $(shell $(PYTHON) -c 'import ctypes.util as c, os, sys; print(int(sys.platform != "linux" or (bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and all(map(c.find_library, ["GL", "xcb", "glib-2.0"])))))' 2>/dev/null)
CV     := $(if $(filter 1,$(WINDOW)),window,headless)
ORT    := $(if $(GPU),gpu,cpu)
LOCKS  := requirements/base.txt requirements/$(CV).txt requirements/$(ORT).txt $(if $(GPU),requirements/convert.txt)

.PHONY: demo test check test-fast test-slow bench install install-test install-train weights format lock clean

demo: install  ## the demo film, or your own source: make demo SRC=0, SRC=film.mp4, SRC=rtsp://...
	@mkdir -p $(OUT)
	@$(RUN) stream.py -s '$(SRC)' -o $(OUT)/annotated.mp4 -o $(OUT)/events.jsonl -o $(OUT)/visits.csv -o $(OUT)/summary.json
	@echo
	@echo "Look at:  $(OUT)/annotated.mp4   the annotated film"
	@echo "          $(OUT)/events.jsonl    who was seen when, a line an event"
	@echo "          $(OUT)/visits.csv      a line a person"
	@echo "          $(OUT)/summary.json    frames, speed, networks with their licences"

test: install-test check test-slow  ## all that a bare clone can test

check: install-test  ## format, lint, types, architecture, unit tests
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy $(wildcard $(CODE)) tests
	$(RUN) -m pytest -m 'not slow and not gpu'

test-fast: install-test
	$(RUN) -m pytest -m 'not slow and not gpu'

test-slow: install-test
	$(RUN) -m pytest -m 'slow and not gpu'

bench: install-test  ## speed and memory, per stage and end to end
	$(RUN) -m benchmarks.pipeline
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.tracker

install: $(VENV)/.installed-$(CV)-$(ORT)
	$(RUN) -m weights

install-test: $(VENV)/.installed-$(CV)-$(ORT) $(VENV)/.installed-test

install-train: $(VENV)/.installed-train  ## PyTorch beside it: gigabytes, see docs/training.md

weights: install
	$(RUN) -m weights list

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# One of two OpenCV builds and one of two onnxruntime builds: each pair shares a folder, so the
# other one goes before this one comes.
$(VENV)/.installed-$(CV)-$(ORT): $(VENV)/bin/python $(LOCKS)
	@echo "OpenCV: the $(CV) build$(if $(filter headless,$(CV)), (no display or no display library here: no window)); onnxruntime for the $(ORT)"
	@rm -f $(VENV)/.installed-headless-* $(VENV)/.installed-window-*
	$(RUN) -m pip uninstall -q -y $(if $(filter window,$(CV)),opencv-python-headless,opencv-python) $(if $(GPU),onnxruntime,onnxruntime-gpu) 2>/dev/null || true
	$(RUN) -m pip install -q --disable-pip-version-check --require-hashes $(addprefix -r ,$(LOCKS))
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed-$(CV)-$(ORT) requirements/test.txt requirements/evaluation.txt
	$(RUN) -m pip install -q --disable-pip-version-check --require-hashes -r requirements/test.txt
	$(RUN) -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/evaluation.txt
	@touch $@

$(VENV)/.installed-train: $(VENV)/.installed-test requirements/train.txt
	$(RUN) -m pip install -q --disable-pip-version-check --require-hashes -r requirements/train.txt
	@touch $@

format: install-test
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

# One resolution for Python 3.11 to 3.13, written in pieces that agree with each other; evaluation and peers stand
# apart, as they say themselves, and train agrees with all but gpu: the two want other CUDA libraries. Needs uv.
LOCK   := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command 'make lock'
BESIDE := base cpu convert test
lock:
	cat $(filter-out %/evaluation.in %/peers.in %/train.in,$(wildcard requirements/*.in)) | grep -v '^-r' | uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate - -o requirements/.all
	for piece in base headless window cpu gpu convert test; do \
	  $(LOCK) -c requirements/.all requirements/$$piece.in -o requirements/$$piece.txt || exit 1; \
	done
	for piece in evaluation peers; do \
	  $(LOCK) -c requirements/.all --no-deps requirements/$$piece.in -o requirements/$$piece.txt || exit 1; \
	done
	$(LOCK) $(BESIDE:%=-c requirements/%.txt) requirements/train.in -o requirements/train.txt
	rm requirements/.all

clean:
	rm -rf $(VENV) runs
