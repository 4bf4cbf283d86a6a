"""Fails when an include goes against the direction of dependence that docs/architecture.md draws."""

import re
import sys
from pathlib import Path

ALLOWED = {
    "engine": set(),
    "graph": set(),
    "quant": {"graph"},
    "space": {"graph"},
    "oracle": {"graph"},
    "search": {"graph", "space", "oracle"},
    "codegen": {"graph", "oracle"},
    "supernet": {"graph", "space"},
}
ENGINE_READERS = {"oracle", "codegen"}  # they may include <tinynas/...>, the kernels' headers
TORCH_READERS = {"supernet"}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def problem(folder: str, header: str) -> str | None:
    """Why `folder` may not include `header`, or None."""
    first = header.split("/")[0]
    if first == "tinynas" and folder != "engine" and folder not in ENGINE_READERS:
        return "the engine's headers are for the oracle and the code generator"
    if first in {"torch", "ATen", "c10"} and folder not in TORCH_READERS:
        return "LibTorch is for the supernet"
    if first in ALLOWED and first != folder and first not in ALLOWED[folder]:
        return f"{folder} may include only {', '.join(sorted(ALLOWED[folder])) or 'itself'}"
    return None


def main() -> int:
    wrong = 0
    for path in sorted(Path("src").rglob("*")):
        if path.suffix not in {".h", ".cc", ".c"}:
            continue
        folder = path.parts[1]
        for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            reason = problem(folder, header)
            if reason:
                print(f"{path}: includes {header}: {reason}", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
