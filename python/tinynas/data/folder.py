"""The user's own pictures: folders of classes (ImageFolder), with train/, val/ and test/ or without."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.data.arrays import ArraySplit
from tinynas.data.augment import find_preset
from tinynas.data.base import DataSet, Split
from tinynas.data.cache import Arrays, cached_arrays, hash_parts
from tinynas.data.decode import PICTURE_SUFFIXES, decode_pictures, picture_sizes
from tinynas.data.lazy import LazySplit
from tinynas.data.splitting import cut_off
from tinynas.errors import InputError

_SPLIT_NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_IMAGENET_CLASS = re.compile(r"n\d{8}$")
_PERSON_CLASSES = frozenset(
    {"person", "non_person", "non-person", "not-person", "not_person", "notperson", "no_person", "nonperson"}
)
_MARGIN = 256 / 224
"""ImageNet's evaluation: resize to R * 256 / 224, then cut R from the centre."""


@dataclass(frozen=True)
class FolderOptions:
    """How a folder is read. `resolution`: the largest side to be asked for (0: what the pictures offer, up to 224)."""

    resolution: int = 0
    seed: int = 0
    val_part: float = 0.1
    test_part: float = 0.1
    augmentation: str = "auto"
    cache_dir: Path | None = None
    hold_out: tuple[str, ...] = ()
    """Spoken digits: speakers whose recordings are all kept for the test."""
    features: str = "logmel"
    """Recordings: logmel or mfcc."""
    words: int = 12
    """Speech Commands: classes, 12 or 35."""
    cache_limit_bytes: int = 16 << 30
    """Decoded sets bigger than this are not kept: every batch is decoded from the files."""


@dataclass(frozen=True)
class Listing:
    """Files and labels of one split, in order; `stamps` (size in bytes, time of change) tell whether a file changed."""

    files: tuple[str, ...]
    labels: tuple[int, ...]
    stamps: tuple[tuple[int, int], ...]


def load_folder(root: Path, options: FolderOptions | None = None) -> DataSet:
    """The pictures below `root`, decoded and cached at the resolution needed.

    Splits: train/ with val/ and test/ where they exist, or one folder of classes. What is missing is cut off from train
    by `seed`, class by class, and `notes` says so; in the layouts of ImageNet and Visual Wake Words (train/ and val/
    only) val/ is the test, as is customary. Raises InputError naming the path for a missing folder, fewer than two
    classes, an empty class, classes that differ between splits, and files that are not whole pictures.
    """
    options = options or FolderOptions()
    folders = _find_splits(root)
    classes = _classes(folders["train"])
    listings = {name: _list_split(folder, classes) for name, folder in folders.items()}
    kind = _kind(classes)
    notes: list[str] = []
    if kind in {"imagenet", "person"} and set(listings) == {"train", "val"}:
        listings["test"] = listings.pop("val")
        notes.append(f"{root.name}: val/ is used as the test split, as is customary for this layout")
    key = _files_key(root, listings)
    side = min(_offered_side(listings, f"{_safe(root.name)}-{key}", options), options.resolution or 224)
    window = kind == "imagenet"
    stored = round(side * _MARGIN) if window else side
    augmentation = _augmentation(options.augmentation, kind, side)
    source = _Source(f"{_safe(root.name)}-{key}-{stored}{'c' if window else ''}", listings, options, (stored, window))
    rows, cut_notes = _cut(listings, options)
    splits = source.splits(rows, augmentation)
    return DataSet(
        name=root.name,
        classes=classes,
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
        max_resolution=side,
        fingerprint=hash_parts([source.fingerprint, options.seed, options.val_part, options.test_part, side]),
        notes=(*notes, *cut_notes),
    )


def _find_splits(root: Path) -> dict[str, Path]:
    if not root.is_dir():
        raise InputError(f"{root}: expected a folder of pictures, got {'a file' if root.exists() else 'nothing there'}")
    found = {
        name: root / alias
        for name, aliases in _SPLIT_NAMES.items()
        for alias in reversed(aliases)
        if (root / alias).is_dir()
    }
    if not found:
        return {"train": root}
    if "train" not in found:
        raise InputError(f"{root}: expected a train/ folder beside {', '.join(f'{f.name}/' for f in found.values())}")
    return found


def _classes(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))))
    if len(names) < 2:
        loose = sum(p.suffix.lower() in PICTURE_SUFFIXES for p in folder.iterdir())
        hint = f" (and {loose} pictures outside of any class folder)" if loose else ""
        got = f"{len(names)}: {names[0]}" if names else "none"
        raise InputError(f"{folder}: expected a folder per class, at least two, got {got}{hint}")
    return names


def _list_split(folder: Path, classes: Sequence[str]) -> Listing:
    here = _classes(folder)
    if list(here) != list(classes):
        missing, extra = sorted(set(classes) - set(here)), sorted(set(here) - set(classes))
        parts = [
            f"{text} {', '.join(names[:5])}" for text, names in (("missing", missing), ("unexpected", extra)) if names
        ]
        raise InputError(f"{folder}: expected the same {len(classes)} classes as train, got {'; '.join(parts)}")
    files: list[str] = []
    labels: list[int] = []
    stamps: list[tuple[int, int]] = []
    for label, name in enumerate(classes):
        found = sorted(_pictures_below(folder / name))
        if not found:
            raise InputError(f"{folder / name}: expected pictures ({', '.join(sorted(PICTURE_SUFFIXES))}), got none")
        files.extend(path for path, _ in found)
        stamps.extend(stamp for _, stamp in found)
        labels.extend([label] * len(found))
    return Listing(tuple(files), tuple(labels), tuple(stamps))


def _pictures_below(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """(path, stamp) of every picture file in the folder and those in it; hidden ones are left out."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _pictures_below(Path(entry.path))
            elif os.path.splitext(entry.name)[1].lower() in PICTURE_SUFFIXES:  # noqa: PTH122 - 60,000 paths are slow
                status = entry.stat()
                yield entry.path, (status.st_size, status.st_mtime_ns)


def _kind(classes: Sequence[str]) -> str:
    if all(_IMAGENET_CLASS.match(name) for name in classes):
        return "imagenet"
    if len(classes) == 2 and any(name.lower() in _PERSON_CLASSES for name in classes):
        return "person"
    return "pictures"


def _offered_side(listings: dict[str, Listing], key: str, options: FolderOptions) -> int:
    """The shorter side that nine pictures in ten have."""

    def measure() -> Arrays:
        return {"sizes": picture_sizes([file for listing in listings.values() for file in listing.files])}

    arrays, _ = cached_arrays(options.cache_dir, f"{key}-sizes", measure)
    shorter = np.asarray(arrays["sizes"], dtype=np.int64).min(axis=1)
    return int(np.quantile(shorter, 0.1, method="lower"))


def _augmentation(name: str, kind: str, side: int) -> str:
    if name != "auto":
        return name
    if kind == "imagenet":
        return "crops"
    return "small" if side <= 40 else "photos"


def _cut(
    listings: dict[str, Listing], options: FolderOptions
) -> tuple[dict[str, tuple[str, NDArray[np.int64]]], list[str]]:
    """For every split: the listing it comes from and its rows there."""
    labels = np.asarray(listings["train"].labels, dtype=np.int64)
    smallest = int(np.bincount(labels).min())
    needed = 1 + sum(name not in listings for name in ("val", "test"))
    if smallest < needed:
        short = Path(listings["train"].files[int(np.flatnonzero(labels == np.bincount(labels).argmin())[0])]).parent
        raise InputError(f"{short}: expected at least {needed} pictures to cut the missing splits from, got {smallest}")
    rng = np.random.default_rng([options.seed, 0x5911])
    left = np.arange(len(labels), dtype=np.int64)
    rows: dict[str, tuple[str, NDArray[np.int64]]] = {}
    notes: list[str] = []
    for name, part in (("test", options.test_part), ("val", options.val_part)):
        if name in listings:
            rows[name] = (name, np.arange(len(listings[name].files), dtype=np.int64))
            continue
        left, cut = cut_off(labels, left, part, rng)
        rows[name] = ("train", cut)
        notes.append(f"there is no {name} folder: {len(cut)} pictures were cut off from train (seed {options.seed})")
    rows["train"] = ("train", left)
    return rows, notes


class _Source:
    """The decoded arrays behind the splits, or the files themselves where these would be too big."""

    def __init__(
        self, name: str, listings: dict[str, Listing], options: FolderOptions, stored: tuple[int, bool]
    ) -> None:
        self._listings = listings
        self._side, self._central = stored
        self._keep = 1.0 / _MARGIN if self._central else 1.0
        count = sum(len(listing.files) for listing in listings.values())
        self._arrays: Arrays | None = None
        self.fingerprint = name
        if count * self._side * self._side * 3 <= options.cache_limit_bytes:
            self._arrays, self.fingerprint = cached_arrays(options.cache_dir, name, self._decode)

    def _decode(self) -> Arrays:
        arrays: Arrays = {}
        for name, listing in self._listings.items():
            pictures = np.empty((len(listing.files), self._side, self._side, 3), dtype=np.uint8)
            decode_pictures(listing.files, self._side, self._central, pictures)
            arrays[name] = pictures
        return arrays

    def splits(self, rows: dict[str, tuple[str, NDArray[np.int64]]], augmentation: str) -> dict[str, Split]:
        recipe = find_preset(augmentation)
        result: dict[str, Split] = {}
        for name, (source, chosen) in rows.items():
            labels = np.asarray(self._listings[source].labels, dtype=np.int64)
            if self._arrays is not None:
                pictures = self._arrays[source].view(np.uint8)
                result[name] = ArraySplit(pictures, labels, chosen, recipe, self._keep)
            else:
                files = [self._listings[source].files[row] for row in chosen]
                result[name] = LazySplit(files, labels[chosen], (self._side, self._central), recipe, self._keep)
        return result


def _files_key(root: Path, listings: dict[str, Listing]) -> str:
    parts: list[object] = ["pictures 1"]
    base = len(str(root))
    for name, listing in listings.items():
        parts += [name, "\n".join(file[base:] for file in listing.files), listing.stamps]
    return hash_parts(parts)


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name) or "pictures"
