"""Compiling and linking a generated project for Cortex-M, and what the linked file says about its sizes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from tinynas.deploy.boards import CORE_FLAGS, Board, MemoryMap
from tinynas.errors import CheckError
from tinynas.export.cproject import CProject, require_tool, run_tool

_SOURCES = Path(__file__).with_name("firmware")
_PACKAGE = "gcc-arm-none-eabi libnewlib-arm-none-eabi"
STACK_BYTES = 1024
"""Reserved for the stack in every link."""

COMMON_FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wpedantic", "-ffunction-sections", "-fdata-sections")


@dataclass(frozen=True)
class LinkedSizes:
    """Bytes of a linked firmware. `other` is RAM that is neither arena nor stack; code is all Flash but the weights."""

    arena: int
    other: int
    weights: int
    code: int

    @property
    def flash(self) -> int:
        return self.weights + self.code


class Compiler:
    """arm-none-eabi-gcc for one core; objects go to one folder, and with `reuse` those that are there stand."""

    def __init__(self, core: str, objects: Path, *, reuse: bool = False) -> None:
        self.reuse = reuse
        self.gcc = require_tool("arm-none-eabi-gcc", _PACKAGE)
        self.core = core
        self.objects = objects
        objects.mkdir(parents=True, exist_ok=True)

    def compile(self, source: Path, includes: Iterable[Path], defines: Iterable[str] = (), opt: str = "-O2") -> Path:
        """The object of one source; its name tells the layer checks and probes apart."""
        tag = "".join(
            f".{define.lower()}" for define in defines if define.startswith("TN_CHECK") or define == "TN_PROBES"
        )
        target = self.objects / f"{source.stem}{tag}.o"
        if source.parent.name in {"portable", "dsp", "helium", "thumb2"}:
            target = self.objects / f"{source.parent.name}_{source.stem}{tag}.o"
        if self.reuse and target.is_file():
            return target
        language = [] if source.suffix == ".S" else COMMON_FLAGS
        command = [self.gcc, *CORE_FLAGS[self.core], opt, *language, *(f"-I{path}" for path in includes)]
        command += [*(f"-D{define}" for define in defines), "-c", "-o", str(target), str(source)]
        run_tool(command, f"compiling {source.name}")
        return target

    def link(self, objects: list[Path], script: Path, out: Path) -> Path:
        """An ELF file with its map beside it; CheckError when it does not fit."""
        map_file = out.with_suffix(".map")
        command = [self.gcc, *CORE_FLAGS[self.core], "-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections"]
        command += ["-Wl,--fatal-warnings", "-Wl,--no-warn-rwx-segments", f"-Wl,-Map={map_file}", f"-T{script}"]
        command += [*(str(path) for path in objects), "-o", str(out)]
        run_tool(command, f"linking {out.name}")
        return out


def write_link_script(board_name: str, memory: MemoryMap, out: Path, stack_bytes: int = STACK_BYTES) -> Path:
    """The linker script of a memory map. Vectors without a place of their own take the start of Flash."""
    vectors = memory.vectors_origin
    origin, size = memory.flash_origin, memory.flash_bytes
    if vectors is None:
        vectors, origin, size = origin, origin + 0x100, size - 0x100
    text = Template((_SOURCES / "link.ld.in").read_text()).substitute(
        name=board_name,
        comment=f"{memory.flash_bytes} bytes of Flash, {memory.ram_bytes} bytes of RAM",
        vectors_origin=hex(vectors),
        flash_origin=hex(origin),
        flash_bytes=size,
        ram_origin=hex(memory.ram_origin),
        ram_bytes=memory.ram_bytes,
        stack_bytes=stack_bytes,
    )
    out.write_text(text)
    return out


def write_application(project: CProject, folder: Path) -> None:
    """Application, start-up and boards' files beside the project, and the sizes that they need."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in _SOURCES.iterdir():
        if path.suffix in {".c", ".h"}:
            shutil.copy(path, folder / path.name)
    inputs, outputs = project.manifest["inputs"], project.manifest["outputs"]
    offsets = [sum(end["bytes"] for end in inputs[:i]) for i in range(len(inputs))]
    shape = inputs[0]["shape"]
    rows = shape[1] if len(shape) == 4 else 1

    def initialiser(values: Iterable[Any]) -> str:
        return "{" + ", ".join(str(value) for value in values) + "}"

    lines = {
        "FIRMWARE_INPUT_BYTES": initialiser(end["bytes"] for end in inputs),
        "FIRMWARE_OUTPUT_BYTES": initialiser(end["bytes"] for end in outputs),
        "FIRMWARE_INPUT_OFFSETS": initialiser(offsets),
        "FIRMWARE_PICTURE_BYTES": sum(end["bytes"] for end in inputs),
        "FIRMWARE_ROW_BYTES": inputs[0]["bytes"] // rows,
        "FIRMWARE_OPERATORS": len(project.manifest["operators"]),
    }
    body = "".join(f"#define {key} {value}\n" for key, value in lines.items())
    (folder / "firmware_sizes.h").write_text(f"/* Generated; do not edit. */\n{body}")


class FirmwareBuild:
    """The objects of a project for one core, compiled once and linked as often as needed."""

    def __init__(self, project: CProject, core: str, engine_objects: Path | None = None) -> None:
        """engine_objects: a folder that keeps the engine's objects for builds of other networks for the same core."""
        self.project = project
        self.folder = project.folder / "firmware"
        self.compiler = Compiler(core, project.folder / "objects")
        write_application(project, self.folder)
        engine = project.folder / "engine"
        self._includes = [project.folder, self.folder, engine / "include", engine]
        defines = project.manifest["engine_defines"]
        compiler = self.compiler
        if engine_objects is not None:
            compiler = Compiler(core, engine_objects / ("-".join(sorted(defines)) or "plain"), reuse=True)
        self.engine = [
            compiler.compile(engine / source, self._includes, defines) for source in project.manifest["engine_sources"]
        ]
        self.weights = self.compiler.compile(project.folder / f"{project.name}_weights.c", self._includes)
        self.app = self._own("app.c", opt="-Os")
        self.startup = self._own("startup.c", opt="-Os")

    def _own(self, name: str, defines: Iterable[str] = (), opt: str = "-O2") -> Path:
        return self.compiler.compile(self.folder / name, self._includes, defines, opt)

    def link(self, board_name: str, memory: MemoryMap, board_source: str, defines: tuple[str, ...] = ()) -> Path:
        """The ELF for a memory map; `defines` (TN_CHECK_LAYERS, TN_PROBES) rebuild only the network's own file."""
        folder, name = self.project.folder, self.project.name
        model = self.compiler.compile(folder / f"{name}.c", self._includes, defines, "-Os")
        objects = [self.startup, self.app, self._own(board_source, defines), model, self.weights, *self.engine]
        if "TN_CHECK_LAYERS" in defines:
            objects.append(self.compiler.compile(folder / "engine/portable/check.c", self._includes, defines))
        tag = "".join(f"-{define.lower()[3:]}" for define in defines)
        script = write_link_script(board_name, memory, folder / f"{board_name}.ld")
        return self.compiler.link(objects, script, folder / f"{board_name}{tag}.elf")


def linked_sizes(elf: Path, name: str = "model") -> LinkedSizes:
    """Sizes from the sections and the arena symbol of a linked file."""
    sections: dict[str, int] = {}
    for line in run_tool([require_tool("arm-none-eabi-size", _PACKAGE), "-A", str(elf)], "size").splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0].startswith("."):
            sections[fields[0]] = int(fields[1])
    arena = 0
    for line in run_tool([require_tool("arm-none-eabi-nm", _PACKAGE), "-S", str(elf)], "nm").splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[3] == "arena":
            arena = int(fields[1], 16)
    if arena == 0:
        raise CheckError(f"{elf}: no arena")
    ram = sections.get(".data", 0) + sections.get(".bss", 0)
    code = sum(sections.get(part, 0) for part in (".vectors", ".text", ".rodata", ".ARM.exidx", ".data"))
    return LinkedSizes(arena, ram - arena, sections.get(".weights", 0), code)


def board_link(build: FirmwareBuild, board: Board) -> Path:
    """The firmware for the board's own memory map: a link that succeeds proves the fit."""
    assert board.memory is not None
    return build.link(board.name, board.memory, "board_bare.c")
