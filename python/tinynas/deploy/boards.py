"""Where firmware can go: compiler flags by core, memory maps of boards and of QEMU's machines."""

from __future__ import annotations

from dataclasses import dataclass

from tinynas.config.target import load_target
from tinynas.errors import InputError

CORE_FLAGS: dict[str, tuple[str, ...]] = {
    "cortex-m0": ("-mcpu=cortex-m0", "-mthumb"),
    "cortex-m0plus": ("-mcpu=cortex-m0plus", "-mthumb"),
    "cortex-m3": ("-mcpu=cortex-m3", "-mthumb"),
    "cortex-m4": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m7": ("-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
    "cortex-m33": ("-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
    "cortex-m55": ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
}


@dataclass(frozen=True)
class MemoryMap:
    """Origins and sizes in bytes; the vectors lie at the start of Flash unless they have a place of their own."""

    flash_origin: int
    flash_bytes: int
    ram_origin: int
    ram_bytes: int
    vectors_origin: int | None = None


@dataclass(frozen=True)
class Machine:
    """A QEMU machine: `ns_per_tick` nanoseconds, which are instructions, per SysTick tick."""

    name: str
    ns_per_tick: float
    memory: MemoryMap


@dataclass(frozen=True)
class Board:
    """A place for firmware. `memory` is None where there is only an emulator; `clock_hz` 0: unknown."""

    name: str
    core: str
    machine: Machine | None
    memory: MemoryMap | None
    clock_hz: float = 0.0


_MIB = 1 << 20
MACHINES: dict[str, Machine] = {
    "cortex-m3": Machine("mps2-an385", 40, MemoryMap(0x00000000, 4 * _MIB, 0x20000000, 4 * _MIB)),
    "cortex-m4": Machine("mps2-an386", 40, MemoryMap(0x00000000, 4 * _MIB, 0x20000000, 4 * _MIB)),
    "cortex-m7": Machine("mps2-an500", 40, MemoryMap(0x00000000, 4 * _MIB, 0x20000000, 4 * _MIB)),
    "cortex-m33": Machine("mps2-an505", 50, MemoryMap(0x10000000, 4 * _MIB, 0x38000000, 4 * _MIB)),
    "cortex-m55": Machine("mps3-an547", 31.25, MemoryMap(0x11000000, 2 * _MIB, 0x31000000, 4 * _MIB, 0x00000000)),
}

# Origins (Flash, largest contiguous RAM) of the families in configs/targets; their sizes are the target's.
_ORIGINS: dict[str, tuple[int, int]] = {
    "stm32h743": (0x08000000, 0x24000000),
    "stm32": (0x08000000, 0x20000000),
    "nrf52": (0x00000000, 0x20000000),
    "rp2040": (0x10000100, 0x20000000),  # the second-stage boot loader takes the first 256 bytes
}

EMULATED = {"qemu-m3": "cortex-m3", "qemu-m4": "cortex-m4", "qemu-m7": "cortex-m7", "qemu-m33": "cortex-m33"}
EMULATED["qemu-m55"] = "cortex-m55"


def find_board(name: str) -> Board:
    """`host`, `qemu-m3` ... `qemu-m55`, or a board of configs/targets; InputError for anything else."""
    if name == "host":
        return Board("host", "", None, None)
    if name in EMULATED:
        return Board(name, EMULATED[name], MACHINES[EMULATED[name]], None)
    try:
        target = load_target(name)
    except InputError as error:
        if not str(error).startswith("unknown target"):
            raise
        raise InputError(f"{error}; or host, {', '.join(EMULATED)}") from None
    if target.core not in CORE_FLAGS:
        raise InputError(
            f"[deploy] target {name}: core {target.core} cannot be built for, only {', '.join(CORE_FLAGS)}"
        )
    origins = next((o for family, o in _ORIGINS.items() if target.name.startswith(family)), None)
    if origins is None:
        raise InputError(f"[deploy] target {name}: its memory map is not known, only those of {', '.join(_ORIGINS)}")
    skipped = origins[0] & 0xFFF
    memory = MemoryMap(origins[0], target.flash_bytes - skipped, origins[1], target.sram_bytes)
    return Board(target.name, target.core, MACHINES.get(target.core), memory, target.clock_hz)
