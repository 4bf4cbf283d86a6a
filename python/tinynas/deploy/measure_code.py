"""Measures code sizes for `code_size.py`: `python -m tinynas.deploy.measure_code` writes code_sizes.json again.

A kernel's share is the sections that the linker keeps for it alone: a program that calls one engine function is linked
with sections collected, once per function. The generated network's file is fitted by least squares over small networks.
`--core` measures only some cores; `--check MODEL...` compares the table with links of these models and of random
networks instead, and fails when one is more than 1 % off.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinynas import _core
from tinynas.deploy.boards import MACHINES, MemoryMap
from tinynas.deploy.code_size import LIBRARY, TABLE, compiler_version, features, kernel_bytes, predict_flash
from tinynas.deploy.firmware import Compiler, FirmwareBuild, linked_sizes, write_link_script
from tinynas.deploy.fit import FLASH_TOLERANCE
from tinynas.deploy.sample_networks import small_network, varied_network
from tinynas.errors import CheckError
from tinynas.export.cproject import engine_dir, export_c, require_tool, run_tool
from tinynas.models import load_model

_SETS = {
    "cortex-m0plus": ("portable",),
    "cortex-m3": ("portable", "thumb2"),
    "cortex-m4": ("portable", "dsp"),
    "cortex-m7": ("portable", "dsp"),
    "cortex-m33": ("portable", "dsp"),
    "cortex-m55": ("portable", "dsp", "helium"),
}
_FITTED_NETWORKS = 12
"""With either preference."""
PREFERENCES = ("speed", "memory")


def memory_for(core: str) -> MemoryMap:
    """Where to link for sizes alone: the emulated machine of the core, or any other."""
    return MACHINES.get(core, MACHINES["cortex-m3"]).memory


def kept_sections(map_text: str) -> dict[str, int]:
    """Sections of code and constants in a linker map, by object and section; bytes, those of size 0 left out."""
    body = map_text[map_text.index("Linker script and memory map") :]
    pattern = re.compile(r"^ (\.(?:text|rodata)[^\s]*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)$", re.MULTILINE)
    kept: dict[str, int] = {}
    for name, size, path in pattern.findall(body):
        if int(size, 16) > 0:
            file = Path(path).name if "(" not in path else path[path.rindex("(") + 1 : -1]
            kept[f"{file}:{name}"] = int(size, 16)
    return kept


def measure_kernels(core: str, folder: Path) -> dict[str, dict[str, int]]:
    """Sections that every global engine function, and those of the C library, bring in."""
    compiler = Compiler(core, folder)
    engine = engine_dir()
    objects = []
    for kernel_set in _SETS[core]:
        for source in sorted((engine / kernel_set).glob("*.[cS]")):
            objects.append(compiler.compile(source, [engine / "include", engine]))
    script = write_link_script(core, memory_for(core), folder / "stub.ld")
    nm = require_tool("arm-none-eabi-nm", "gcc-arm-none-eabi libnewlib-arm-none-eabi")
    listing = run_tool([nm, "--defined-only", "-g", *(str(path) for path in objects)], "nm")
    functions = sorted({*re.findall(r" T (tn_\w+)", listing), *LIBRARY})
    kernels = {}
    for function in functions:
        stub = folder / "stub.c"
        declared = f'void called(void) __asm__("{function}");\nvoid Reset_Handler(void);\n'
        stub.write_text(declared + "void Reset_Handler(void) { called(); }\n")
        try:
            elf = compiler.link([compiler.compile(stub, [], opt="-Os"), *objects], script, folder / "stub.elf")
        except CheckError:
            continue  # a part of a kernel that does not link by itself
        kept = kept_sections(elf.with_suffix(".map").read_text())
        kernels[function] = {name: size for name, size in kept.items() if not name.startswith("stub.o")}
    return kernels


def measure_params(core: str, folder: Path) -> dict[str, int]:
    """Bytes of every params struct of the engine's headers."""
    headers = sorted((engine_dir() / "include" / "tinynas").glob("*.h"))
    text = "".join(header.read_text() for header in headers)
    names = sorted({*re.findall(r"^} (tn_\w+_params);$", text, re.MULTILINE)})
    source = folder / "params.c"
    kernels = [header for header in headers if not header.name.startswith("scratch_")]  # those are parts of scratch.h
    lines = [f'#include "tinynas/{header.name}"' for header in kernels]
    source.write_text("\n".join([*lines, *(f"char size_of_{name}[sizeof({name})];" for name in names)]) + "\n")
    compiled = Compiler(core, folder).compile(source, [engine_dir() / "include"])
    listing = run_tool([require_tool("arm-none-eabi-nm", "gcc-arm-none-eabi"), "-S", str(compiled)], "nm")
    return {name: int(size, 16) for size, name in re.findall(r"([0-9a-f]+) \w size_of_(\w+)", listing)}


def plan_by_seed(graph: _core.Graph, core: str, seed: int, prefer: str) -> _core.Plan:
    """A plan of our engine: streamed or stored or layer by layer in turn, whatever the seed says."""
    preferred = getattr(_core.Prefer, prefer)
    options = _core.ScheduleOptions(image_streamed=seed % 3 != 0, prefer=preferred, core=core)
    if seed % 4 == 3 and prefer == "speed":
        return _core.whole_tensor_plan(graph, "tinyengine", options)
    return _core.make_oracle("streaming", options).plan(graph)


def measure_network(core: str, kernels: dict[str, dict[str, int]], folder: Path) -> dict[str, float]:
    """Coefficients of the network's file, with application and start-up."""
    rows, sizes = [], []
    for seed, prefer in enumerate(PREFERENCES * _FITTED_NETWORKS):
        graph = small_network(seed)
        plan = plan_by_seed(graph, core, seed // 2, prefer)
        project = export_c(graph, plan, folder / f"net{seed}", core=core, prefer=prefer)
        build = FirmwareBuild(project, core, folder / "engine")
        elf = build.link("bare", memory_for(core), "board_bare.c")
        values = features(project.manifest)
        rows.append(list(values.values()))
        sizes.append(linked_sizes(elf).code - kernel_bytes({"kernels": kernels}, project))
    solution, *_ = np.linalg.lstsq(np.array(rows, float), np.array(sizes, float), rcond=None)
    worst = float(np.max(np.abs(np.array(rows) @ solution - sizes)))
    print(f"{core}: {len(kernels)} functions, network's file within {worst:.0f} B", flush=True)
    return {key: round(float(c), 3) for key, c in zip(values, solution, strict=True)}


def measure(cores: list[str]) -> None:
    """Writes the table again; cores that are not named keep their entries if the compiler is the same."""
    version = compiler_version()
    old = json.loads(TABLE.read_text()) if TABLE.is_file() else {}
    entries: dict[str, Any] = old["cores"] if old.get("compiler") == version else {}
    for core in cores:
        with tempfile.TemporaryDirectory() as scratch:
            kernels = measure_kernels(core, Path(scratch) / "kernels")
            network = measure_network(core, kernels, Path(scratch))
            params = measure_params(core, Path(scratch) / "kernels")
        entries[core] = {"kernels": kernels, "network": network, "params": params}
    TABLE.write_text(json.dumps({"compiler": version, "cores": entries}, indent=1, sort_keys=True) + "\n")


@dataclass(frozen=True)
class Check:
    """A network under a plan, whose Flash is predicted and linked."""

    name: str
    graph: _core.Graph
    plan: _core.Plan
    prefer: str


def prediction_error(case: Check, core: str, folder: Path, engine: Path) -> tuple[int, float]:
    """Linked Flash in bytes, and how far the prediction lies from it, as a fraction."""
    project = export_c(case.graph, case.plan, folder, core=core, prefer=case.prefer)
    build = FirmwareBuild(project, core, engine)
    linked = linked_sizes(build.link("bare", memory_for(core), "board_bare.c")).flash
    return linked, predict_flash(project, core).total / linked - 1


def checks(core: str, models: list[str], random_networks: int) -> Iterator[Check]:
    """Models under the plan that `deploy` would choose, random networks under some other; with either preference."""
    for prefer in PREFERENCES:
        options = _core.ScheduleOptions(prefer=getattr(_core.Prefer, prefer), core=core)
        for model in models:
            graph = load_model(model)
            plan = _core.make_oracle("streaming", options).plan(graph)
            yield Check(Path(model).stem, graph, plan, prefer)
        for seed in range(random_networks):
            graph = varied_network(seed)
            yield Check(f"random {seed}", graph, plan_by_seed(graph, core, seed, prefer), prefer)


def check(cores: list[str], models: list[str], random_networks: int) -> bool:
    """Prints every comparison; True when all are within the tolerance."""
    good = True
    for core in cores:
        with tempfile.TemporaryDirectory() as scratch:
            for number, case in enumerate(checks(core, models, random_networks)):
                linked, error = prediction_error(case, core, Path(scratch) / str(number), Path(scratch) / "engine")
                good &= abs(error) <= FLASH_TOLERANCE
                print(
                    f"{core} {case.name}, {case.prefer}: {linked:,} B linked, prediction {100 * error:+.2f} %",
                    flush=True,
                )
    return good


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", action="append", choices=sorted(_SETS), help="all if not given")
    parser.add_argument("--check", nargs="*", metavar="MODEL", help="compare instead of measuring")
    parser.add_argument("--networks", type=int, default=6, help="random networks of --check")
    args = parser.parse_args()
    cores = args.core or list(_SETS)
    if args.check is None:
        measure(cores)
        return 0
    return 0 if check(cores, args.check, args.networks) else 1


if __name__ == "__main__":
    sys.exit(main())
