"""Measures code sizes for `code_size.py`: `python -m tinynas.deploy.measure_code` writes code_sizes.json again.

A kernel's share is the sections that the linker keeps for it alone: a program that calls one engine function is linked
with sections collected, once per function. The generated network's file is fitted by least squares over small networks.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tinynas import _core
from tinynas.deploy.boards import MACHINES
from tinynas.deploy.code_size import TABLE, compiler_version, features
from tinynas.deploy.firmware import Compiler, FirmwareBuild, linked_sizes, write_link_script
from tinynas.errors import CheckError
from tinynas.export.cproject import engine_dir, export_c, require_tool, run_tool

_ALWAYS = ("tn_ring_rows", "tn_fill")
_SETS = {
    "cortex-m3": ("portable",),
    "cortex-m4": ("portable", "dsp"),
    "cortex-m7": ("portable", "dsp"),
    "cortex-m33": ("portable", "dsp"),
    "cortex-m55": ("portable", "dsp", "helium"),
}


def _constant(values: np.ndarray[Any, Any], axis: int = -1) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": "c", "shape": list(values.shape), "constant": True, "dtype": "s32"}
    if values.dtype == np.int8:
        scales = [0.003] * values.shape[axis]
        entry |= {"dtype": "s8", "scale": scales, "zero_point": [0] * len(scales), "axis": axis}
    return entry | {"data": base64.b64encode(values.tobytes()).decode()}


def sample_network(seed: int) -> _core.Graph:
    """Inverted bottlenecks with residuals, a pool and a classifier: what firmware mostly holds."""
    rng = np.random.default_rng(seed)
    tensors: list[dict[str, Any]] = []
    operators: list[dict[str, Any]] = []

    def activation(shape: list[int]) -> int:
        tensors.append({"name": "a", "shape": shape, "dtype": "s8", "scale": [0.05], "zero_point": [-128]})
        return len(tensors) - 1

    def constant(values: np.ndarray[Any, Any], axis: int = -1) -> int:
        tensors.append(_constant(values, axis))
        return len(tensors) - 1

    def add(kind: str, inputs: list[int], shape: list[int], **attributes: Any) -> int:
        output = activation(shape)
        operators.append({"op": kind, "name": "o", "inputs": inputs, "outputs": [output], **attributes})
        return output

    def conv(x: int, channels: int, size: int, kernel: int = 1, stride: int = 1) -> int:
        inner = tensors[x]["shape"][3]
        weights = constant(rng.integers(-99, 99, (channels, kernel, kernel, inner), dtype=np.int8), 0)
        pads = {f"pad_{side}": kernel // 2 for side in ("top", "left", "bottom", "right")}
        bias = constant(np.zeros(channels, np.int32))
        strides = {"stride_h": stride, "stride_w": stride}
        return add("conv2d", [x, weights, bias], [1, size, size, channels], **pads, **strides)

    def depthwise(x: int, kernel: int) -> int:
        shape = tensors[x]["shape"]
        weights = constant(rng.integers(-99, 99, (1, kernel, kernel, shape[3]), dtype=np.int8), 3)
        pads = {f"pad_{side}": kernel // 2 for side in ("top", "left", "bottom", "right")}
        return add("depthwise_conv2d", [x, weights, constant(np.zeros(shape[3], np.int32))], shape, **pads)

    size = int(rng.integers(4, 14))
    image = activation([1, 2 * size, 2 * size, 3])
    x = conv(image, 8, size, 3, 2)
    for _ in range(int(rng.integers(1, 10))):
        y = conv(depthwise(conv(x, 16, size), int(rng.choice([3, 5]))), 8, size)
        x = add("add", [x, y], [1, size, size, 8]) if rng.random() < 0.6 else y
    if rng.random() < 0.7:
        x = add("average_pool", [x], [1, 1, 1, 8], kernel_h=size, kernel_w=size)
        flat = add("reshape", [x], [1, 8])
        weights = constant(rng.integers(-99, 99, (2, 8), dtype=np.int8), 0)
        x = add("fully_connected", [flat, weights, constant(np.zeros(2, np.int32))], [1, 2])
    graph = {"format": "tinynas-graph", "version": 1, "name": "sample", "tensors": tensors, "operators": operators}
    return _core.Graph.from_json(json.dumps(graph | {"inputs": [image], "outputs": [x]}))


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
    """Sections that every global engine function brings in."""
    compiler = Compiler(core, folder)
    engine = engine_dir()
    objects = []
    for kernel_set in _SETS[core]:
        for source in sorted((engine / kernel_set).glob("*.[cS]")):
            objects.append(compiler.compile(source, [engine / "include", engine]))
    script = write_link_script(core, MACHINES[core].memory, folder / "stub.ld")
    nm = require_tool("arm-none-eabi-nm", "gcc-arm-none-eabi libnewlib-arm-none-eabi")
    listing = run_tool([nm, "--defined-only", "-g", *(str(path) for path in objects)], "nm")
    functions = sorted(set(re.findall(r" T (tn_\w+)", listing)))
    kernels = {}
    for function in functions:
        stub = folder / "stub.c"
        stub.write_text(
            f"void {function}(void);\nvoid Reset_Handler(void);\nvoid Reset_Handler(void) {{ {function}(); }}\n"
        )
        try:
            elf = compiler.link([compiler.compile(stub, [], opt="-Os"), *objects], script, folder / "stub.elf")
        except CheckError:
            continue  # a part of a kernel that does not link by itself
        kept = kept_sections(elf.with_suffix(".map").read_text())
        kernels[function] = {name: size for name, size in kept.items() if not name.startswith("stub.o")}
    return kernels


def measure_network(
    core: str, kernels: dict[str, dict[str, int]], folder: Path
) -> tuple[dict[str, float], dict[str, int]]:
    """Coefficients of the network's file (with application and start-up), and bytes of every params struct."""
    rows, sizes = [], []
    params: dict[str, int] = {}
    for seed in range(24):
        graph = sample_network(seed)
        options = _core.ScheduleOptions(image_streamed=seed % 3 != 0, prefer=_core.Prefer.speed, core=core)
        plan = (
            _core.whole_tensor_plan(graph, "tinyengine", options)
            if seed % 4 == 3
            else _core.make_oracle("streaming", options).plan(graph)
        )
        project = export_c(graph, plan, folder / f"net{seed}", core=core, prefer="speed")
        build = FirmwareBuild(project, core)
        elf = build.link("bare", MACHINES[core].memory, "board_bare.c")
        used = set(_ALWAYS) | {name for op in project.manifest["operators"] for name in op["functions"]}
        union: dict[str, int] = {}
        for name in used:
            union |= kernels.get(name, {})
        values = features(project.manifest)
        rows.append(list(values.values()))
        sizes.append(linked_sizes(elf).code - sum(union.values()))
        nm = run_tool([require_tool("arm-none-eabi-nm", "gcc-arm-none-eabi"), "-S", str(build.weights)], "nm")
        for size, index in re.findall(r"[0-9a-f]+ ([0-9a-f]+) R model_params_(\d+)", nm):
            params[project.manifest["operators"][int(index)]["params_type"]] = int(size, 16)
    solution, *_ = np.linalg.lstsq(np.array(rows, float), np.array(sizes, float), rcond=None)
    worst = float(np.max(np.abs(np.array(rows) @ solution - sizes)))
    print(f"{core}: {len(kernels)} functions, network's file within {worst:.0f} B")
    return {key: round(float(c), 3) for key, c in zip(values, solution, strict=True)}, params


def main() -> None:
    """Measures every core and writes the table."""
    cores: dict[str, Any] = {}
    for core in _SETS:
        with tempfile.TemporaryDirectory() as scratch:
            kernels = measure_kernels(core, Path(scratch) / "kernels")
            network, params = measure_network(core, kernels, Path(scratch))
        cores[core] = {"kernels": kernels, "network": network, "params": params}
    table = {"compiler": compiler_version(), "cores": cores}
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
