"""Runs: learning, resuming after a kill, refusing what does not fit, finetuning and baselines."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from tinynas.config.space import SpaceConfig
from tinynas.data.base import DataSet, Split
from tinynas.errors import InputError
from tinynas.train import (
    SupernetEvaluator,
    TrainConfig,
    TrainProgress,
    finetune,
    save_half,
    train_alone,
    train_supernet,
)
from tinynas.train.batches import BatchOrder, Workers, prepare
from tinynas.train.checkpoint import load
from tinynas.train.evaluator import Pictures, accuracy_of
from tinynas.train.recipes import learning_rate
from tinynas.train.seen import mix, seen_pictures

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")

CONFIG = TrainConfig(epochs=4, batch_size=24, finetune_epochs=1, calibration_pictures=100, ema_decay=0.9)


class KilledError(Exception):
    """Stands for the end of the process."""


def same_weights(a: Path, b: Path) -> bool:
    first, second = load(a), load(b)
    return all(
        torch.equal(one[name], two[name])
        for one, two in ((first.parameters, second.parameters), (first.average, second.average))
        for name in one
    )


@pytest.fixture(scope="module")
def trained(space: SpaceConfig, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_supernet(space, (16, 1.0), data, CONFIG, tmp_path_factory.mktemp("trained"))


def test_training_learns_and_subnets_are_measured(trained: Path, space: SpaceConfig, data: DataSet) -> None:
    evaluator = SupernetEvaluator(trained, data)
    archs = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 1, (0, 0, 0))
    accuracies = dict(evaluator.each(archs))
    assert max(accuracies.values()) > 0.8
    assert accuracies == dict(evaluator.each(archs))


def test_subnets_measured_together_have_the_accuracies_of_each_alone(
    trained: Path, space: SpaceConfig, data: DataSet
) -> None:
    evaluator = SupernetEvaluator(trained, data)
    text = space.model_dump_json()
    archs = [a for step in range(8) for a in native.sandwich_archs(text, None, None, 1, (0, 0, step))]
    together = dict(evaluator.each(archs))
    assert len({json.loads(arch)["resolution"] for arch in archs}) == 2
    assert together == {index: evaluator.accuracy(arch) for index, arch in enumerate(archs)}
    assert len(set(together.values())) > 3


def test_mixup_blends_pictures_and_labels_alike() -> None:
    pictures = torch.arange(4, dtype=torch.uint8).mul(60)[:, None, None, None].expand(4, 2, 2, 3)
    labels = torch.arange(4)
    mixed, shares = mix(pictures, labels, 4, 1.0, np.random.default_rng(0))
    again, _ = mix(pictures, labels, 4, 1.0, np.random.default_rng(0))
    assert torch.equal(mixed, again)
    assert torch.allclose(shares.sum(1), torch.ones(4))
    level = (shares * torch.arange(4) * 60).sum(1)  # class i is grey level 60 i, so the shares tell the picture
    assert torch.allclose(mixed[:, 0, 0, 0].float(), level, atol=0.51)
    assert (shares > 0).sum() > 4


def test_training_with_mixup_learns_and_resumes(space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"mixup": 0.2, "checkpoint_seconds": 1e-6})

    def kill(progress: TrainProgress) -> None:
        if progress.step == 13:
            raise KilledError

    whole = train_supernet(space, (16, 1.0), data, config, tmp_path / "whole")
    with pytest.raises(KilledError):
        train_supernet(space, (16, 1.0), data, config, tmp_path / "killed", kill)
    assert same_weights(whole, train_supernet(space, (16, 1.0), data, config, tmp_path / "killed"))
    arch = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 0, (0, 0, 0))[0]
    assert SupernetEvaluator(whole, data).accuracy(arch) > 0.7


def test_a_killed_run_resumes_to_the_same_weights(
    trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update={"checkpoint_seconds": 1e-6})

    def kill(progress: TrainProgress) -> None:
        if progress.step == 13:
            raise KilledError

    with pytest.raises(KilledError):
        train_supernet(space, (16, 1.0), data, config, tmp_path, kill)
    assert load(tmp_path / "supernet.pt").step == 12
    resumed = train_supernet(space, (16, 1.0), data, config, tmp_path)
    assert same_weights(trained, resumed)


def test_a_finished_run_is_not_trained_again(trained: Path, space: SpaceConfig, data: DataSet) -> None:
    before = trained.read_bytes()
    assert train_supernet(space, (16, 1.0), data, CONFIG, trained.parent) == trained
    assert trained.read_bytes() == before


def test_another_runs_checkpoint_is_refused(trained: Path, space: SpaceConfig, data: DataSet) -> None:
    with pytest.raises(InputError, match="subspace"):
        train_supernet(space, (18, 1.0), data, CONFIG, trained.parent)
    with pytest.raises(InputError, match="learning_rate"):
        train_supernet(space, (16, 1.0), data, CONFIG.model_copy(update={"learning_rate": 0.3}), trained.parent)


def test_a_broken_checkpoint_names_the_file(space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "supernet.pt"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"supernet\.pt"):
        train_supernet(space, (16, 1.0), data, CONFIG, tmp_path)
    assert path.read_bytes() == b"nothing of the kind"


def test_data_that_do_not_fit_are_refused(space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3 classes"):
        train_supernet(space.with_classes(7), (16, 1.0), data, CONFIG, tmp_path)
    with pytest.raises(InputError, match="at most 18 pixels"):
        train_supernet(space, (32, 1.0), data, CONFIG, tmp_path)
    assert not list(tmp_path.iterdir())


def test_half_precision_keeps_the_accuracy(trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    save_half(trained, tmp_path / "half.pt")
    arch = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 0, (0, 0, 0))[0]
    full = SupernetEvaluator(trained, data).accuracy(arch)
    assert SupernetEvaluator(tmp_path / "half.pt", data).accuracy(arch) == pytest.approx(full, abs=0.05)
    assert (tmp_path / "half.pt").stat().st_size < 0.3 * trained.stat().st_size


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.pt").write_text("no checkpoint", encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.pt: expected a checkpoint of tinynas") as refusal:
        load(tmp_path / "notes.pt")
    assert "weights_only" not in str(refusal.value)
    with pytest.raises(InputError, match=r"none\.pt: expected a checkpoint of tinynas: No such file"):
        load(tmp_path / "none.pt")


def test_a_longer_training_goes_on_from_published_weights(
    trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path
) -> None:
    save_half(trained, tmp_path / "half.pt")
    config = CONFIG.model_copy(update={"epochs": 1.0, "learning_rate": 1e-6, "weight_decay": 0.0})
    longer = train_supernet(space, (16, 1.0), data, config, tmp_path / "longer", init=tmp_path / "half.pt")
    earlier, now = load(trained), load(longer)
    assert now.pictures == earlier.pictures + config.batch_size * now.step
    for name, weight in earlier.weights.items():
        assert torch.allclose(now.weights[name], weight, atol=2e-3), name
    with pytest.raises(InputError, match="choices differ"):
        train_supernet(space.with_classes(3).up_to_resolution(16), (16, 1.0), data, config, tmp_path, init=trained)


def test_a_wider_supernet_begins_with_a_narrower_one(
    trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path
) -> None:
    wide = space.model_copy(update={"name": "wide", "widths": (*space.widths, 1.5)})
    config = CONFIG.model_copy(update={"epochs": 1.0, "learning_rate": 1e-9, "weight_decay": 0.0})
    checkpoint = train_supernet(wide, (16, 1.5), data, config, tmp_path, init=trained)
    narrow, now = SupernetEvaluator(trained, data), SupernetEvaluator(checkpoint, data)
    for arch in native.sandwich_archs(space.model_dump_json(), 16, 1.0, 2, (0, 0, 0)):
        assert now.accuracy(arch) == pytest.approx(narrow.accuracy(arch), abs=0.01)
    with pytest.raises(InputError, match="choices differ"):
        train_supernet(space, (16, 1.0), data, config, tmp_path / "back.pt", init=checkpoint)


def test_nothing_waits_for_what_stays_on_the_device(space: SpaceConfig) -> None:
    text = space.model_dump_json()
    archs = native.sandwich_archs(text, 16, None, 1, (0, 0, 0))
    images = torch.randint(0, 256, (8, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    nets = [native.Supernet(text, seed=3) for _ in range(2)]
    read, there = (native.TrainStep(net, native.TrainOptions()) for net in nets)
    for rate in (0.1, 0.05):
        read.clear_gradients()
        losses = read.accumulate(images, labels, archs)
        norm = read.apply(rate)
        there.clear_gradients()
        assert there.accumulate_there(images, labels, archs).tolist() == list(losses)
        assert float(there.apply_there(torch.tensor(rate))) == norm
    for (name, one), (_, other) in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, other), name


class _Faded:
    """Pictures that training sees faded, and so does evaluation where `always`."""

    def __init__(self, split: Split, always: bool) -> None:
        self._split, self._always = split, always

    def __len__(self) -> int:
        return len(self._split)

    def batch(
        self, indices: NDArray[np.int64], resolution: int, augment: np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        pictures, labels = self._split.batch(indices, resolution)
        fades = self._always or augment is not None
        return (pictures // 6 + 180).astype(np.uint8) if fades else pictures, labels


@pytest.mark.parametrize("fades", [False, True])
def test_statistics_are_those_that_do_better(fades: bool, space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    arch = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 0, (0, 0, 0))[0]
    faded = replace(data, train=_Faded(data.train, False), val=_Faded(data.val, fades))
    net = train_alone(space, arch, faded, CONFIG, tmp_path / "alone.pt")
    plain = Pictures(faded.train, CONFIG.calibration_pictures, 0, "cpu").full_batches(16)
    seen = seen_pictures(faded, CONFIG, 16, CONFIG.calibration_pictures)
    assert sum(map(len, seen)) >= CONFIG.calibration_pictures
    val = Pictures(faded.val, None, 0, "cpu")
    found = [accuracy_of(net.net, net.alone, native.recalibrate(net.net, net.alone, p), val) for p in (plain, seen)]
    assert found[fades] > found[not fades] + 0.2
    assert net.val_by_statistics == dict(zip(("plain", "seen"), found, strict=True))
    assert net.accuracy() == found[fades]
    assert net.accuracy(faded.val) == found[fades]


def test_finetuning_starts_from_the_supernet(trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    evaluator = SupernetEvaluator(trained, data)
    arch = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 1, (0, 0, 1))[2]
    untrained = finetune(evaluator, arch, data, CONFIG.model_copy(update={"finetune_epochs": 0.0}), tmp_path / "0.pt")
    assert untrained.accuracy() >= evaluator.accuracy(arch) - 0.02
    assert finetune(evaluator, arch, data, CONFIG, tmp_path / "1.pt").accuracy() >= untrained.accuracy() - 0.1


def test_another_run_teaches(trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    evaluator = SupernetEvaluator(trained, data)
    text = space.model_dump_json()
    largest, small = native.sandwich_archs(text, 16, 1.0, 0, (0, 0, 1))
    config = CONFIG.model_copy(update={"finetune_label_share": 0.0, "finetune_epochs": 2.0})
    finetune(evaluator, largest, data, config, tmp_path / "run" / "finetune.pt")
    taught = finetune(evaluator, small, data, config, tmp_path / "taught.pt", teacher=tmp_path / "run")
    default = finetune(evaluator, small, data, config, tmp_path / "default.pt")
    assert taught.accuracy() > 0.6
    assert not same_weights(tmp_path / "taught.pt", tmp_path / "default.pt")
    assert taught.arch == default.arch
    with pytest.raises(InputError, match="expected a finetuned network"):
        finetune(evaluator, small, data, config, tmp_path / "a.pt", teacher=trained)
    at_18 = native.sandwich_archs(text, 18, 1.0, 0, (0, 0, 1))[1]
    with pytest.raises(InputError, match="reads 18 pixels, got 16"):
        finetune(evaluator, at_18, data, config, tmp_path / "b.pt", teacher=tmp_path / "run")


def test_a_finetuning_goes_on_from_another(trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    evaluator = SupernetEvaluator(trained, data)
    largest, small = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 0, (0, 0, 1))
    finetune(evaluator, small, data, CONFIG, tmp_path / "run" / "finetune.pt")
    idle = CONFIG.model_copy(update={"finetune_learning_rate": 1e-9, "weight_decay": 0.0})
    finetune(evaluator, small, data, idle, tmp_path / "on.pt", init=[tmp_path / "run"])
    earlier, now = load(tmp_path / "run" / "finetune.pt"), load(tmp_path / "on.pt")
    assert now.pictures == 2 * earlier.pictures
    for name, weight in earlier.weights.items():
        assert torch.allclose(now.weights[name], weight, atol=1e-5), name
    with pytest.raises(InputError, match="expected a network of the arch"):
        finetune(evaluator, largest, data, CONFIG, tmp_path / "a.pt", init=[tmp_path / "run"])


def test_a_finetuning_starts_from_the_mean_of_others(
    trained: Path, space: SpaceConfig, data: DataSet, tmp_path: Path
) -> None:
    evaluator = SupernetEvaluator(trained, data)
    arch = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 0, (0, 0, 1))[1]
    runs = [tmp_path / "one.pt", tmp_path / "two.pt"]
    for seed, run in enumerate(runs):
        finetune(evaluator, arch, data, CONFIG.model_copy(update={"seed": seed}), run)
    no_steps = CONFIG.model_copy(update={"finetune_epochs": 0.0})
    mean = finetune(evaluator, arch, data, no_steps, tmp_path / "mean.pt", init=runs)
    one, two, kept = (load(file) for file in (*runs, tmp_path / "mean.pt"))
    assert kept.done and kept.pictures == one.pictures
    now = dict(mean.net.parameters())
    for name, weight in one.weights.items():
        assert torch.allclose(kept.weights[name], (weight + two.weights[name]) / 2, atol=1e-6), name
        assert torch.equal(now[name], kept.weights[name]), name
    assert not same_weights(*runs)


def test_a_network_alone_learns(space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    arch = native.sandwich_archs(space.model_dump_json(), 16, 0.5, 0, (0, 0, 0))[1]
    assert train_alone(space, arch, data, CONFIG, tmp_path / "alone.pt").accuracy() > 0.6


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_batches_are_the_same_wherever_one_starts(data: DataSet, kind: Literal["threads", "processes"]) -> None:
    order = BatchOrder(len(data.train), 24, 5)
    whole = list(prepare(data.train, order, range(12), lambda _step: 16, 5, Workers(2, kind)))
    tail = list(prepare(data.train, order, range(7, 12), lambda _step: 16, 5))
    for one, two in zip(whole[7:], tail, strict=True):
        assert np.array_equal(one.pictures, two.pictures)
    seen = np.concatenate([order.indices(step) for step in range(order.steps_per_epoch)])
    assert len(set(seen.tolist())) == len(data.train)


def test_learning_rate_warms_up_and_falls() -> None:
    rates = [learning_rate(CONFIG, step, 100) for step in range(100)]
    assert max(rates) == pytest.approx(CONFIG.learning_rate, rel=0.01)
    assert rates[0] < 0.3 * CONFIG.learning_rate
    assert rates[-1] < 0.01 * CONFIG.learning_rate


def test_tinynas_needs_no_torch_until_it_trains() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import tinynas, tinynas.train\n"
        "from tinynas.train.native import supernet_module\n"
        "try:\n    supernet_module()\nexcept tinynas.CheckError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install torch==" in done.stdout
    assert done.stdout.count("\n") == 1
