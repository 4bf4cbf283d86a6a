"""Channel sorting: the largest network computes the same, small ones keep the channels that matter."""

from __future__ import annotations

from typing import Any

import pytest
from test_supernet import archs_of, random_net

from tinynas.config.space import SpaceConfig

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")


def logits(net: Any, arch: str) -> Any:
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return net.forward(x, arch)


def project_strength(net: Any, block: str) -> Any:
    return dict(net.parameters())[f"{block}.project.weight"].detach().abs().sum((0, 2, 3))


@pytest.mark.parametrize("outer", [False, True])
def test_the_largest_network_computes_the_same(space: SpaceConfig, outer: bool) -> None:
    net = random_net(space)
    largest, smallest = archs_of(space, 16)[:2]
    before, small = logits(net, largest), logits(net, smallest)
    native.sort_channels(net, outer)
    assert torch.allclose(logits(net, largest), before, atol=1e-4)
    assert not torch.allclose(logits(net, smallest), small, atol=1e-2)


def test_mid_channels_fall_in_importance(space: SpaceConfig) -> None:
    net = random_net(space)
    block = "stages.1.blocks.0"
    assert (project_strength(net, block).diff() > 0).any()
    native.sort_channels(net, False)
    assert (project_strength(net, block).diff() <= 0).all()


def test_a_residual_group_shares_one_order(space: SpaceConfig) -> None:
    """Marks one channel of stage 0 as the one that all who read it read most: it moves to the front everywhere."""
    net = random_net(space)
    marked = dict(net.parameters())
    readers = ["stages.0.blocks.1.expand.weight", "stages.1.blocks.0.expand.weight"]
    writers = ["stages.0.blocks.0.project", "stages.0.blocks.1.project"]
    with torch.no_grad():
        for name in readers:
            marked[name][:, 5] += 100.0
        for name in writers:
            marked[f"{name}.norm.beta"][5] = 77.0
    native.sort_channels(net, True)
    for name in readers:
        assert (marked[name][:, 0].mean() > 50.0).all()
    for name in writers:
        assert float(marked[f"{name}.norm.beta"][0]) == 77.0


def test_momentum_and_average_follow_the_weights(space: SpaceConfig) -> None:
    net = random_net(space)
    options = native.TrainOptions()
    options.ema_decay = 0.9
    step = native.TrainStep(net, options)
    names = [name for name, _ in net.parameters()]
    at = names.index("stages.0.blocks.0.depthwise.weight")
    tag = torch.arange(len(step.momentum[at]), dtype=torch.float32).view(-1, 1, 1, 1)
    with torch.no_grad():
        for values in ([value for _, value in net.parameters()], step.momentum, step.average):
            values[at].copy_(tag.expand_as(values[at]))
    step.sort_channels(False)
    order = dict(net.parameters())[names[at]][:, 0, 0, 0]
    assert not torch.equal(order, tag.flatten())
    assert torch.equal(step.momentum[at][:, 0, 0, 0], order)
    assert torch.equal(step.average[at][:, 0, 0, 0], order)
