"""Quantisation-aware training: LSQ's gradients, what is simulated against what is exported, resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tinynas._core as _core

from tinynas.config.space import SpaceConfig
from tinynas.data.base import DataSet
from tinynas.errors import InputError
from tinynas.search.finish import quantise
from tinynas.train import TrainConfig, TrainProgress, train_alone
from tinynas.train.qat import quantisation_aware

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")

CONFIG = TrainConfig(epochs=6, batch_size=24, calibration_pictures=100, qat_epochs=2, qat_learning_rate=0.003)


@pytest.fixture(scope="module")
def float_graph(space: SpaceConfig, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> _core.Graph:
    arch = native.sandwich_archs(space.model_dump_json(), 16, 1.0, 0, (0, 0, 0))[1]
    return train_alone(space, json.loads(arch), data, CONFIG, tmp_path_factory.mktemp("alone") / "net.pt").extract()


def pictures(data: DataSet, count: int = 60) -> Any:
    return data.val.batch(np.arange(count), 16)


def test_gradients_are_those_of_the_paper() -> None:
    """Esser et al., equation 3: by the step -v/s + round(v/s) inside, the end outside; by v 1 inside, 0 outside."""
    v = torch.tensor([-9.0, -0.7, 0.2, 1.3, 2.6, 40.0], requires_grad=True)
    step = torch.tensor([0.5], requires_grad=True)
    out = native.quantize_lsq(v, step, -8.0, 7.0, 0.25)
    assert out.tolist() == [-4.0, -0.5, 0.0, 1.5, 2.5, 3.5]
    out.sum().backward()
    assert v.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    inside = sum(round(x / 0.5) - x / 0.5 for x in (-0.7, 0.2, 1.3, 2.6))
    assert step.grad.item() == pytest.approx(0.25 * (-8 + inside + 7), abs=1e-5)


@pytest.mark.parametrize("form", ["w8a8", "w4a8", "w4a4"])
def test_the_exported_network_computes_what_was_simulated(form: str, float_graph: _core.Graph, data: DataSet) -> None:
    net = native.QatNet(float_graph.to_json(), _core.uniform_formats(float_graph, form))
    images, _ = pictures(data)
    net.initialise(torch.from_numpy(images))
    graph = _core.Graph.from_json(net.to_graph())
    simulated = net.logits(torch.from_numpy(images)).numpy()
    integers = _core.run_batch(graph, [(images.astype(np.int16) - 128).astype(np.int8)])[0]
    scale = graph.tensors[graph.outputs[0]].scale[0]
    difference = np.abs(integers.reshape(simulated.shape) * scale - simulated) / scale
    # Ties and the pool's rounding alone differ: a step, of 4-bit maps often two, seldom carried on to a few.
    assert np.mean(difference < (2.5 if form == "w4a4" else 1.5)) > 0.97, difference.max()


def test_steps_start_as_in_the_paper(float_graph: _core.Graph, data: DataSet) -> None:
    net = native.QatNet(float_graph.to_json(), _core.uniform_formats(float_graph, "w4a4"))
    net.initialise(torch.from_numpy(pictures(data)[0]))
    values = dict(net.parameters())
    name = next(n for n in values if n.endswith("expand.weight"))
    expected = 2 * values[name].detach().abs().flatten(1).mean(1) / 7**0.5
    assert torch.allclose(values[f"{name}_step"].detach(), expected)


@pytest.mark.parametrize("form", ["w8a8", "w4a8", "w4a4"])
def test_training_starts_from_what_quantisation_made(form: str, float_graph: _core.Graph, data: DataSet) -> None:
    formats = _core.uniform_formats(float_graph, form)
    quantised = quantise(float_graph, data, 0, formats)
    net = native.QatNet(float_graph.to_json(), formats)
    net.start_from(quantised.to_json())
    images, labels = data.val.batch(np.arange(len(data.val)), 16)
    simulated = net.logits(torch.from_numpy(images)).numpy()
    levels = _core.run_batch(quantised, [(images.astype(np.int16) - 128).astype(np.int8)])[0].reshape(simulated.shape)
    output = quantised.tensors[quantised.outputs[0]]
    difference = np.abs((levels - float(output.zero_point[0])) - simulated / output.scale[0])
    assert np.mean(difference < (2.5 if form == "w4a4" else 1.5)) > 0.97, difference.max()
    right, right_simulated = levels.argmax(1) == labels, simulated.argmax(1) == labels
    assert abs(right.mean() - right_simulated.mean()) <= 0.02
    again = _core.Graph.from_json(net.to_graph())
    assert [t.scale for t in again.tensors if not t.constant] == [t.scale for t in quantised.tensors if not t.constant]
    assert [t.zero_point for t in again.tensors] == [t.zero_point for t in quantised.tensors]
    weights = [op.inputs[1] for op in again.operators if op.kind == "conv2d"]
    for tensor in weights:
        assert np.array_equal(again.tensors[tensor].array(), quantised.tensors[tensor].array())


def test_a_start_of_another_network_is_refused(float_graph: _core.Graph, data: DataSet) -> None:
    net = native.QatNet(float_graph.to_json(), _core.uniform_formats(float_graph, "w4a8"))
    with pytest.raises(InputError, match="bits"):
        net.start_from(quantise(float_graph, data, 0, _core.uniform_formats(float_graph, "w4a4")).to_json())


@pytest.mark.parametrize("first_steps", ["ptq", "lsq"])
def test_training_wins_back_what_rounding_lost(
    first_steps: str, float_graph: _core.Graph, data: DataSet, tmp_path: Path
) -> None:
    formats = _core.uniform_formats(float_graph, "w4a4")
    images, _ = pictures(data)
    quantised = quantise(float_graph, data, 0, formats) if first_steps == "ptq" else None
    start = native.QatNet(float_graph.to_json(), formats)
    start.initialise(torch.from_numpy(images)) if quantised is None else start.start_from(quantised.to_json())
    teacher = start.logits(torch.from_numpy(images), quantised=False).numpy()

    def distance(graph: _core.Graph) -> float:
        out = _core.run_batch(graph, [(images.astype(np.int16) - 128).astype(np.int8)])[0]
        output = graph.tensors[graph.outputs[0]]
        real = (out.reshape(teacher.shape) - float(output.zero_point[0])) * output.scale[0]
        return float(np.abs(real - teacher).mean())

    trained = quantisation_aware(float_graph, formats, data, CONFIG, tmp_path / "qat.pt", start=quantised)
    assert distance(trained) < distance(_core.Graph.from_json(start.to_graph()))
    assert {t.dtype for t in trained.tensors} >= {"s4", "s8", "s32"}


def test_a_killed_training_goes_on_to_the_same_network(float_graph: _core.Graph, data: DataSet, tmp_path: Path) -> None:
    formats = _core.uniform_formats(float_graph, "w4a8")
    whole = quantisation_aware(float_graph, formats, data, CONFIG, tmp_path / "whole.pt")

    class KilledError(Exception):
        pass

    def kill(progress: TrainProgress) -> None:
        if progress.step == 11:
            raise KilledError

    often = CONFIG.model_copy(update={"checkpoint_seconds": 1e-6})
    with pytest.raises(KilledError):
        quantisation_aware(float_graph, formats, data, often, tmp_path / "killed.pt", kill)
    again = quantisation_aware(float_graph, formats, data, CONFIG, tmp_path / "killed.pt")
    assert again.to_json() == whole.to_json()
    with pytest.raises(InputError, match="another run"):
        quantisation_aware(
            float_graph, _core.uniform_formats(float_graph, "w4a4"), data, CONFIG, tmp_path / "killed.pt"
        )


def test_what_cannot_be_trained_is_named(float_graph: _core.Graph) -> None:
    with pytest.raises(InputError, match="w2a2"):
        native.QatNet(float_graph.to_json(), ["w2a2"] * len(float_graph.operators))
    with pytest.raises(InputError, match="one format per operator"):
        native.QatNet(float_graph.to_json(), ["w4a8"])
