"""Running firmware in QEMU: instructions counted exactly, outputs as files."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tinynas.deploy.boards import Machine
from tinynas.errors import CheckError
from tinynas.export.cproject import require_tool


@dataclass
class EmulatedRun:
    """Instructions of one picture (mean over those that ran), deepest stack in bytes, raw outputs of all pictures.

    By operator: instructions of one picture from a build with probes, CRC-32 from a build with checks.
    """

    instructions: int
    stack_bytes: int
    pictures: int
    output: bytes
    layer_instructions: dict[int, int] = field(default_factory=dict)
    layer_crc32: dict[int, int] = field(default_factory=dict)


def run_qemu(elf: Path, machine: Machine, inputs: bytes, folder: Path, timeout_s: float = 600) -> EmulatedRun:
    """Runs an ELF with `inputs` as input.bin in `folder`; CheckError when it faults, hangs or QEMU is missing."""
    qemu = require_tool("qemu-system-arm", "qemu-system-arm")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input.bin").write_bytes(inputs)
    command = [qemu, "-M", machine.name, "-nographic", "-monitor", "none", "-serial", "null", "-icount", "shift=0"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(elf.resolve())]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise CheckError(f"{elf.name}: no end after {timeout_s:.0f} s in {machine.name}") from None
    report = done.stdout + done.stderr
    if done.returncode != 0:
        raise CheckError(f"{elf.name} failed in {machine.name} with exit code {done.returncode}: {report[-500:]}")
    return _parse(report, machine, (folder / "output.bin").read_bytes())


def _parse(report: str, machine: Machine, output: bytes) -> EmulatedRun:
    values: dict[str, int] = {}
    probes: dict[int, tuple[int, int]] = {}
    crc: dict[int, int] = {}
    for line in report.splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[1].isdigit():
            values[fields[0]] = int(fields[1])
        elif len(fields) == 4 and fields[0] == "probe":
            probes[int(fields[1])] = (int(fields[2]), int(fields[3]))
        elif len(fields) == 3 and fields[0] == "crc":
            crc[int(fields[1])] = int(fields[2])
    if not {"ticks", "pictures", "stack"} <= values.keys():
        raise CheckError(f"{machine.name}: unexpected report: {report[-500:]}")
    pictures = max(1, values["pictures"])
    run = EmulatedRun(
        round(values["ticks"] * machine.ns_per_tick / pictures), values["stack"], values["pictures"], output
    )
    run.layer_instructions = {
        op: round(ticks * machine.ns_per_tick / pictures) for op, (ticks, _count) in probes.items()
    }
    run.layer_crc32 = crc
    return run
