"""Layouts of recorded words: Speech Commands and the Free Spoken Digit Dataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.data.audio.features import FrontEnd
from tinynas.data.audio.recordings import read_clips, read_wave
from tinynas.data.audio.split import SoundSplit, find_sound_preset
from tinynas.data.base import DataSet
from tinynas.data.cache import Arrays, cached_arrays, hash_parts
from tinynas.data.folder import FolderOptions
from tinynas.data.splitting import cut_off
from tinynas.errors import InputError

MAX_SIDE = 64
DEFAULT_SIDE = 48
TEST_RECORDINGS = 5
"""FSDD: recordings 0 to 4 of every speaker and digit are the test."""
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
SILENCE, UNKNOWN = "_silence_", "_unknown_"
NOISE_FOLDER = "_background_noise_"
_FSDD_FILE = re.compile(r"(\d+)_([A-Za-z]+)_(\d+)\.wav$")
_FSDD_RATE, _FSDD_SAMPLES = 8000, 6400
_COMMANDS_RATE = 16000

Rows = NDArray[np.int64]


def is_fsdd(root: Path) -> bool:
    folder = _fsdd_folder(root)
    return any(_FSDD_FILE.match(p.name) for p in folder.glob("*.wav"))


def is_speech_commands(root: Path) -> bool:
    return (root / "testing_list.txt").is_file() and (root / "validation_list.txt").is_file()


def _fsdd_folder(root: Path) -> Path:
    return root / "recordings" if (root / "recordings").is_dir() else root


def load_fsdd(root: Path, options: FolderOptions | None = None) -> DataSet:
    """Spoken digits `<digit>_<speaker>_<n>.wav`; clips of 0.8 s at 8 kHz (a digit takes about 0.4).

    The test is recordings 0 to 4 of every speaker and digit, or all recordings of the speakers in `options.hold_out`.
    """
    options = options or FolderOptions()
    folder = _fsdd_folder(root)
    matches = [(p, m) for p in sorted(folder.glob("*.wav")) if (m := _FSDD_FILE.match(p.name))]
    files = [p for p, _ in matches]
    digits = [m.group(1) for _, m in matches]
    speakers = np.array([m.group(2) for _, m in matches])
    classes = tuple(sorted(set(digits), key=int))
    if len(classes) < 2:
        raise InputError(f"{folder}: expected recordings of at least two digits, got {len(classes)}")
    if unknown := sorted(set(options.hold_out) - set(speakers.tolist())):
        known = ", ".join(sorted(set(speakers.tolist())))
        raise InputError(f"{folder}: no speaker {', '.join(unknown)} to hold out; the speakers are {known}")
    labels = np.array([classes.index(d) for d in digits], dtype=np.int64)
    numbers = np.array([int(m.group(3)) for _, m in matches])
    held = np.isin(speakers, options.hold_out) if options.hold_out else numbers < TEST_RECORDINGS
    test, rest = np.flatnonzero(held), np.flatnonzero(~held)
    if len(test) == 0 or len(rest) == 0 or len(np.unique(labels[rest])) != len(classes):
        raise InputError(
            f"{folder}: expected recordings of every digit beside the test's, got {len(rest)} and {len(test)}"
        )
    rng = np.random.default_rng([options.seed, 0x5911])
    train, val = cut_off(labels, rest, options.val_part, rng)
    held_text = f"all recordings of {', '.join(options.hold_out)}" if options.hold_out else "recordings 0 to 4"
    notes = (f"test: {held_text}", f"val: {len(val)} recordings were cut off from train (seed {options.seed})")
    front_end = FrontEnd(_FSDD_RATE, _FSDD_SAMPLES, options.features)
    arrays, fingerprint = cached_arrays(
        options.cache_dir,
        f"fsdd-{front_end.samples}-{_files_key(files)}",
        lambda: {"clips": read_clips(files, front_end.rate, front_end.samples)},
    )
    sets = {"train": train, "val": val, "test": test}
    return _data_set("fsdd", classes, sets, (arrays["clips"], labels, None), front_end, options, (fingerprint, notes))


def load_speech_commands(root: Path, options: FolderOptions | None = None) -> DataSet:
    """Speech Commands `<word>/<speaker>_nohash_<n>.wav` with lists of val and test files; 1 s at 16 kHz.

    `options.words` 12: 10 commands, _silence_ (cut from the background noise) and _unknown_ (as many of the other words
    as of a command); 35: every word.
    """
    options = options or FolderOptions()
    files = {word: sorted((root / word).glob("*.wav")) for word in _words(root)}
    for word, found in files.items():
        if not found:
            raise InputError(f"{root / word}: expected recordings (*.wav), got none")
    listed = {
        name: _read_list(root / file) for name, file in (("val", "validation_list.txt"), ("test", "testing_list.txt"))
    }
    paths: list[Path] = []
    names: list[str] = []
    sets: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for word, found in files.items():
        for path in found:
            relative = f"{word}/{path.name}"
            name = next((n for n, lines in listed.items() if relative in lines), "train")
            sets[name].append(len(paths))
            paths.append(path)
            names.append(word)
    front_end = FrontEnd(_COMMANDS_RATE, _COMMANDS_RATE, options.features)
    noise_files = sorted((root / NOISE_FOLDER).glob("*.wav"))

    def decode() -> Arrays:
        noise = [read_wave(file, front_end.rate) for file in noise_files] or [np.zeros(0, dtype=np.int16)]
        return {"clips": read_clips(paths, front_end.rate, front_end.samples), "noise": np.concatenate(noise)}

    arrays, fingerprint = cached_arrays(options.cache_dir, f"commands-{_files_key([*paths, *noise_files])}", decode)
    noise = np.asarray(arrays["noise"], dtype=np.int16)
    chosen, labels, classes, clips = _choose(names, sets, (arrays["clips"], noise), options)
    for name, rows in chosen.items():
        if len(rows) == 0:
            raise InputError(f"{root}: expected recordings of the classes in the {name} split, got none")
    notes = ("val and test are the files that validation_list.txt and testing_list.txt name",)
    background = noise[: int(0.8 * len(noise))]
    return _data_set(
        "speech_commands", classes, chosen, (clips, labels, background), front_end, options, (fingerprint, notes)
    )


def _words(root: Path) -> list[str]:
    words = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")))
    if len(words) < 2:
        raise InputError(f"{root}: expected a folder per word, at least two, got {len(words)}")
    return words


def _read_list(file: Path) -> frozenset[str]:
    return frozenset(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def _choose(
    names: Sequence[str],
    sets: dict[str, list[int]],
    sound: tuple[NDArray[np.generic], NDArray[np.int16]],
    options: FolderOptions,
) -> tuple[dict[str, Rows], NDArray[np.int64], tuple[str, ...], NDArray[np.int16]]:
    """Rows of every split, labels, classes and clips of the 12- or the 35-class task."""
    clips, noise = np.asarray(sound[0]).view(np.int16), sound[1]
    if options.words == 35:
        classes = tuple(sorted(set(names)))
        labels = np.array([classes.index(n) for n in names], dtype=np.int64)
        return {k: np.asarray(v, dtype=np.int64) for k, v in sets.items()}, labels, classes, clips
    if options.words != 12:
        raise InputError(f"words: expected 12 or 35, got {options.words}")
    classes = (*WORDS, SILENCE, UNKNOWN)
    labels = np.array([classes.index(n) if n in WORDS else len(WORDS) + 1 for n in names], dtype=np.int64)
    rng = np.random.default_rng([options.seed, 0x5C12])
    parts = {"train": (0.0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}
    chosen: dict[str, Rows] = {}
    quiet: list[NDArray[np.int16]] = []
    for name, rows in sets.items():
        index = np.asarray(rows, dtype=np.int64)
        known, unknown = index[labels[index] < len(WORDS)], index[labels[index] == len(WORDS) + 1]
        each = min(-(-len(known) // len(WORDS)), len(unknown))
        stretch = noise[int(parts[name][0] * len(noise)) : int(parts[name][1] * len(noise))]
        silent = _silences(stretch, (-(-len(known) // len(WORDS)), clips.shape[1]), rng)
        first = len(names) + sum(len(part) for part in quiet)
        added = np.arange(first, first + len(silent), dtype=np.int64)
        quiet.append(silent)
        chosen[name] = np.concatenate([known, np.sort(rng.permutation(unknown)[:each]), added])
    silence_labels = np.full(sum(len(part) for part in quiet), len(WORDS), dtype=np.int64)
    return chosen, np.concatenate([labels, silence_labels]), classes, np.concatenate([clips, *quiet])


def _silences(noise: NDArray[np.int16], shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.int16]:
    """Clips of background noise at random loudness; plain silence where there is no noise to cut from."""
    count, samples = shape
    if len(noise) <= samples:
        return np.zeros(shape, dtype=np.int16)
    starts = rng.integers(0, len(noise) - samples, count)
    clips = np.stack([noise[start : start + samples] for start in starts]) if count else np.zeros(shape, dtype=np.int16)
    return np.asarray(clips * rng.random((count, 1)), dtype=np.int16)


def _data_set(
    name: str,
    classes: tuple[str, ...],
    rows: dict[str, Rows],
    sound: tuple[NDArray[np.generic], NDArray[np.int64], NDArray[np.int16] | None],
    front_end: FrontEnd,
    options: FolderOptions,
    origin: tuple[str, tuple[str, ...]],
) -> DataSet:
    recipe = find_sound_preset(options.augmentation)
    clips, labels, background = np.asarray(sound[0]).view(np.int16), sound[1], sound[2]
    splits = {key: SoundSplit(clips, labels, index, front_end, recipe, background) for key, index in rows.items()}
    settings = (options.seed, options.val_part, options.hold_out, options.words, front_end)
    return DataSet(
        name=name,
        classes=classes,
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
        max_resolution=min(options.resolution or DEFAULT_SIDE, MAX_SIDE),
        channels=1,
        fingerprint=hash_parts([origin[0], *settings]),
        notes=origin[1],
    )


def _files_key(files: Sequence[Path]) -> str:
    stats = [(f"{file.parent.name}/{file.name}", file.stat()) for file in files]
    return hash_parts(["clips 1", *((name, status.st_size, status.st_mtime_ns) for name, status in stats)])
