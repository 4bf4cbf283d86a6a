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
ORACLE = {  # inside src/oracle: what each of its folders may include besides the files directly in it
    "packing": set(),
    "kernels": set(),
    "streaming": {"packing", "kernels"},
    "accounts": {"packing", "kernels"},
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


def problem_in_oracle(folder: str, header: str) -> str | None:
    """Why the folder src/oracle/`folder` may not include `header`, or None."""
    parts = header.split("/")
    inner = parts[1] if parts[0] == "oracle" and len(parts) > 2 else folder
    if inner == folder or inner in ORACLE[folder]:
        return None
    return f"oracle/{folder} may include only {', '.join(sorted(ORACLE[folder])) or 'itself'}"


def main() -> int:
    wrong = 0
    for path in sorted(Path("src").rglob("*")):
        if path.suffix not in {".h", ".cc", ".c"}:
            continue
        folder = path.parts[1]
        for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            reason = problem(folder, header)
            if folder == "oracle" and path.parts[2] in ORACLE:
                reason = reason or problem_in_oracle(path.parts[2], header)
            if reason:
                print(f"{path}: includes {header}: {reason}", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
