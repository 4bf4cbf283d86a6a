import numpy as np
import pytest
from PIL import Image

from tinynas.data.arrays import ArraySplit
from tinynas.data.augment import PRESETS, Augmentation, _windows, augment_batch, find_preset
from tinynas.data.resample import resample, rotate, to_pixels
from tinynas.errors import InputError


def noise(count: int, side: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


@pytest.mark.parametrize(("side", "resolution"), [(96, 48), (96, 80), (32, 32), (37, 20), (20, 37), (48, 1)])
def test_same_as_pillow(side: int, resolution: int) -> None:
    pictures = noise(3, side)
    ours = to_pixels(resample(pictures, resolution)).astype(int)
    for picture, result in zip(pictures, ours, strict=True):
        theirs = Image.fromarray(picture).resize((resolution, resolution), Image.Resampling.BILINEAR)
        assert np.abs(result - np.asarray(theirs, dtype=int)).max() <= 1


def test_window_and_flip() -> None:
    pictures = noise(2, 40)
    centre, extent = np.array([[0.5, 0.25], [0.75, 0.5]], np.float32), np.array([[0.5, 0.5], [0.5, 1.0]], np.float32)
    result = to_pixels(resample(pictures, 20, centre, extent, np.array([False, True])))
    np.testing.assert_array_equal(result[0], pictures[0, 10:30, 0:20])
    lower = Image.fromarray(pictures[1, 20:40]).resize((20, 20), Image.Resampling.BILINEAR)
    assert np.abs(result[1].astype(int) - np.asarray(lower, dtype=int)[:, ::-1]).max() <= 1


def test_border_is_repeated() -> None:
    picture = np.zeros((1, 8, 8, 1), dtype=np.uint8)
    picture[0, :, 7] = 200
    shifted = resample(picture, 8, np.array([[0.5, 1.0]], np.float32))
    np.testing.assert_allclose(shifted[0, :, :3, 0], 0, atol=1e-3)
    np.testing.assert_allclose(shifted[0, :, 3:, 0], 200, atol=1e-3)


def test_rotation() -> None:
    pictures = noise(3, 16)
    turned = rotate(pictures, np.array([0, 90, -90], np.float32))
    np.testing.assert_array_equal(turned[0], pictures[0])
    assert np.abs(turned[1].astype(int) - np.rot90(pictures[1], -1)).max() <= 1
    assert np.abs(rotate(turned, np.array([0, -90, 90], np.float32)).astype(int) - pictures).max() <= 1


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("channels", [1, 3])
def test_presets_are_deterministic_and_keep_the_picture(name: str, channels: int) -> None:
    smooth = to_pixels(resample(noise(8, 4, channels), 40))
    first, again, other = (augment_batch(smooth, 32, PRESETS[name], np.random.default_rng(s)) for s in (1, 1, 2))
    assert first.shape == (8, 32, 32, channels) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (name == "none") == np.array_equal(first, other)
    plain = to_pixels(resample(smooth, 32)).astype(float)
    if not PRESETS[name].flip:
        assert np.corrcoef(first.ravel().astype(float), plain.ravel())[0, 1] > 0.5


def test_flips_half_and_shifts_within_bounds() -> None:
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, None, :, None] * 5, (400, 40, 40, 1)).copy()
    flipped = augment_batch(ramp, 40, Augmentation(flip=True), np.random.default_rng(0))
    share = np.mean(flipped[:, 20, 0, 0] > flipped[:, 20, 39, 0])
    assert 0.4 < share < 0.6
    shifted = augment_batch(ramp, 40, Augmentation(shift=0.1), np.random.default_rng(0))
    moved = (shifted[:, 20, 20, 0].astype(float) - ramp[0, 20, 20, 0]) / 5
    assert 3 < np.abs(moved).max() <= 4.2 and abs(moved.mean()) < 0.5


def test_brightness_changes_whole_pictures_and_cutout_half_of_them() -> None:
    grey = np.full((300, 20, 20, 3), 100, dtype=np.uint8)
    bright = augment_batch(grey, 20, Augmentation(brightness=0.2), np.random.default_rng(0))
    levels = bright[:, 0, 0, 0]
    assert (bright == levels[:, None, None, None]).all() and levels.min() >= 80 and levels.max() <= 120
    cut = augment_batch(grey, 20, Augmentation(cutout=0.5), np.random.default_rng(0))
    share = np.mean((cut == 128).any(axis=(1, 2, 3)))
    assert 0.4 < share < 0.6 and (cut == 128).all(axis=3).sum(axis=(1, 2)).max() == 100


def test_a_split_augments_only_with_a_generator() -> None:
    pictures, labels = noise(5, 24), np.arange(5)
    split = ArraySplit(pictures, labels, np.array([4, 2, 0]), find_preset("photos"))
    plain, found = split.batch(np.array([0, 2]), 24)
    np.testing.assert_array_equal(plain, pictures[[4, 0]])
    assert found.tolist() == [4, 0] and len(split) == 3
    changed, _ = split.batch(np.array([0, 2]), 24, np.random.default_rng(0))
    assert np.abs(changed.astype(int) - plain).mean() > 5
    np.testing.assert_array_equal(split.batch(np.array([0]), 24)[0][0], pictures[4])


def test_unknown_preset() -> None:
    with pytest.raises(InputError, match="unknown augmentation 'strange': expected one of none, photos"):
        find_preset("strange")


def test_whole_pixel_moves_are_those_of_resampling_and_blur_nothing() -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    recipe = Augmentation(flip=True, shift=0.25)
    moved = augment_batch(pictures, 16, recipe, np.random.default_rng(5))
    centre, extent, flip = _windows(20, 16, recipe, np.random.default_rng(5))
    np.testing.assert_array_equal(moved, to_pixels(resample(pictures, 16, centre, extent, flip)))
    offsets = np.round((centre - 0.5) * 16)
    assert np.abs(offsets).max() == 4 and len(np.unique(offsets)) > 4 and flip is not None and 0 < flip.sum() < 20
    for before, after in zip(pictures, moved, strict=True):
        known = {tuple(pixel) for pixel in before.reshape(-1, 3).tolist()}
        assert {tuple(pixel) for pixel in after.reshape(-1, 3).tolist()} <= known
