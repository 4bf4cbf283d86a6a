"""Arrays that are expensive to make, kept on disk under a name that hashes what they were made from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import InputError

Arrays = dict[str, NDArray[np.generic]]


def default_cache_dir() -> Path:
    """$TINYNAS_CACHE, or the user's cache folder."""
    if chosen := os.environ.get("TINYNAS_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tinynas"


def hash_parts(parts: Iterable[object]) -> str:
    """16 hex digits naming the parts (by their text)."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def hash_arrays(arrays: Arrays) -> str:
    """16 hex digits naming the arrays' content."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)
    return digest.hexdigest()


def cached_arrays(cache_dir: Path | None, name: str, make: Callable[[], Arrays]) -> tuple[Arrays, str]:
    """The arrays `make` returns and their fingerprint, made once and memory-mapped from `cache_dir`/`name`/ afterwards.

    The folder appears under its name only when it is complete, so a killed run leaves nothing half-written that counts.
    """
    folder = (default_cache_dir() if cache_dir is None else cache_dir) / name
    index = folder / "index.json"
    if not index.is_file():
        _write(folder, make())
    content = json.loads(index.read_text(encoding="utf-8"))
    arrays: Arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in content["arrays"]}
    return arrays, str(content["fingerprint"])


def _write(folder: Path, arrays: Arrays) -> None:
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        for key, array in arrays.items():
            np.save(scratch / f"{key}.npy", array)
        index = {"arrays": sorted(arrays), "fingerprint": hash_arrays(arrays)}
        (scratch / "index.json").write_text(json.dumps(index), encoding="utf-8")
        if not (folder / "index.json").is_file():  # another process may have been quicker
            scratch.rename(folder)
    except OSError as error:
        if (folder / "index.json").is_file():
            return
        raise InputError(
            f"{folder}: the cache cannot be written ({error}); set TINYNAS_CACHE to a writable folder"
        ) from error
    finally:
        for left in scratch.glob("*"):
            left.unlink()
        if scratch.is_dir():
            scratch.rmdir()
