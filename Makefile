# One word per developer action. Windows, or no make: see README, "Without make".
PYTHON ?= python3
PORT   ?= 8501
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: install run test check bench chromium

install: $(VENV)/.installed-dev  ## create .venv with everything that runs and develops the project

run: $(VENV)/.installed-run  ## start the dashboard on PORT
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/.installed-dev chromium  ## run every test, the browser tests too
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: $(VENV)/.installed-dev  ## style, import rules, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: $(VENV)/.installed-dev  ## compare with the peers, prints ratios
	for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench || exit 1; done

chromium: $(VENV)/.installed-dev
	$(BIN)/python tests/chromium.py --install

# Debian splits venv off Python: bring it in where we may, else say what to type.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Skystamp needs Python 3.11 or newer; try: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -q && apt-get install -y -q python3-venv; } \
	  || { echo "Python lacks its venv module. On Debian: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-run: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.installed-run
