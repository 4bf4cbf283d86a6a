#!/usr/bin/env bash
# Style and static checks: ruff, mypy, clang-format, clang-tidy, direction of includes. `scripts/lint.sh --fix` formats in place.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
mapfile -t c_files < <(git ls-files -co --exclude-standard '*.cc' '*.h' '*.c')
if [ "${1:-}" = --fix ]; then
  ruff check --fix . && ruff format . && clang-format -i "${c_files[@]}"
  exit
fi
ruff check . && ruff format --check --quiet .
mypy
python scripts/check_layers.py
clang-format --dry-run -Werror "${c_files[@]}"
# Files that include LibTorch take a minute each in clang-tidy and are left to the compiler's warnings.
mapfile -t tidy_files < <(git ls-files -co --exclude-standard 'src/*.cc' | grep -v '^src/supernet/')
tidy_stamp=build/.tidy-$(cat .clang-tidy "${c_files[@]}" | sha256sum | cut -c1-16)
if [ ! -e "$tidy_stamp" ]; then
  printf '%s\n' "${tidy_files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option -p build/release 2>/dev/null
  rm -f build/.tidy-*
  touch "$tidy_stamp"
fi
echo "lint: clean"
