"""Published winners: their folders hold the trained weights that `search --init` and `--teacher` go on from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinynas.train.alone import load_finetuned
from tinynas.train.checkpoint import copy_tensors

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")

WINNERS = sorted(path.parent for path in (Path(__file__).resolve().parents[3] / "models").glob("*/arch.json"))


@pytest.mark.parametrize("model", WINNERS, ids=lambda path: path.name)
def test_the_weights_are_those_of_the_published_arch(model: Path) -> None:
    file, state = load_finetuned(model)
    point = json.loads((model / "arch.json").read_text(encoding="utf-8"))
    assert json.loads(state.arch or "") == point["arch"]
    space, arch = native.space_of_arch(json.dumps(point["space"]), json.dumps(point["arch"]))
    assert json.loads(state.space) == json.loads(space)
    net = native.Supernet(state.space)
    copy_tensors(state.weights, dict(net.parameters()), file)
    side, channels = point["arch"]["resolution"], point["space"]["input_channels"]
    pictures = torch.randint(0, 256, (8, side, side, channels), dtype=torch.uint8)
    logits = net.logits(pictures, arch, native.recalibrate(net, arch, [pictures]))
    assert logits.shape == (8, point["space"]["classes"])
    assert bool(logits.isfinite().all())
