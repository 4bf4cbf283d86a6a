"""Random networks, many in one firmware, on emulated cores: every tensor equal to the reference interpreter's.

    python tests/firmware/random_graphs.py --count 500 [--packed] [--core cortex-m7 --core cortex-m55]

runs as many networks (shapes, strides, paddings, odd channel counts, multipliers and shifts at the extremes; every
schedule, image streamed and stored, either preference) on each core; all five cores if none is named. --packed: tensors
and weights of 4 and of 8 bits. Exit code 1 when one differs. `TINYNAS_RANDOM_NETWORKS=500 ctest --preset asan-ubsan -R
Generated` is the same on this machine.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import emulator

PER_FIRMWARE = 50


@dataclass(frozen=True)
class GraphResult:
    """One network: its seed; "ok", "operator N WRONG", or "OVERRUN" when it wrote behind its variables."""

    seed: int
    verdict: str


def _ends(map_text: str) -> dict[int, int]:
    """Bytes from the first network's variables to the end of each network's, by its number."""
    start = int(re.search(r"0x([0-9a-f]+)\s+graphs_ram_start", map_text)[1], 16)  # type: ignore[index]
    pattern = re.compile(r"^ \.bss\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+\S*/net(\d+)\.o$", re.MULTILINE)
    ends: dict[int, int] = {}
    for address, size, number in pattern.findall(map_text):
        ends[int(number)] = max(ends.get(int(number), 0), int(address, 16) + int(size, 16) - start)
    return ends


def run_graphs(core: str, first: int, count: int, folder: Path, packed: bool = False) -> list[GraphResult]:
    """Builds networks of seeds [first, first + count) into one firmware and runs it."""
    program = emulator.find_program("firmware_graphs")
    if program is None:
        raise RuntimeError("firmware_graphs is not built")
    subprocess.run([program, core, str(first), str(count), folder, *(["packed"] if packed else [])], check=True)
    build = [line.split() for line in (folder / "build.txt").read_text().splitlines()]
    defines = [f"-D{name}" for kind, name in build if kind == "define"]
    files = [folder / "graphs.c", emulator.HERE / "graphs_main.c", *sorted(folder.glob("net*.c"))]
    files += [emulator.ENGINE / name for kind, name in build if kind == "source"]
    files.append(emulator.ENGINE / "portable" / "check.c")
    flags = [f"-I{folder}", f"-I{emulator.ENGINE}", "-DTN_CHECK_LAYERS", *defines]

    def compile_one(path: Path) -> Path:
        opt = "-O2" if emulator.ENGINE in path.parents else "-Os"
        return emulator.compile_file(core, path, folder, [opt, *flags])

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, files))
    objects.sort(key=_link_order)
    image = emulator.link_files(core, objects, folder)
    text = emulator.run_image(core, image)
    ends = _ends(image.with_suffix(".map").read_text())
    results = []
    for number, match in enumerate(re.finditer(r"^graph (\d+) touched (\d+) (.+)$", text, re.MULTILINE)):
        overrun = int(match[2]) > ends[number]
        results.append(GraphResult(int(match[1]), "OVERRUN" if match[3] == "ok" and overrun else match[3]))
    if len(results) != count:
        raise RuntimeError(f"[random_graphs] {core}: expected {count} results, got {len(results)}: {text[-300:]}")
    return results


def _link_order(path: Path) -> tuple[int, str]:
    match = re.fullmatch(r"net(\d+)\.o", path.name)
    return (int(match[1]), "") if match else (1 << 30, path.name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--packed", action="store_true", help="networks of 4 and of 8 bits instead of int8 ones")
    parser.add_argument("--core", action="append", choices=sorted(emulator.CORES))
    args = parser.parse_args()
    if emulator.missing_tools() or emulator.find_program("firmware_graphs") is None:
        print(f"missing: {', '.join(emulator.missing_tools()) or 'firmware_graphs (build the tests)'}", file=sys.stderr)
        return 1
    wrong = 0
    for core in args.core or sorted(emulator.CORES):
        results: list[GraphResult] = []
        for start in range(args.first, args.first + args.count, PER_FIRMWARE):
            with tempfile.TemporaryDirectory() as folder:
                count = min(PER_FIRMWARE, args.first + args.count - start)
                results += run_graphs(core, start, count, Path(folder), args.packed)
        bad = [r for r in results if r.verdict != "ok"]
        wrong += len(bad)
        print(f"{core}: {len(results) - len(bad)} of {len(results)} equal to the reference", flush=True)
        for r in bad:
            print(f"  seed {r.seed}: {r.verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
