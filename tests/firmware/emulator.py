"""Builds a firmware of kernel calls for an emulated Cortex-M, runs it in QEMU and reads what it reports."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "firmware"
ENGINE = ROOT / "src" / "engine"


@dataclass(frozen=True)
class Board:
    """An emulated board: compiler flags, QEMU's machine, addresses, instructions per SysTick tick."""

    cpu: tuple[str, ...]
    machine: str
    vectors: int
    code: int
    ram: int
    tick: float


BOARDS = {
    "cortex-m4": Board(
        ("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"), "mps2-an386", 0, 0x400, 0x20000000, 40
    ),
    "cortex-m7": Board(
        ("-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"), "mps2-an500", 0, 0x400, 0x20000000, 40
    ),
    "cortex-m33": Board(
        ("-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
        "mps2-an505",
        0x10000000,
        0x10000400,
        0x38000000,
        50,
    ),
    "cortex-m55": Board(("-mcpu=cortex-m55", "-mfloat-abi=hard"), "mps3-an547", 0, 0x11000000, 0x31000000, 31.25),
}


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


def find_cases_program() -> Path | None:
    """The host program firmware_cases of the newest build, if one was built."""
    found = sorted(ROOT.glob("build/*/tests/firmware/firmware_cases"), key=lambda p: p.stat().st_mtime)
    return found[-1] if found else None


def _sources(folder: str) -> list[Path]:
    own = {"portable": [], "dsp": ["dsp"], "helium": ["dsp", "helium"]}[folder]
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
    board = BOARDS[core]
    addresses = (f"-DVECTORS_AT={board.vectors:#x}", f"-DCODE_AT={board.code:#x}", f"-DRAM_AT={board.ram:#x}")
    script = subprocess.run(
        ["arm-none-eabi-cpp", "-P", "-undef", *addresses, HERE / "link.ld.in"],
        text=True,
        capture_output=True,
        check=True,
    )
    (folder / "link.ld").write_text(script.stdout)
    image = folder / "firmware.elf"
    compiler = [
        "arm-none-eabi-gcc",
        *board.cpu,
        "-mthumb",
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Wno-cast-function-type",
    ]
    compiler += ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-nostartfiles", "--specs=nano.specs"]
    files = [HERE / "start.c", HERE / "firmware.c", folder / "cases.c", *_sources(kernel_set)]
    subprocess.run(
        [*compiler, f"-I{ENGINE / 'include'}", f"-I{HERE}", "-T", folder / "link.ld", *files, "-lm", "-o", image],
        check=True,
    )
    return image


def run(core: str, image: Path, timeout: float = 300.0) -> list[Result]:
    """What the firmware reports; RuntimeError when it does not end by itself."""
    board = BOARDS[core]
    command = ["qemu-system-arm", "-M", board.machine, "-nographic", "-icount", "shift=0", "-kernel", str(image)]
    command += ["-semihosting-config", "enable=on,target=native", "-serial", "null", "-monitor", "none"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=timeout, check=False)
    text = done.stdout + done.stderr
    if "all ok" not in text and "FAILED" not in text:
        raise RuntimeError(f"[emulator] {core}: expected a report, got: {text[-500:]}")
    pattern = re.compile(r"^(\S+) ticks (\d+) macs (\d+) outputs (\d+) (\w+)$", re.MULTILINE)
    return [Result(m[1], round(int(m[2]) * board.tick), int(m[3]), int(m[4]), m[5]) for m in pattern.finditer(text)]
