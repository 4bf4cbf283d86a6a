"""Subnets measured together against one by one: processor seconds, and whether the accuracies are the same.

    python bench/measure_subnets.py [--space cifar] [--subnets 32] [--calibration 500] [--pictures 500] [--evolved]

Random subnets of one subspace, or (--evolved) mutations of a few of them as a search measures late; pictures are noise.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import tinynas._core as _core
import torch

from tinynas.config.space import load_space
from tinynas.train.native import supernet_module


def draw(space: Any, count: int, evolved: bool) -> list[str]:
    """Archs of the space's largest subspace as JSON."""
    core, rng = space.to_core(), _core.Rng(1)
    subspace = (space.resolutions[-1], space.widths[-1])
    archs = [_core.sample(core, *subspace, rng) for _ in range(4 if evolved else count)]
    while len(archs) < count:
        archs.append(_core.mutate(core, archs[len(archs) % 4], 0.1, rng))
    return [arch.to_json() for arch in archs]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="cifar")
    parser.add_argument("--subnets", type=int, default=32)
    parser.add_argument("--calibration", type=int, default=500)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--evolved", action="store_true")
    options = parser.parse_args()
    native, space = supernet_module(), load_space(options.space, 10)
    net = native.Supernet(space.model_dump_json(), seed=1)
    side = space.resolutions[-1]
    generator = torch.Generator().manual_seed(0)

    def noise(count: int) -> list[Any]:
        shape = (count, side, side, space.input_channels)
        return list(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).split(125))

    calibration, pictures = noise(options.calibration), noise(options.pictures)
    labels = [torch.randint(0, 10, (len(batch),), generator=generator) for batch in pictures]
    archs = draw(space, options.subnets, options.evolved)
    together: dict[int, float] = {}

    def done(index: int, accuracy: float) -> bool:
        together[index] = accuracy
        return True

    began = time.process_time()
    native.measure_subnets(net, archs, calibration, pictures, labels, done)
    middle = time.process_time()
    alone = {}
    for index, arch in enumerate(archs):
        statistics = native.recalibrate(net, arch, calibration)
        right = sum(
            int((net.predict(batch, arch, statistics) == truth).sum())
            for batch, truth in zip(pictures, labels, strict=True)
        )
        alone[index] = right / options.pictures
    ended = time.process_time()
    result = {
        "together_seconds": middle - began,
        "one_by_one_seconds": ended - middle,
        "ratio": (ended - middle) / (middle - began),
        "same": together == alone,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(result))
    return 0 if result["same"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
