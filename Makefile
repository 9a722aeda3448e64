# The two commands of the README, and the tools behind them. PYTHON chooses the interpreter of .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench simulate calibrate reader hairstyle faults finder letters clip report format clean

demo: $(VENV)/installed
	$(BIN)/python -m evalharness.demo.show

test: $(VENV)/installed-dev check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=85

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/speed.py

simulate: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/simulate.py

# LABELS=folder compares with a person's labels as well
calibrate: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/calibrate.py

# RUN=folder of a finished run, whose cells are repeated until there are 10,000
report: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python bench/report.py $(or $(RUN),runs/demo) --cells 10000

# put the SHA-256 of what the last line writes into evalharness/perception/part_reader.py
reader: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_reader.py --faces 25000 --steps 2600 --out runs/reader/first.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_reader.py --faces 35000 --steps 1800 --round 2 --ready 7 \
		--start runs/reader/first.safetensors --out runs/reader/second.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_reader.py --faces 25000 --steps 3000 --round 3 --ready 5 --peak 7e-4 --demo \
		--share 0.8 --start runs/reader/second.safetensors --out evalharness/perception/data/part_reader.safetensors

# put the SHA-256 that it prints into evalharness/perception/hairstyle.py
hairstyle: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/fit_hairstyle.py --output evalharness/perception/data/hairstyle.safetensors

# goes on from the weights of an earlier day, which the history keeps; SHA-256 into evalharness/perception/face_faults.py
faults: $(VENV)/installed
	mkdir -p runs/face_faults
	git show 8ced3dc:evalharness/perception/data/face_faults.safetensors > runs/face_faults/before.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/fit_face_faults.py --start runs/face_faults/before.safetensors \
		--output evalharness/perception/data/face_faults.safetensors

finder: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_finder.py --shards 2 --steps 1200 --peak 3e-3 --out runs/finder/first.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_finder.py --shards 4 --steps 520 --peak 2e-3 --seed 2 \
		--start runs/finder/first.safetensors --out runs/finder/second.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_finder.py --shards 4 --steps 1300 --peak 1.5e-3 --seed 3 \
		--start runs/finder/second.safetensors --out evalharness/perception/data/face_finder.safetensors

# SHA-256 into evalharness/perception/lettering.py
# nearly as it was, which stopped by the clock: each round begins where the one before ended; needs the fonts DejaVu and VL Gothic
letters: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_letters.py --steps 3000 --out runs/letters/first.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_letters.py --shards 4 --steps 4000 --seed 4 --peak 2.5e-3 --share 0.75 \
		--start runs/letters/first.safetensors --out runs/letters/second.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_letters.py --shards 4 --steps 2500 --seed 6 --peak 1.5e-3 --share 0.5 \
		--start runs/letters/second.safetensors --out evalharness/perception/data/letters.safetensors

clip: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_clip.py --out runs/clip/first
	OMP_NUM_THREADS=1 $(BIN)/python bench/train_clip.py --start runs/clip/first/open_clip_model.safetensors --steps 300 \
		--peak 1e-3

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) runs build dist .pytest_cache .mypy_cache .ruff_cache .coverage
