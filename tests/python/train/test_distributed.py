"""Two processes under torchrun (gloo, CPU) against one process that accumulates the same two half-batches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinynas.config.space import SpaceConfig
from tinynas.errors import InputError
from tinynas.train.checkpoint import load
from tinynas.train.distributed import World

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")

SCRIPT = Path(__file__).with_name("two_processes.py")


@pytest.fixture(scope="module")
def both(space: SpaceConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes leave (two_processes.py)."""
    out = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, str(SCRIPT), str(out), space.model_dump_json()],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out


def test_gradients_equal_those_of_one_process_with_both_half_batches(both: Path, space: SpaceConfig) -> None:
    text = space.model_dump_json()
    net = native.Supernet(text, seed=1)
    step = native.TrainStep(net, native.TrainOptions())
    archs = native.sandwich_archs(text, 16, None, 2, (0, 0, 0))
    seen = []
    for rank in range(2):
        pictures, labels = torch.load(both / f"batch{rank}.pt", weights_only=False)
        step.accumulate(torch.from_numpy(pictures), torch.from_numpy(labels), archs)
        seen.append(pictures)
    assert len(seen[0]) == len(seen[1]) == 12
    assert (seen[0] != seen[1]).any()
    found = [torch.load(both / f"gradients{rank}.pt", weights_only=True) for rank in range(2)]
    top = max(float(value.grad.abs().max()) / 2 for _, value in net.parameters())
    for name, value in net.parameters():
        assert torch.equal(found[0][name], found[1][name]), name
        # Sums in another order: a value within rounding of a corner of ReLU6 may fall on its other side.
        difference = (found[0][name] - value.grad / 2).abs()
        assert float(difference.max()) < 5e-3 * top, name
        assert float(difference.median()) < 1e-5 * top, name


def test_an_interrupted_run_goes_on_to_the_same_weights(both: Path) -> None:
    whole, resumed = load(both / "run/supernet.pt"), load(both / "cut/supernet.pt")
    assert whole.done
    assert whole.pictures == resumed.pictures == whole.step * 24
    assert resumed.seconds != whole.seconds  # it did train
    for one, two in ((whole.parameters, resumed.parameters), (whole.average, resumed.average)):
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_batch_that_cannot_be_dealt_out_is_refused() -> None:
    with pytest.raises(InputError, match="multiple of the 3 processes, got 64"):
        World(rank=1, size=3).check_batch(64)
