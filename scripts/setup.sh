#!/usr/bin/env bash
# Makes the checkout ready: system packages where they are missing (Debian, Ubuntu), .venv/ with the Python packages.
# Quick when nothing is missing. PYTHON: interpreter (3.11 or newer); PIP_ARGS: passed to pip (for example another index for torch).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
packages=(g++ make git libeigen3-dev nlohmann-json3-dev libspdlog-dev libgtest-dev libgmock-dev gcc-arm-none-eabi
          libnewlib-arm-none-eabi qemu-system-arm clang-format clang-tidy)

missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  "$PYTHON" -c 'import sysconfig, pathlib, sys; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file())' 2>/dev/null || missing+=(python3-dev)
else
  echo "setup: not a Debian system; install what these packages hold: ${packages[*]}"
fi
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing system packages: ${missing[*]}"
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: run as root, or install: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=sudo
  fi
  $as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "setup: Python 3.11 or newer is needed, $("$PYTHON" --version) came (make PYTHON=python3.12 ...)" >&2; exit 1; }
stamp=".venv/.tinynas-$(cat pyproject.toml scripts/setup.sh | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  [ -x .venv/bin/python ] || { echo "setup: making .venv/"; "$PYTHON" -m venv .venv; }
  echo "setup: installing Python packages into .venv/ (torch is the largest)"
  mapfile -t requirements < <(.venv/bin/python scripts/requirements.py)
  # shellcheck disable=SC2086  # PIP_ARGS is a list of options
  .venv/bin/python -m pip install -q --disable-pip-version-check ${PIP_ARGS:-} "${requirements[@]}"
  .venv/bin/python - <<'PY'
import pathlib
import site

path = pathlib.Path(site.getsitepackages()[0]) / "tinynas-checkout.pth"
path.write_text(str(pathlib.Path("python").resolve()) + "\n")
PY
  rm -f .venv/.tinynas-*
  touch "$stamp"
fi
