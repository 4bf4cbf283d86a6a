#!/usr/bin/env bash
# Style and static checks: ruff, mypy, clang-format, direction of includes. `scripts/lint.sh --fix` formats in place.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
mapfile -t c_files < <(git ls-files -co --exclude-standard '*.cc' '*.h' '*.c')
if [ "${1:-}" = --fix ]; then
  ruff check --fix .
  ruff format .
  clang-format -i "${c_files[@]}"
  exit
fi
ruff check .
ruff format --check --quiet .
mypy
python scripts/check_layers.py
clang-format --dry-run -Werror "${c_files[@]}"
echo "lint: clean"
