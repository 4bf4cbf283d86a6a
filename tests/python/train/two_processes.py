"""Run by torchrun from test_distributed.py: the gradients of one step in every process, a whole short training, and the
same training again from what its file was after three steps.

    torchrun --nproc-per-node 2 two_processes.py OUT SPACE_JSON
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from conftest import make_data

from tinynas.config.space import SpaceConfig
from tinynas.train import TrainConfig, TrainProgress, train_supernet
from tinynas.train.batches import BatchOrder, prepare
from tinynas.train.distributed import joined
from tinynas.train.loop import step_options
from tinynas.train.native import supernet_module

CONFIG = TrainConfig(epochs=1, batch_size=24, calibration_pictures=100, ema_decay=0.9, checkpoint_seconds=1e-6)


def main(out: Path, space: SpaceConfig) -> None:
    def keep(progress: TrainProgress) -> None:
        if progress.step == 4:  # the file is that of step 3: it is written after the report
            shutil.copytree(out / "run", out / "cut")

    native, data, text = supernet_module(), make_data(), space.model_dump_json()
    torch.set_num_threads(1)
    with joined() as world:
        net = native.Supernet(text, seed=1)
        step = native.TrainStep(net, step_options(CONFIG))
        order = BatchOrder(len(data.train), 24, 0, rank=world.rank, world=world.size)
        batch = next(prepare(data.train, order, range(1), lambda _step: 16, 0))
        archs = native.sandwich_archs(text, 16, None, 2, (0, 0, 0))
        step.accumulate(torch.from_numpy(batch.pictures), torch.from_numpy(batch.labels), archs)
        world.average_gradients(net.parameters())
        torch.save({name: value.grad for name, value in net.parameters()}, out / f"gradients{world.rank}.pt")
        torch.save((batch.pictures, batch.labels), out / f"batch{world.rank}.pt", pickle_protocol=4)
        train_supernet(space, None, data, CONFIG, out / "run", keep)
        train_supernet(space, None, data, CONFIG, out / "cut")


if __name__ == "__main__":
    main(Path(sys.argv[1]), SpaceConfig.model_validate_json(sys.argv[2]))
