"""Firmwares of kernel calls or of whole networks for an emulated Cortex-M: built, run in QEMU, reports read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "firmware"
ENGINE = ROOT / "src" / "engine"
sys.path.insert(0, str(ROOT / "python"))

from tinynas.deploy.boards import CORE_FLAGS, MACHINES  # noqa: E402

CORES = tuple(MACHINES)
VECTOR_BYTES = 0x400
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wno-cast-function-type", "-ffunction-sections", "-fdata-sections")


@dataclass(frozen=True)
class Result:
    """One case: instructions of the kernel calls, multiplications, output values, "ok" or what went wrong."""

    name: str
    instructions: int
    macs: int
    outputs: int
    verdict: str


def missing_tools() -> list[str]:
    """Programs that are needed and not installed."""
    return [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]


def find_program(name: str) -> Path | None:
    """A host program of the newest build, if one was built: firmware_cases or firmware_graphs."""
    found = sorted(ROOT.glob(f"build/*/tests/firmware/{name}"), key=lambda p: p.stat().st_mtime)
    return found[-1] if found else None


def find_cases_program() -> Path | None:
    """The host program firmware_cases of the newest build."""
    return find_program("firmware_cases")


def _sources(folder: str) -> list[Path]:
    own = {"portable": [], "dsp": ["dsp"], "helium": ["dsp", "helium"], "thumb2": ["thumb2"]}[folder]
    kernels = [path for name in own for path in sorted((ENGINE / name).glob("*.[cS]"))]
    return kernels + sorted((ENGINE / "portable").glob("*.c"))


def build(core: str, kernel_set: str, lines: list[str], folder: Path, program: Path) -> Path:
    """The firmware of the cases that `lines` describe (tests/firmware/cases.cc)."""
    written = subprocess.run(
        [program, kernel_set], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False
    )
    if written.returncode != 0:
        raise RuntimeError(written.stderr)
    (folder / "cases.c").write_text(written.stdout)
    return link(core, kernel_set, folder)


def link(core: str, kernel_set: str, folder: Path) -> Path:
    """Compiles and links the cases that `folder` holds."""
    return link_files(core, [HERE / "firmware.c", folder / "cases.c", *_sources(kernel_set)], folder)


def compile_file(core: str, path: Path, folder: Path, flags: list[str]) -> Path:
    """The object of one source, in `folder`; the folder of an engine source is part of its name."""
    prefix = f"{path.parent.name}_" if ENGINE in path.parents else ""
    target = folder / f"{prefix}{path.stem}.o"
    command = ["arm-none-eabi-gcc", *CORE_FLAGS[core], *FLAGS, f"-I{ENGINE / 'include'}", f"-I{HERE}", *flags]
    subprocess.run([*command, "-c", "-o", target, path], check=True)
    return target


def link_files(core: str, files: list[Path], folder: Path) -> Path:
    """An image, with its map beside it, of sources and objects; start.c is added."""
    memory = MACHINES[core].memory
    apart = memory.vectors_origin is not None
    addresses = {
        "VECTORS_AT": memory.vectors_origin if apart else memory.flash_origin,
        "CODE_AT": memory.flash_origin if apart else memory.flash_origin + VECTOR_BYTES,
        "CODE_BYTES": memory.flash_bytes if apart else memory.flash_bytes - VECTOR_BYTES,
        "RAM_AT": memory.ram_origin,
        "RAM_BYTES": memory.ram_bytes,
    }
    defines = [f"-D{name}={value:#x}" for name, value in addresses.items()]
    command = ["arm-none-eabi-cpp", "-P", "-undef", *defines, HERE / "link.ld.in"]
    script = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    (folder / "link.ld").write_text(script)
    image = folder / "firmware.elf"
    flags = ["-O2", "-Wl,--gc-sections", "-nostartfiles", "--specs=nano.specs", f"-I{ENGINE / 'include'}", f"-I{HERE}"]
    flags += [f"-Wl,-Map={image.with_suffix('.map')}", f"-T{folder / 'link.ld'}"]
    command = ["arm-none-eabi-gcc", *CORE_FLAGS[core], *FLAGS, *flags, HERE / "start.c", *files, "-lm", "-o", image]
    subprocess.run(command, check=True)
    return image


def run_image(core: str, image: Path, timeout: float = 300.0) -> str:
    """What the firmware prints; RuntimeError when it does not end by itself."""
    command = ["qemu-system-arm", "-M", MACHINES[core].name, "-nographic", "-icount", "shift=0", "-kernel", str(image)]
    command += ["-semihosting-config", "enable=on,target=native", "-serial", "null", "-monitor", "none"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=timeout, check=False)
    text = done.stdout + done.stderr
    if "all ok" not in text and "FAILED" not in text:
        raise RuntimeError(f"[emulator] {core}: expected a report, got: {text[-500:]}")
    return text


def run(core: str, image: Path, timeout: float = 300.0) -> list[Result]:
    """The cases as the firmware reports them."""
    text = run_image(core, image, timeout)
    tick = MACHINES[core].ns_per_tick
    pattern = re.compile(r"^(\S+) ticks (\d+) macs (\d+) outputs (\d+) (\w+)$", re.MULTILINE)
    return [Result(m[1], round(int(m[2]) * tick), int(m[3]), int(m[4]), m[5]) for m in pattern.finditer(text)]
