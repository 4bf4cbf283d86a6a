"""`tinynas plan`: offsets for buffers with fixed lifetimes, from CSV to CSV (the format of google/minimalloc)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.output import JsonOption, emit, log, reports_errors
from tinynas.config import parse_size
from tinynas.errors import InfeasibleError, InputError, TinynasError

COLUMNS = ("id", "lower", "upper", "size")
LARGEST = 1 << 48
LAST_STEP = (1 << 31) - 1


class UndecidedError(TinynasError):
    """The time limit ended before a placement or a proof was found."""

    exit_code = 4


@dataclass(frozen=True)
class BufferTable:
    """Buffers of a CSV: its header and rows as they stand, and the numbers of the columns that count."""

    header: list[str]
    rows: list[list[str]]
    lowers: list[int]
    uppers: list[int]
    sizes: list[int]


def read_buffers(path: Path) -> BufferTable:
    """The buffers of a CSV with the columns id, lower, upper, size: live during steps [lower, upper).

    InputError names file and line of what is wrong.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not lines:
        raise InputError(f"{path}: expected a header with the columns {', '.join(COLUMNS)}, got an empty file")
    header = [name.strip() for name in lines[0]]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}")
    table = BufferTable(header, lines[1:], [], [], [])
    for number, row in enumerate(table.rows, start=2):
        if len(row) != len(header):
            raise InputError(f"{path}, line {number}: expected {len(header)} fields, got {len(row)}")
        place = f"{path}, line {number}"
        table.lowers.append(_number(row[header.index("lower")], LAST_STEP, f"{place}: lower"))
        table.uppers.append(_number(row[header.index("upper")], LAST_STEP, f"{place}: upper"))
        table.sizes.append(_number(row[header.index("size")], LARGEST, f"{place}: size"))
        if table.lowers[-1] >= table.uppers[-1]:
            raise InputError(f"{place}: expected lower < upper, got {table.lowers[-1]} and {table.uppers[-1]}")
    return table


def _number(text: str, most: int, place: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise InputError(f"{place}: expected a whole number, got {text!r}") from None
    if not 0 <= value <= most:
        raise InputError(f"{place}: expected 0 to {most}, got {value}")
    return value


def write_plan(path: Path, table: BufferTable, offsets: list[int]) -> None:
    """The table with the column `offset` set or appended."""
    header = [name for name in table.header if name != "offset"]
    keep = [index for index, name in enumerate(table.header) if name != "offset"]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*header, "offset"])
            for row, offset in zip(table.rows, offsets, strict=True):
                writer.writerow([*(row[index] for index in keep), offset])
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}") from error


@reports_errors
def plan(
    file: Annotated[Path, typer.Argument(help="CSV with the columns id, lower, upper, size.")],
    capacity: Annotated[str, typer.Option("--capacity", help="Bytes that there are, such as 1048576 or 320k.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV to write: the same rows with an offset.")],
    alignment: Annotated[int, typer.Option("--alignment", min=1, max=4096, help="Offsets are multiples of it.")] = 1,
    time_limit: Annotated[float, typer.Option("--time-limit", min=0.01, help="Seconds to search.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Place buffers in an arena. Exit code 3: provably impossible; 4: undecided within the time limit."""
    import tinynas._core as _core

    table = read_buffers(file)
    limit = parse_size(capacity)
    packing = _core.pack(
        table.sizes, table.lowers, table.uppers, alignment=alignment, capacity=limit, time_limit_s=time_limit
    )
    bound = _core.max_live(table.sizes, table.lowers, table.uppers, alignment=alignment)
    if packing.bytes > limit and packing.optimal:
        raise InfeasibleError(
            f"{file}: proved that no placement fits {limit:,} B; one of {packing.bytes:,} B exists, "
            f"{bound:,} B are live at once"
        )
    if packing.bytes > limit and bound > limit:
        raise InfeasibleError(f"{file}: no placement fits {limit:,} B: {bound:,} B are live at once")
    if packing.bytes > limit:
        raise UndecidedError(
            f"{file}: undecided after {time_limit:g} s: the best placement takes {packing.bytes:,} B, "
            f"the capacity is {limit:,} B, {bound:,} B are live at once"
        )
    write_plan(output, table, packing.offsets)
    log.print(f"{output}: {len(table.rows)} buffers in {packing.bytes:,} B, lower bound {bound:,} B")
    emit(as_json, {"bytes": packing.bytes, "lower_bound_bytes": bound, "capacity": limit, "optimal": packing.optimal})
