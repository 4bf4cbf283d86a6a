import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from tinynas.data import FolderOptions, load_data
from tinynas.errors import InputError

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture
def batches(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for index, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        data = np.random.default_rng(index).integers(0, 256, (40, 3072), dtype=np.uint8)
        content = {b"batch_label": b"x", b"labels": [i % 10 for i in range(40)], b"data": data, b"filenames": []}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    meta = {"label_names": [n.encode() for n in NAMES]}
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": meta["label_names"]}, protocol=2))
    return folder


@pytest.mark.parametrize("inside", [True, False])
def test_python_batches(batches: Path, inside: bool) -> None:
    data = load_data(batches if inside else batches.parent, FolderOptions(val_part=0.25))
    assert data.classes == tuple(NAMES) and data.max_resolution == 32
    assert (len(data.train), len(data.val), len(data.test)) == (150, 50, 40)
    pictures, labels = data.test.batch(np.arange(40), 32)
    raw = np.random.default_rng(5).integers(0, 256, (40, 3072), dtype=np.uint8)
    assert labels.tolist() == [i % 10 for i in range(40)]
    assert pictures[7, 3, 5].tolist() == [raw[7, c * 1024 + 3 * 32 + 5] for c in range(3)]
    _, val_labels = data.val.batch(np.arange(50), 32)
    assert np.bincount(val_labels).tolist() == [5] * 10


def test_seed_moves_val_only(batches: Path) -> None:
    prints = [load_data(batches, FolderOptions(seed=seed)).fingerprint for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_damaged_missing_and_wrong_batches(batches: Path) -> None:
    good = (batches / "data_batch_3").read_bytes()
    (batches / "data_batch_3").write_bytes(good[:1000])
    with pytest.raises(InputError, match=r"data_batch_3: not a CIFAR-10 batch"):
        load_data(batches)
    (batches / "data_batch_3").unlink()
    with pytest.raises(InputError, match=r"data_batch_3: cannot be read"):
        load_data(batches)
    (batches / "data_batch_3").write_bytes(pickle.dumps({b"data": np.zeros((2, 5), np.uint8), b"labels": [0, 1]}))
    with pytest.raises(InputError, match=r"data_batch_3: expected uint8 data \(2, 3072\)"):
        load_data(batches)
    wrong = {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]}
    (batches / "data_batch_3").write_bytes(pickle.dumps(wrong))
    with pytest.raises(InputError, match=r"expected labels 0..9, got 0..10"):
        load_data(batches)


class _Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm-done",)


def test_a_pickle_cannot_run_code(batches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (batches / "data_batch_1").write_bytes(pickle.dumps(_Harmful()))
    with pytest.raises(InputError, match="not allowed in a data file"):
        load_data(batches)
    assert not (tmp_path / "harm-done").exists()
