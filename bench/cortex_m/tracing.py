"""Instructions of a firmware by function and by operator, plain and weighted, without probes in it.

QEMU logs every translated block once with its code (`-d in_asm`) and every execution of a block (`-d exec,nochain`). A
block's instructions are decoded from its halfwords: their number is the plain count; for the weighted one each further
word of a multiple load or store (LDM, STM, PUSH, POP, LDRD, STRD, VLDM, VSTM, VPUSH, VPOP, 64-bit VLDR and VSTR) counts
one more. Vector loads and stores of Helium count once.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinynas.deploy.boards import Machine
from tinynas.errors import CheckError
from tinynas.export.cproject import require_tool

BEGIN, END = "board_begin", "board_end"
INTERRUPTS = {"SysTick_Handler"}
_COMPUTE = re.compile(r"(?:start|compute|finish)_(\d+)")
_DRIVER = re.compile(r"(?:run_\d+|begin_\d+|model_\w+|main|board_\w+)$")


@dataclass(frozen=True)
class Count:
    """Instructions, and the same with every further word of a multiple transfer as one."""

    plain: int = 0
    weighted: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.plain + other.plain, self.weighted + other.weighted)


@dataclass
class Trace:
    """Instructions between board_begin and board_end of all pictures. Operator -1: the network's driver."""

    total: Count = Count()
    functions: dict[str, Count] = field(default_factory=dict)
    operators: dict[int, Count] = field(default_factory=dict)


def extra_words(first: int, second: int) -> int:
    """Words beyond the first that a Thumb instruction transfers; `second` is 0 for one of 16 bits."""
    if first < 0xE800:
        if first & 0xF600 == 0xB400:  # PUSH, POP
            return max(0, (first & 0x1FF).bit_count() - 1)
        if first & 0xF000 == 0xC000:  # LDM, STM
            return max(0, (first & 0xFF).bit_count() - 1)
        return 0
    if first & 0xFE40 == 0xE800:  # LDM, STM of any registers
        return max(0, second.bit_count() - 1)
    if first & 0xFE40 == 0xE840 and first & 0x0120:  # LDRD, STRD
        return 1
    vfp = first & 0xFE00 == 0xEC00 and second & 0x0E00 == 0x0A00
    if vfp and first & 0x01A0:  # moves between registers have none of these bits
        if first & 0x0120 == 0x0100:  # VLDR, VSTR
            return int(second & 0x0100 != 0)
        return max(0, (second & 0xFF) - 1)
    return 0


def count_block(halfwords: list[int]) -> Count:
    """Instructions of a block of Thumb code."""
    plain = weighted = at = 0
    while at < len(halfwords):
        wide = halfwords[at] >= 0xE800
        second = halfwords[at + 1] if wide and at + 1 < len(halfwords) else 0
        plain += 1
        weighted += 1 + extra_words(halfwords[at], second)
        at += 2 if wide else 1
    return Count(plain, weighted)


def executed_blocks(log: Iterable[bytes]) -> Iterator[tuple[str, Count]]:
    """Every executed block in order: the function it lies in, and its instructions."""
    blocks: dict[bytes, tuple[str, Count]] = {}
    halfwords: list[int] = []
    for line in log:
        if line.startswith(b"Trace "):
            start, end = line.index(b"["), line.index(b"]")
            key = line[start:end]
            if halfwords:
                name = line[end + 1 :].strip().decode()
                blocks[key] = (name, count_block(halfwords))
                halfwords = []
            yield blocks[key]
        elif line.startswith(b"IN:"):
            halfwords = []
        elif line.startswith(b"0x"):
            halfwords += [int(word, 16) for word in line[11:22].split()]


def summarise(blocks: Iterable[tuple[str, Count]]) -> Trace:
    """Sums by function and operator of what runs between board_begin and board_end."""
    runs: Counter[tuple[str, int, Count]] = Counter()
    inside, operator = False, -1
    for name, count in blocks:
        if name == BEGIN:
            inside, operator = True, -1
        elif name == END:
            inside = False
        elif inside and name not in INTERRUPTS:
            if match := _COMPUTE.match(name):
                operator = int(match[1])
            elif _DRIVER.match(name):
                operator = -1
            runs[name, operator, count] += 1
    trace = Trace()
    for (name, op, count), times in runs.items():
        share = Count(count.plain * times, count.weighted * times)
        trace.total += share
        trace.functions[name] = trace.functions.get(name, Count()) + share
        trace.operators[op] = trace.operators.get(op, Count()) + share
    return trace


def trace_firmware(elf: Path, machine: Machine, folder: Path) -> Trace:
    """Runs an emulator build on the input.bin that lies in `folder`; CheckError when it does not end well."""
    command = [require_tool("qemu-system-arm", "qemu-system-arm"), "-M", machine.name, "-nographic", "-monitor", "none"]
    command += ["-serial", "null", "-semihosting-config", "enable=on,target=native", "-kernel", str(elf.resolve())]
    command += ["-d", "in_asm,exec,nochain"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        trace = summarise(executed_blocks(process.stderr))
    if process.returncode != 0:
        raise CheckError(f"{elf.name}: tracing ended with exit code {process.returncode}")
    return trace
