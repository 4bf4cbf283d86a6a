"""Waveforms to pictures: log-mel spectrograms and MFCCs, frequency or coefficient down, time to the right."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import CheckError, InputError

KINDS = ("logmel", "mfcc")
RANGE_DB = 80.0
"""Decibels below the loudest point of a clip that still show."""
_SILENCE_DB = -25.0
"""A clip's loudest point counts as at least this (full scale sine: about +35), so that silence is dark."""
_MFCC_GAIN = 2.5


@dataclass(frozen=True)
class FrontEnd:
    """How clips of `samples` at `rate` hertz become [side, side] pictures for any side."""

    rate: int
    samples: int
    kind: str = "logmel"
    window_s: float = 0.03
    low_hz: float = 20.0
    high_hz: float = 4000.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"unknown sound features {self.kind!r}: expected one of {', '.join(KINDS)}")

    def pictures(self, clips: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
        """[n, samples] in -1..1 to [n, side, side, 1]: `side` mel bands (low ones below) at `side` moments.

        `mfcc`: row k is coefficient k of the orthonormal cosine transform over the bands; 128 is 0 (k = 0: 255).
        """
        decibels = self._mel_decibels(clips, side)
        if self.kind == "mfcc":
            coefficients = scipy_module("fft").dct(decibels, type=2, norm="ortho", axis=2)
            coefficients[:, :, 0] *= 255.0 / (RANGE_DB * np.sqrt(side))
            coefficients[:, :, 0] += 255.0
            coefficients[:, :, 1:] = 128.0 + _MFCC_GAIN * coefficients[:, :, 1:]
            rows = coefficients.swapaxes(1, 2)
        else:
            rows = 255.0 * (1.0 + decibels.swapaxes(1, 2)[:, ::-1] / RANGE_DB)
        return np.asarray(np.clip(rows + 0.5, 0, 255), dtype=np.uint8)[..., None]

    def _mel_decibels(self, clips: NDArray[np.float32], side: int) -> NDArray[np.float32]:
        """[n, moments, bands] below the clip's loudest point, -RANGE_DB..0."""
        window = round(self.window_s * self.rate)
        starts = np.round(np.linspace(0, self.samples - window, side)).astype(np.int64)
        frames = clips[:, starts[:, None] + np.arange(window)] * np.hanning(window + 1)[:-1].astype(np.float32)
        size = 1 << (2 * window - 1).bit_length()
        spectrum = scipy_module("fft").rfft(frames, n=size, axis=2)
        power = spectrum.real**2 + spectrum.imag**2
        bands = power @ mel_bank(side, size, self.rate, (self.low_hz, min(self.high_hz, self.rate / 2)))
        decibels = 10.0 * np.log10(bands + 1e-11)
        loudest = np.maximum(decibels.max(axis=(1, 2), keepdims=True), _SILENCE_DB)
        return np.asarray(np.clip(decibels - loudest, -RANGE_DB, 0.0), dtype=np.float32)


@lru_cache(maxsize=16)
def mel_bank(bands: int, size: int, rate: int, limits: tuple[float, float]) -> NDArray[np.float32]:
    """[size / 2 + 1, bands]: triangles at equal steps of mel = 2595 log10(1 + f / 700), each at least one bin wide."""
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in limits)
    edges = 700.0 * (10.0 ** (np.linspace(low, high, bands + 2) / 2595.0) - 1.0)
    bins = np.arange(size // 2 + 1) * (rate / size)
    width = np.maximum(np.diff(edges), rate / size)
    rising = 1.0 - (edges[None, 1:-1] - bins[:, None]) / width[None, :-1]
    falling = 1.0 - (bins[:, None] - edges[None, 1:-1]) / width[None, 1:]
    bank = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(bank / bank.sum(axis=0, keepdims=True), dtype=np.float32)


def scipy_module(name: str) -> Any:
    """scipy.<name>; CheckError says how to get it where it is missing."""
    try:
        return importlib.import_module(f"scipy.{name}")
    except ImportError as error:
        raise CheckError("recordings need scipy: pip install scipy") from error
