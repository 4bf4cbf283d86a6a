# make search: everything, then the main job on the bundled data set.   make test: everything, then all tests.
# Options: PIP_ARGS="--index-url ..." is passed to pip (for another build of torch), PYTHON=python3.12, ARGS="..." for search.
PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help setup build search test lint tidy cpp-test sanitize python-test clean

help:
	@sed -n '1,2s/^# //p' Makefile

setup:
	@PYTHON="$(PYTHON)" PIP_ARGS="$(PIP_ARGS)" scripts/setup.sh

build: setup
	@scripts/build.sh release

search: setup
	@scripts/build.sh release _core _supernet
	$(PY) -m tinynas search --sram 320k --flash 1M --resume $(ARGS)

test: build lint cpp-test sanitize python-test

lint: build
	@scripts/lint.sh

tidy: build
	@scripts/tidy.sh

cpp-test: build
	@scripts/cpp_test.sh release

sanitize: setup
	@scripts/build.sh asan-ubsan
	@scripts/cpp_test.sh asan-ubsan

python-test: build
	OMP_NUM_THREADS=1 $(PY) -m pytest -n auto --maxprocesses 8 --dist loadfile $(PYTEST_ARGS)

clean:
	rm -rf build python/tinynas/*.so
