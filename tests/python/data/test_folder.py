from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynas.data import DataSet, FolderOptions, load_data
from tinynas.data.arrays import ArraySplit
from tinynas.errors import InputError


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (24, 24), first: int = 0) -> None:
    """Noise pictures, every one different, named in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(first, first + count):
        rng = np.random.default_rng([i, *folder.name.encode()])
        pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:04d}.png")


def load(root: Path, tmp_path: Path, **options: object) -> DataSet:
    return load_data(root, FolderOptions(cache_dir=tmp_path / "cache", **options))  # type: ignore[arg-type]


def contents(split: object) -> set[bytes]:
    assert isinstance(split, ArraySplit)
    pictures, _ = split.batch(np.arange(len(split)), 24)
    return {p.tobytes() for p in pictures}


@pytest.fixture
def three_classes(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    for split, count in (("train", 20), ("test", 6)):
        for name in ("ant", "bee", "cat"):
            write_pictures(root / split / name, count, first=0 if split == "train" else 100)
    return root


def test_val_is_cut_off_from_train_and_said(three_classes: Path, tmp_path: Path) -> None:
    data = load(three_classes, tmp_path, val_part=0.25)
    assert data.classes == ("ant", "bee", "cat") and not data.synthetic and data.max_resolution == 24
    assert (len(data.train), len(data.val), len(data.test)) == (45, 15, 18)
    assert any("no val folder" in note and "15 pictures" in note for note in data.notes)
    sets = [contents(split) for split in (data.train, data.val, data.test)]
    assert [len(s) for s in sets] == [45, 15, 18]
    assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    for split, each in ((data.train, 15), (data.val, 5), (data.test, 6)):
        _, labels = split.batch(np.arange(len(split)), 24)
        assert np.bincount(labels).tolist() == [each] * 3


def test_pixels_and_labels_are_the_files(three_classes: Path, tmp_path: Path) -> None:
    data = load(three_classes, tmp_path)
    pictures, labels = data.test.batch(np.array([7]), 24)
    with Image.open(three_classes / "test" / "bee" / "0101.png") as picture:
        np.testing.assert_array_equal(pictures[0], np.asarray(picture))
    assert labels[0] == 1


def test_one_folder_of_classes_is_split_by_seed(tmp_path: Path) -> None:
    root = tmp_path / "flat"
    for name in ("yes", "no"):
        write_pictures(root / name, 30)
    data, same, other = (load(root, tmp_path, seed=seed) for seed in (1, 1, 2))
    assert (len(data.train), len(data.val), len(data.test)) == (48, 6, 6) and len(data.notes) == 2
    sets = [contents(split) for split in (data.train, data.val, data.test)]
    assert len(set.union(*sets)) == 60
    assert contents(same.test) == sets[2] and contents(other.test) != sets[2]
    assert data.fingerprint == same.fingerprint != other.fingerprint


def test_all_three_folders_are_used_as_they_are(three_classes: Path, tmp_path: Path) -> None:
    for name in ("ant", "bee", "cat"):
        write_pictures(three_classes / "validation" / name, 3, first=50)
    data = load(three_classes, tmp_path)
    assert (len(data.train), len(data.val), len(data.test)) == (60, 9, 18) and data.notes == ()


def test_resolution_never_exceeds_the_pictures(tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    for name in ("a", "b"):
        write_pictures(root / name, 20, size=(60, 40))
    assert load(root, tmp_path, resolution=96).max_resolution == 40
    assert load(root, tmp_path, resolution=32).max_resolution == 32
    assert load(root, tmp_path).train.batch(np.arange(3), 28)[0].shape == (3, 28, 28, 3)


def test_the_cache_follows_the_files(three_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(three_classes, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("tinynas.data.folder.decode_pictures", lambda *_: pytest.fail("decoded again"))
        assert load(three_classes, tmp_path).fingerprint == first.fingerprint
    write_pictures(three_classes / "train" / "ant", 1, first=999)
    changed = load(three_classes, tmp_path)
    assert len(changed.train) + len(changed.val) == 61 and changed.fingerprint != first.fingerprint


def test_sets_over_the_limit_are_decoded_per_batch(three_classes: Path, tmp_path: Path) -> None:
    kept, lazy = load(three_classes, tmp_path), load(three_classes, tmp_path, cache_limit_bytes=1000)
    assert not isinstance(lazy.train, ArraySplit)
    indices = np.array([3, 40, 3])
    for resolution in (24, 16):
        for a, b in zip(kept.train.batch(indices, resolution), lazy.train.batch(indices, resolution), strict=True):
            np.testing.assert_array_equal(a, b)
    augmented = [d.train.batch(indices, 16, np.random.default_rng(4))[0] for d in (kept, lazy)]
    np.testing.assert_array_equal(*augmented)


def test_imagenet_layout_uses_val_as_test_and_crops_the_centre(tmp_path: Path) -> None:
    root = tmp_path / "imagenet"
    for split, count in (("train", 12), ("val", 4)):
        for name in ("n01440764", "n01443537"):
            write_pictures(root / split / name, count, size=(80, 64))
    pixels = np.zeros((64, 80, 3), dtype=np.uint8)
    pixels[8:56, 16:64] = 200  # the part that resize to R * 256 / 224 and a crop of R keep is 56 wide: rows 4..60
    Image.fromarray(pixels).save(root / "val" / "n01440764" / "0000.png")
    data = load(root, tmp_path, resolution=32)
    assert len(data.test) == 8 and len(data.val) == 2 and any("val/ is used as the test" in note for note in data.notes)
    picture = data.test.batch(np.array([0]), 28)[0][0]
    assert picture.shape == (28, 28, 3)
    assert picture[4:24, 4:24].min() > 190 and picture[0].max() < 40
    with Image.open(root / "val" / "n01440764" / "0001.png") as source:
        expected = source.resize((37, 37), Image.Resampling.BILINEAR, box=(8, 0, 72, 64))
    stored = data.test._pictures[1]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(stored, np.asarray(expected))


@pytest.mark.parametrize("negative", ["non_person", "not-person"])
def test_visual_wake_words_layouts(tmp_path: Path, negative: str) -> None:
    mlperf = tmp_path / "vw_coco2014_96"
    for name in ("person", negative):
        write_pictures(mlperf / name, 20, size=(40, 30))
    data = load(mlperf, tmp_path)
    assert set(data.classes) == {"person", negative} and data.max_resolution == 30
    whole = tmp_path / "vww"
    for split in ("train", "val"):
        for name in ("person", negative):
            write_pictures(whole / split / name, 10, size=(40, 30))
    data = load(whole, tmp_path)
    assert (len(data.train), len(data.val), len(data.test)) == (18, 2, 20)
    with Image.open(whole / "val" / data.classes[0] / "0000.png") as source:  # squeezed whole, nobody is cut off
        expected = np.asarray(source.resize((30, 30), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(data.test.batch(np.array([0]), 30)[0][0], expected)


def test_odd_picture_modes_become_rgb(tmp_path: Path) -> None:
    root = tmp_path / "modes"
    for name in ("a", "b"):
        write_pictures(root / name, 6)
    grey = np.full((24, 24), 77, dtype=np.uint8)
    Image.fromarray(grey).save(root / "a" / "0000.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(root / "a" / "0001.png")
    clear = Image.new("RGBA", (24, 24), (10, 20, 30, 0))
    clear.save(root / "a" / "0002.png")
    Image.new("RGB", (24, 24), (250, 0, 0)).quantize(4).save(root / "a" / "0003.gif")
    (root / "a" / "0003.png").unlink()
    data = load(root, tmp_path)
    everything = np.concatenate([s.batch(np.arange(len(s)), 24)[0] for s in (data.train, data.val, data.test)])
    means = {tuple(p.reshape(-1, 3).mean(axis=0).round().astype(int).tolist()) for p in everything}
    assert {(77, 77, 77), (255, 255, 255), (250, 0, 0)} <= means


class TestErrors:
    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nowhere: expected 'scenes' or a folder, got nothing there"):
            load(tmp_path / "nowhere", tmp_path)

    def test_one_class(self, tmp_path: Path) -> None:
        write_pictures(tmp_path / "one" / "only", 5)
        with pytest.raises(InputError, match=r"one: expected a folder per class, at least two, got 1: only"):
            load(tmp_path / "one", tmp_path)

    def test_no_classes_but_pictures(self, tmp_path: Path) -> None:
        write_pictures(tmp_path / "loose", 5)
        with pytest.raises(InputError, match=r"loose: .* got none \(and 5 pictures outside of any class folder\)"):
            load(tmp_path / "loose", tmp_path)

    def test_empty_class(self, three_classes: Path, tmp_path: Path) -> None:
        for file in (three_classes / "train" / "bee").iterdir():
            file.unlink()
        (three_classes / "train" / "bee" / "notes.txt").write_text("no picture")
        with pytest.raises(InputError, match=r"train/bee: expected pictures .* got none"):
            load(three_classes, tmp_path)

    def test_classes_that_differ(self, three_classes: Path, tmp_path: Path) -> None:
        (three_classes / "test" / "bee").rename(three_classes / "test" / "wasp")
        with pytest.raises(
            InputError, match=r"test: expected the same 3 classes as train, got missing bee; unexpected wasp"
        ):
            load(three_classes, tmp_path)

    def test_no_train(self, three_classes: Path, tmp_path: Path) -> None:
        (three_classes / "train").rename(three_classes / "other")
        with pytest.raises(InputError, match=r"expected a train/ folder beside test/"):
            load(three_classes, tmp_path)

    def test_not_a_picture(self, three_classes: Path, tmp_path: Path) -> None:
        (three_classes / "train" / "cat" / "0003.png").write_bytes(b"this is text")
        with pytest.raises(InputError, match=r"train/cat/0003\.png: cannot be read as a picture"):
            load(three_classes, tmp_path)

    def test_truncated_picture_leaves_nothing_in_the_cache(self, three_classes: Path, tmp_path: Path) -> None:
        victim = three_classes / "train" / "cat" / "0003.png"
        victim.write_bytes(victim.read_bytes()[:400])
        for _ in range(2):  # a second try must not find half a cache
            with pytest.raises(InputError, match=r"train/cat/0003\.png: cannot be decoded as a picture"):
                load(three_classes, tmp_path)
        assert not list((tmp_path / "cache").glob("*.part"))

    def test_truncated_jpeg(self, three_classes: Path, tmp_path: Path) -> None:
        victim = three_classes / "train" / "ant" / "0001.jpg"
        with Image.open(victim.with_suffix(".png")) as picture:
            picture.save(victim)
        victim.write_bytes(victim.read_bytes()[:-200])
        with pytest.raises(InputError, match=r"train/ant/0001\.jpg: cannot be decoded"):
            load(three_classes, tmp_path)

    def test_too_few_to_split(self, tmp_path: Path) -> None:
        write_pictures(tmp_path / "few" / "a", 9)
        write_pictures(tmp_path / "few" / "b", 2)
        with pytest.raises(InputError, match=r"few/b: expected at least 3 pictures .* got 2"):
            load(tmp_path / "few", tmp_path)

    def test_unknown_augmentation(self, three_classes: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="unknown augmentation 'wild'"):
            load(three_classes, tmp_path, augmentation="wild")

    def test_cache_folder_that_cannot_be_written(self, three_classes: Path, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file is in the way")
        with pytest.raises(InputError, match="cache cannot be written"):
            load(three_classes, tmp_path)
