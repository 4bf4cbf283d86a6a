"""The C++ core's spaces, points and graphs as Python sees them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import tinynas._core as core

from tinynas.config.loader import configs_dir
from tinynas.config.space import load_space
from tinynas.errors import InputError

BUNDLED = sorted(path.stem for path in configs_dir("spaces").glob("*.yaml"))
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "mcunet"


@pytest.mark.parametrize("name", BUNDLED)
def test_the_core_reads_and_writes_every_bundled_space(name: str) -> None:
    config = load_space(name)
    assert json.loads(config.to_core().to_json()) == config.as_json()


def test_mobilenetv2_is_the_published_network() -> None:
    space = load_space("mobilenetv2").to_core()
    graph = core.build_graph(space, core.largest(space, 224, 1.0))
    found = core.statistics(graph)
    assert found.macs == 300_774_272  # torchvision's mobilenet_v2, convolutions and classifier
    assert found.params == 3_504_872
    assert found.act_bytes == 1_505_280


def test_cifar_space_holds_the_small_networks_that_it_is_for() -> None:
    space = load_space("cifar").to_core()
    largest = core.statistics(core.build_graph(space, core.largest(space, 32, 1.0)))
    assert 25e6 < largest.macs < 40e6
    rng = core.Rng(0)
    fitting = 0
    for _ in range(200):
        stats = core.statistics(core.build_graph(space, core.sample(space, 32, 0.75, rng)))
        fitting += stats.macs <= 12.5e6 and stats.params <= 96 * 1024
    assert fitting >= 10


def test_points_compare_hash_and_pickle() -> None:
    space = load_space("scenes").to_core()
    a, b = (core.sample(space, 64, 0.5, core.Rng(3)) for _ in range(2))
    assert a == b
    assert hash(a) == hash(b)
    assert pickle.loads(pickle.dumps(a)) == a
    assert core.Arch.from_json(a.to_json()) == a
    assert len(a.kernels) == len(a.expansions) == 9
    assert space.contains(a)


def test_mutation_and_crossover() -> None:
    space = load_space("scenes").to_core()
    rng = core.Rng(1)
    a, b = core.smallest(space, 48, 0.5), core.largest(space, 96, 1.0)
    assert core.mutate(space, a, 0.0, rng) == a
    child = core.crossover(space, a, b, rng)
    assert child.resolution == 48
    assert all(k in (x, y) for k, x, y in zip(child.kernels, a.kernels, b.kernels, strict=True))


def test_points_of_another_space_are_refused() -> None:
    space, other = load_space("scenes").to_core(), load_space("cifar").to_core()
    arch = core.largest(other, 32, 1.0)
    with pytest.raises(InputError, match=r"arch\.depths"):
        core.build_graph(space, arch)
    with pytest.raises(InputError):
        core.Arch.from_json('{"resolution": 32}')
    with pytest.raises(InputError):
        core.SearchSpace.from_json("[")


def test_own_and_published_files_are_imported() -> None:
    config = load_space("scenes")
    space = config.to_core()
    arch = core.largest(space, 96, 1.0)
    text = json.dumps({"space": config.as_json(), "arch": json.loads(arch.to_json())})
    assert core.statistics(core.import_architecture(text)).macs == core.statistics(core.build_graph(space, arch)).macs
    path = SHARED / "mcunet-320kb-1mb_imagenet.json"
    if not path.exists():
        pytest.skip(f"no {path}")
    stats = core.statistics(core.import_architecture(path.read_text()))
    assert (stats.macs, stats.params, stats.act_bytes) == (81_785_520, 737_408, 340_736)
