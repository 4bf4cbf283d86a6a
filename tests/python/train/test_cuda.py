"""Training on a GPU: the same gradients as on the CPU, and runs that end with the same files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinynas.config.space import SpaceConfig
from tinynas.data.base import DataSet
from tinynas.train import SupernetEvaluator, TrainConfig, TrainProgress, finetune, train_supernet
from tinynas.train.checkpoint import load

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

CONFIG = TrainConfig(
    epochs=4, batch_size=24, finetune_epochs=1, calibration_pictures=100, ema_decay=0.9, device="cuda", mixup=0.2
)


def test_gradients_are_those_of_the_cpu(space: SpaceConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    text = space.model_dump_json()
    archs = native.sandwich_archs(text, 18, None, 2, (0, 0, 0))
    images = torch.randint(0, 256, (32, 18, 18, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    labels = torch.randint(0, 3, (32,), generator=torch.Generator().manual_seed(2))
    found, norms = {}, {}
    for device in ("cpu", "cuda"):
        net = native.Supernet(text, seed=3)
        net.to(device)
        step = native.TrainStep(net, native.TrainOptions())
        step.clear_gradients()
        losses = step.accumulate(images.to(device), labels.to(device), archs)
        found[device] = losses, {name: value.grad.cpu().clone() for name, value in net.parameters()}
        norms[device] = step.apply(0.1)
    assert found["cuda"][0] == pytest.approx(found["cpu"][0], rel=1e-4)
    assert norms["cuda"] == pytest.approx(norms["cpu"], rel=1e-2)
    top = max(float(gradient.abs().max()) for gradient in found["cpu"][1].values())
    for name, gradient in found["cpu"][1].items():
        assert float((gradient - found["cuda"][1][name]).abs().max()) < 1e-2 * top, name


def test_a_run_on_the_gpu_serves_the_cpu(space: SpaceConfig, data: DataSet, tmp_path: Path) -> None:
    class KilledError(Exception):
        """Stands for the end of the process."""

    def kill(progress: TrainProgress) -> None:
        if progress.step == 13:
            raise KilledError

    config = CONFIG.model_copy(update={"checkpoint_seconds": 1e-6})
    with pytest.raises(KilledError):
        train_supernet(space, None, data, config, tmp_path, kill)
    checkpoint = train_supernet(space, None, data, config, tmp_path)
    assert load(checkpoint).done
    arch = native.sandwich_archs(space.model_dump_json(), 18, 1.0, 0, (0, 0, 0))[0]
    on_gpu = SupernetEvaluator(checkpoint, data, device="cuda")
    on_cpu = SupernetEvaluator(checkpoint, data)
    assert on_gpu.accuracy(arch) == pytest.approx(on_cpu.accuracy(arch), abs=0.05)
    tuned = finetune(on_gpu, arch, data, CONFIG, tmp_path / "finetune.pt")
    assert tuned.accuracy() > 0.7
    assert json.loads(tuned.extract().to_json())["operators"]
