"""Sizes as people write them for chips, 64k, 320k, 1M (1024-based) or plain bytes; and counts, 12.5M (decimal)."""

from __future__ import annotations

import re

from tinynas.errors import InputError

_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}
_COUNTS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def parse_size(text: str) -> int:
    """Bytes of "320k", "1M", "1.5M", "512kB" or "65536"; InputError for anything else."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmM]?)(?:i?[bB])?\s*", text)
    if match is None:
        raise InputError(f"size {text!r}: expected bytes, or a number with k or M (1024-based) such as 320k or 1M")
    size = float(match[1]) * _UNITS[match[2].lower()]
    if size < 1 or size != int(size):
        raise InputError(f"size {text!r}: expected a whole, positive number of bytes, got {size:g}")
    return int(size)


def parse_count(text: str) -> int:
    """What "12.5M", "800k" or "12500000" counts; InputError for anything else."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?)\s*", text)
    count = round(float(match[1]) * _COUNTS[match[2].lower()], 3) if match else 0.0
    if count < 1 or count != int(count):
        raise InputError(f"count {text!r}: expected a whole, positive number, or one with k, M or G such as 12.5M")
    return int(count)


def format_size(size: int) -> str:
    """Bytes with thousands separated, and in k (1024) where that helps: "327,680 B (320.0k)"."""
    if size < 1024:
        return f"{size:,} B"
    if size < 1024 * 1024:
        return f"{size:,} B ({size / 1024:.1f}k)"
    return f"{size:,} B ({size / 1024 / 1024:.2f}M)"
