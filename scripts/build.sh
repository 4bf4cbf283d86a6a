#!/usr/bin/env bash
# scripts/build.sh PRESET [TARGET ...]: configures and builds a preset of CMakePresets.json with the tools of .venv/.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1; shift
export PATH="$PWD/.venv/bin:$PATH"
mkdir -p build
exec 9>build/.lock
flock 9
cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 || { cat "build/$preset.configure.log" >&2; exit 1; }
cmake --build --preset "$preset" ${1:+--target "$@"} -- --quiet
