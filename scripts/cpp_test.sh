#!/usr/bin/env bash
# scripts/cpp_test.sh PRESET: runs the GoogleTest programs of a build.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
ctest --preset "$1" -j "$(nproc)" --progress
