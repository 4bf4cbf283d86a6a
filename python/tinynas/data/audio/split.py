"""A split of recorded clips: features are computed per batch, so that augmentation can change the sound itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.data.audio.features import FrontEnd
from tinynas.errors import InputError


@dataclass(frozen=True)
class SoundAugmentation:
    """How far a clip is changed."""

    shift_s: float = 0.0
    """Seconds earlier or later, up to."""
    speed: float = 0.0
    """Playing rate 1 +- speed: tempo and pitch."""
    noise_odds: float = 0.0
    """Chance of added noise: the set's background recordings, or coloured noise where it has none."""
    noise_level: float = 0.1
    """Loudest noise, as part of the clip's own peak."""
    masks: float = 0.0
    """Widest masked band and stretch of time, as part of the picture's side (twice each)."""


SOUND_PRESETS: dict[str, SoundAugmentation] = {
    "none": SoundAugmentation(),
    "sound": SoundAugmentation(shift_s=0.1, speed=0.1, noise_odds=0.8, masks=0.12),
    "sound_strong": SoundAugmentation(shift_s=0.12, speed=0.2, noise_odds=0.8, noise_level=0.2, masks=0.2),
}


def find_sound_preset(name: str) -> SoundAugmentation:
    """`auto` is `sound`."""
    preset = SOUND_PRESETS.get("sound" if name == "auto" else name)
    if preset is None:
        raise InputError(f"unknown sound augmentation {name!r}: expected one of {', '.join(SOUND_PRESETS)}")
    return preset


class SoundSplit:
    """Some rows of clips [n, samples] (int16) with labels [n]."""

    def __init__(
        self,
        clips: NDArray[np.int16],
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        front_end: FrontEnd,
        augmentation: SoundAugmentation,
        background: NDArray[np.int16] | None = None,
    ) -> None:
        """`background` is one long recording of noise to mix in (longer than a clip), or None."""
        self._clips, self._labels, self._rows = clips, labels, rows
        self._front_end, self._augmentation = front_end, augmentation
        self._background = background if background is not None and len(background) > clips.shape[1] else None

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def labels(self) -> NDArray[np.int64]:
        return self._labels[self._rows]

    @property
    def rows(self) -> NDArray[np.int64]:
        return self._rows

    def batch(
        self, indices: NDArray[np.int64], resolution: int, augment: np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """See Split.batch; one channel."""
        rows = self._rows[indices]
        clips = np.asarray(self._clips[rows], dtype=np.float32) / np.float32(32768.0)
        if augment is not None:
            clips = self._change(clips, augment)
        pictures = self._front_end.pictures(clips, resolution)
        if augment is not None and self._augmentation.masks:
            _mask(pictures, self._augmentation.masks, augment)
        return pictures, self._labels[rows]

    def _change(self, clips: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        recipe, (count, samples) = self._augmentation, clips.shape
        if recipe.shift_s or recipe.speed:
            shift = rng.uniform(-1, 1, (count, 1)) * recipe.shift_s * self._front_end.rate
            speed = 1.0 + rng.uniform(-1, 1, (count, 1)) * recipe.speed
            middle = (samples - 1) / 2
            place = (np.arange(samples) - middle) * speed + middle + shift
            left = np.floor(place).astype(np.int64)
            part = (place - left).astype(np.float32)
            inside = (left >= 0) & (left < samples - 1)
            left = np.clip(left, 0, samples - 2)
            first, second = np.take_along_axis(clips, left, 1), np.take_along_axis(clips, left + 1, 1)
            clips = np.where(inside, first * (1 - part) + second * part, np.float32(0)).astype(np.float32)
        if recipe.noise_odds:
            peak = np.maximum(np.abs(clips).max(axis=1, keepdims=True), 1e-3)
            level = rng.random((count, 1)) ** 2 * recipe.noise_level * (rng.random((count, 1)) < recipe.noise_odds)
            clips = clips + self._noise(count, samples, rng) * (peak * level).astype(np.float32)
        return clips

    def _noise(self, count: int, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """[count, samples], each with a peak of about 1."""
        if self._background is not None:
            starts = rng.integers(0, len(self._background) - samples, count)
            noise = np.stack([self._background[start : start + samples] for start in starts]).astype(np.float32)
            return np.asarray(noise / np.maximum(np.abs(noise).max(axis=1, keepdims=True), 1.0), dtype=np.float32)
        white = rng.standard_normal((count, samples + 1), dtype=np.float32)
        tilt = rng.random((count, 1), dtype=np.float32)  # from white to low-passed
        return np.asarray((white[:, 1:] + tilt * white[:, :-1]) / 4.0, dtype=np.float32)


def _mask(pictures: NDArray[np.uint8], part: float, rng: np.random.Generator) -> None:
    """SpecAugment: two bands and two stretches of time of every picture set to its mean."""
    side = pictures.shape[1]
    widths = (rng.random((len(pictures), 2, 2)) * part * side).astype(np.int64)
    starts = (rng.random((len(pictures), 2, 2)) * (side - widths)).astype(np.int64)
    for picture, wide, start in zip(pictures, widths, starts, strict=True):
        mean = int(picture.mean())
        for turn in range(2):
            picture[start[turn, 0] : start[turn, 0] + wide[turn, 0]] = mean
            picture[:, start[turn, 1] : start[turn, 1] + wide[turn, 1]] = mean
