"""Reading WAV files into clips of one length and rate; errors name the file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.data.audio.features import scipy_module
from tinynas.data.decode import in_threads
from tinynas.errors import InputError


def read_clips(files: Sequence[Path], rate: int, samples: int) -> NDArray[np.int16]:
    """[n, samples]: every recording at `rate`, its middle cut out, or padded with silence on both sides."""
    clips = np.zeros((len(files), samples), dtype=np.int16)

    def read(item: tuple[int, Path]) -> None:
        index, file = item
        clips[index] = fit(read_wave(file, rate), samples)

    in_threads(list(enumerate(files)), read)
    return clips


def fit(wave: NDArray[np.int16], samples: int) -> NDArray[np.int16]:
    """The middle `samples` of a wave, or the wave in the middle of silence."""
    if len(wave) >= samples:
        start = (len(wave) - samples) // 2
        return wave[start : start + samples]
    before = (samples - len(wave)) // 2
    return np.pad(wave, (before, samples - len(wave) - before))


def read_wave(file: Path, rate: int) -> NDArray[np.int16]:
    """The recording as 16-bit mono at `rate` hertz (resampled if it has another).

    Raises InputError for a file that is no whole WAV file, or an empty one.
    """
    wavfile = scipy_module("io.wavfile")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", wavfile.WavFileWarning)  # it only warns of a file that ends too early
            found, data = wavfile.read(file)
    except Exception as error:  # damaged headers raise many types
        if "Chunk (non-data)" not in str(error):
            raise InputError(f"{file}: cannot be read as a WAV recording: {error}") from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, data = wavfile.read(file)
    wave = _as_float(np.asarray(data), file)
    if found != rate:
        common = gcd(int(found), rate)
        wave = np.asarray(
            scipy_module("signal").resample_poly(wave, rate // common, int(found) // common), dtype=np.float32
        )
    return np.asarray(np.clip(np.round(wave * 32768.0), -32768, 32767), dtype=np.int16)


def _as_float(data: NDArray[np.generic], file: Path) -> NDArray[np.float32]:
    if data.size == 0:
        raise InputError(f"{file}: expected a recording, got one without samples")
    scales = {"int16": (0.0, 32768.0), "int32": (0.0, 2147483648.0), "uint8": (128.0, 128.0), "float32": (0.0, 1.0)}
    if data.dtype.name not in scales:
        raise InputError(f"{file}: expected samples of {', '.join(scales)}, got {data.dtype.name}")
    offset, scale = scales[data.dtype.name]
    wave = (data.astype(np.float32) - np.float32(offset)) / np.float32(scale)
    return np.asarray(wave if wave.ndim == 1 else wave.mean(axis=1), dtype=np.float32)
