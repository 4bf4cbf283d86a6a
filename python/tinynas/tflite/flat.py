"""Reads FlatBuffers tables from bytes that may be hostile: every offset and length is checked before it is followed.

The reader of the `flatbuffers` package trusts the file, so it is not used here. All positions are bytes from the start
of the file; numbers are little-endian (the FlatBuffers format, "Internals" of its documentation).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import InputError


def read_number(data: bytes, position: int, code: str) -> int | float | bool:
    """The number with struct code `code` at `position`; InputError when it is not inside the file."""
    size = struct.calcsize("<" + code)
    if position < 0 or position + size > len(data):
        raise InputError(f"[tflite] damaged file: expected {size} bytes at {position}, the file has {len(data)} bytes")
    value: int | float | bool = struct.unpack_from("<" + code, data, position)[0]
    return value


def _unsigned(data: bytes, position: int, code: str = "I") -> int:
    return int(read_number(data, position, code))


@dataclass(frozen=True)
class Table:
    """One table of the file. A field is named by its slot: its ordinal in the published schema."""

    data: bytes = field(repr=False)
    position: int
    vtable: int
    vtable_size: int

    @staticmethod
    def at(data: bytes, position: int) -> Table:
        """The table at `position`, its vtable checked."""
        vtable = position - int(read_number(data, position, "i"))
        size = _unsigned(data, vtable, "H")
        if size < 4 or size % 2 or vtable + size > len(data):
            raise InputError(f"[tflite] damaged file: vtable of {size} bytes at {vtable}")
        return Table(data, position, vtable, size)

    @staticmethod
    def root(data: bytes) -> Table:
        """The table at the root of the file."""
        return Table.at(data, _unsigned(data, 0))

    def _field(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_size:
            return None
        offset = _unsigned(self.data, self.vtable + entry, "H")
        return self.position + offset if offset else None

    def _target(self, slot: int) -> int | None:
        field = self._field(slot)
        return None if field is None else field + _unsigned(self.data, field)

    def has(self, slot: int) -> bool:
        """Is the field stored?"""
        return self._field(slot) is not None

    def integer(self, slot: int, code: str = "i", default: int = 0) -> int:
        """A scalar field with struct code `code` (b, B, i, I, q, Q)."""
        field = self._field(slot)
        return default if field is None else int(read_number(self.data, field, code))

    def boolean(self, slot: int, default: bool = False) -> bool:
        """A boolean field."""
        return bool(self.integer(slot, "B", int(default)))

    def real(self, slot: int, default: float = 0.0) -> float:
        """A float32 field."""
        field = self._field(slot)
        return default if field is None else float(read_number(self.data, field, "f"))

    def table(self, slot: int) -> Table | None:
        """A field that refers to a table; None when absent."""
        target = self._target(slot)
        return None if target is None else Table.at(self.data, target)

    def _vector(self, slot: int, item_bytes: int) -> tuple[int, int] | None:
        """First byte and number of items of a vector field that lies inside the file; None when absent."""
        target = self._target(slot)
        if target is None:
            return None
        count = _unsigned(self.data, target)
        if target + 4 + count * item_bytes > len(self.data):
            raise InputError(
                f"[tflite] damaged file: vector of {count} items of {item_bytes} bytes at {target} "
                f"in a file of {len(self.data)} bytes"
            )
        return target + 4, count

    def raw(self, slot: int) -> memoryview | None:
        """A vector of bytes, not copied (many tables may share one); None when absent."""
        vector = self._vector(slot, 1)
        return None if vector is None else memoryview(self.data)[vector[0] : vector[0] + vector[1]]

    def numbers(self, slot: int, dtype: str) -> NDArray[np.generic] | None:
        """A vector of numbers of numpy type `dtype` ("<i4", "<f4", "<i8"); None when absent."""
        item = np.dtype(dtype)
        vector = self._vector(slot, item.itemsize)
        return None if vector is None else np.frombuffer(self.data, item, vector[1], vector[0])

    def text(self, slot: int, limit: int = 200) -> str:
        """The first `limit` bytes of a string; empty when absent. Bytes that are not UTF-8 are replaced."""
        raw = self.raw(slot)
        return "" if raw is None else bytes(raw[:limit]).decode("utf-8", "replace")

    def tables(self, slot: int, what: str, limit: int) -> list[Table]:
        """A vector of tables, at most `limit` of them."""
        vector = self._vector(slot, 4)
        if vector is None:
            return []
        start, count = vector
        if count > limit:
            raise InputError(f"[tflite] expected at most {limit} {what}, got {count}")
        return [Table.at(self.data, at + _unsigned(self.data, at)) for at in range(start, start + 4 * count, 4)]
