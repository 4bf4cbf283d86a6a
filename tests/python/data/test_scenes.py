from pathlib import Path

import numpy as np
import pytest

from tinynas.data.scenes.bundled import draw_range, load_scenes
from tinynas.data.scenes.figure import build_body, draw_person, sample_pose
from tinynas.data.scenes.paint import Canvas
from tinynas.data.scenes.scene import SIZE, draw_scene
from tinynas.errors import InputError


def test_a_picture_depends_on_seed_split_and_index_only() -> None:
    first, label = draw_scene(3, 0, 17)
    draw_scene(3, 0, 18)
    again, again_label = draw_scene(3, 0, 17)
    assert first.shape == (SIZE, SIZE, 3) and first.dtype == np.uint8
    assert label == again_label == 1
    np.testing.assert_array_equal(first, again)
    for other in ((4, 0, 17), (3, 1, 17), (3, 0, 19)):
        assert np.abs(first.astype(int) - draw_scene(*other)[0]).mean() > 5


def test_processes_draw_what_one_process_draws(tmp_path: Path) -> None:
    sizes = (230, 12, 14)
    alone = load_scenes(sizes, seed=5, cache_dir=tmp_path / "a", workers=1)
    together = load_scenes(sizes, seed=5, cache_dir=tmp_path / "b", workers=2)
    assert alone.fingerprint == together.fingerprint
    pictures, labels = together.train.batch(np.arange(220, 230), SIZE)
    np.testing.assert_array_equal(pictures, draw_range(5, 0, 220, 230))
    np.testing.assert_array_equal(labels, np.arange(220, 230) % 2)


def test_splits_are_balanced_disjoint_and_said_to_be_synthetic(tmp_path: Path) -> None:
    data = load_scenes((40, 20, 30), cache_dir=tmp_path, workers=1)
    assert data.synthetic and "synthetic" in data.notes[0]
    assert data.classes == ("no person", "person") and data.max_resolution == SIZE
    seen: set[bytes] = set()
    for split, size in ((data.train, 40), (data.val, 20), (data.test, 30)):
        pictures, labels = split.batch(np.arange(len(split)), SIZE)
        assert len(split) == size and labels.sum() * 2 == size
        seen.update(picture.tobytes() for picture in pictures)
    assert len(seen) == 90


def test_the_second_call_reads_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_scenes((6, 4, 4), cache_dir=tmp_path, workers=1)
    monkeypatch.setattr("tinynas.data.scenes.bundled._draw_all", lambda *_: pytest.fail("drawn again"))
    second = load_scenes((6, 4, 4), cache_dir=tmp_path, workers=1)
    assert first.fingerprint == second.fingerprint


def test_another_seed_is_another_set(tmp_path: Path) -> None:
    prints = {load_scenes((4, 4, 4), seed=seed, cache_dir=tmp_path, workers=1).fingerprint for seed in (0, 1, 2)}
    assert len(prints) == 3


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 2 pictures"):
        load_scenes((4, 0, 4), cache_dir=tmp_path)


def test_the_classes_do_not_differ_in_simple_statistics() -> None:
    """Mean, contrast and colour alone must not tell a person from none: a threshold on them stays near chance."""
    pictures = draw_range(11, 0, 0, 240).astype(np.float64)
    labels = np.arange(240) % 2
    for feature in (
        pictures.mean(axis=(1, 2, 3)),
        pictures.std(axis=(1, 2, 3)),
        np.ptp(pictures.mean(axis=(1, 2)), axis=1),
    ):
        order = np.argsort(feature)
        hits = np.cumsum(labels[order] * 2 - 1)
        assert np.abs(hits).max() / 240 < 0.1  # a threshold's accuracy is 0.5 + this


def test_a_person_is_as_tall_as_asked_and_every_pose_can_be_drawn() -> None:
    poses = set()
    for seed in range(120):
        rng = np.random.default_rng(seed)
        poses.add(sample_pose(np.random.default_rng(seed))[0])
        canvas = Canvas(2 * SIZE)
        left, top, right, bottom = draw_person(canvas, rng, 0.5, 0.95, 0.5)
        assert bottom - top <= 0.51 and right - left < 0.75
        rows = np.flatnonzero(np.asarray(canvas.image).sum(axis=(1, 2)))
        assert abs(rows[0] / (2 * SIZE) - top) < 0.08 and rows[-1] / (2 * SIZE) < bottom + 0.05
    assert len(poses) == 8


def test_feet_are_below_the_head_unless_lying() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        name, pose = sample_pose(rng)
        joints = build_body(rng, pose).joints
        if name in {"stand", "walk", "reach", "sit"}:
            assert joints["head"][1] < joints["hip"][1] < max(joints["ankle_left"][1], joints["ankle_right"][1])
