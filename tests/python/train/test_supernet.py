"""The C++ network: fused kernels against PyTorch, losses against autograd, extraction against the supernet."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tinynas.config.space import SpaceConfig
from tinynas.errors import InputError

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")


def random_net(space: SpaceConfig, seed: int = 3) -> Any:
    """A network none of whose parameters has its initial value (kernel transforms, norms)."""
    net = native.Supernet(space.model_dump_json(), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.parameters():
            noise = torch.randn(value.shape, generator=generator)
            if name.endswith("gamma"):
                value.copy_(1 + 0.2 * noise)
            elif name.endswith(("beta", "bias")) or ".transforms." in name:
                value.add_(0.1 * noise)
    return net


def archs_of(space: SpaceConfig, resolution: int, count: int = 3, epoch: int = 0) -> list[str]:
    archs: list[str] = native.sandwich_archs(space.model_dump_json(), resolution, None, count, (5, epoch, 0))
    return archs


def gradients(net: Any, x: Any, arch: str, seed: Any, fused: bool) -> tuple[Any, dict[str, Any]]:
    for _, value in net.parameters():
        value.grad = None
    logits = net.forward(x, arch, fused=fused)
    logits.backward(seed)
    return logits.detach(), {name: value.grad.clone() for name, value in net.parameters() if value.grad is not None}


@pytest.mark.parametrize("resolution", [16, 18])
@pytest.mark.parametrize("which", range(5))
def test_fused_kernels_agree_with_pytorch(space: SpaceConfig, resolution: int, which: int) -> None:
    net = random_net(space)
    x = torch.randn(4, 3, resolution, resolution, generator=torch.Generator().manual_seed(1))
    x = x.contiguous(memory_format=torch.channels_last)
    seed = torch.randn(4, 3, generator=torch.Generator().manual_seed(2))
    arch = archs_of(space, resolution)[which]
    expected, expected_gradients = gradients(net, x, arch, seed, fused=False)
    logits, found = gradients(net, x, arch, seed, fused=True)
    assert torch.allclose(logits, expected, atol=1e-5)
    assert found.keys() == expected_gradients.keys()
    top = max(float(g.abs().max()) for g in expected_gradients.values())
    for name, gradient in found.items():
        # A value within rounding of a corner of ReLU6 may fall on its other side: a few thousandths of a gradient.
        assert float((gradient - expected_gradients[name]).abs().max()) < 5e-3 * top, name
        assert float((gradient - expected_gradients[name]).abs().median()) < 1e-4 * top, name


def test_weights_outside_the_subnet_get_no_gradient(space: SpaceConfig) -> None:
    net = random_net(space)
    smallest = archs_of(space, 16)[1]
    _, found = gradients(net, torch.randn(4, 3, 16, 16), smallest, torch.ones(4, 3), fused=True)
    assert not any(name.startswith("stages.0.blocks.1.") for name in found)
    assert float(found["stem.weight"][8:].abs().max()) == 0.0
    assert float(found["stem.weight"][:8].abs().max()) > 0.0


def test_kernel_transforms_start_as_the_centre_crop(space: SpaceConfig) -> None:
    text = space.model_dump_json()
    with_transforms = native.Supernet(text, seed=7)
    crop = native.Supernet(text, kernel_transforms=False, seed=7)
    x = torch.randn(4, 3, 16, 16)
    for arch in archs_of(space, 16):
        assert torch.allclose(with_transforms.forward(x, arch), crop.forward(x, arch), atol=1e-5)


def test_label_loss_is_cross_entropy() -> None:
    logits = torch.randn(8, 5, requires_grad=True)
    labels = torch.arange(8) % 5
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    (gradient,) = torch.autograd.grad(expected, logits)
    loss, found = native.label_loss(logits, labels, 0.1)
    assert float(loss) == pytest.approx(float(expected.detach()), abs=1e-6)
    assert torch.allclose(found, gradient, atol=1e-7)


def test_label_loss_takes_shares_of_classes() -> None:
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    shares = torch.rand(6, 5, generator=torch.Generator().manual_seed(2))
    shares = shares / shares.sum(1, keepdim=True)
    expected = torch.nn.functional.cross_entropy(logits, shares, label_smoothing=0.1)
    expected.backward()
    loss, found = native.label_loss(logits, shares, 0.1)
    assert torch.allclose(loss, expected)
    assert torch.allclose(found, logits.grad, atol=1e-6)


@pytest.mark.parametrize("alpha", [-1.0, 0.5, 1.0])
def test_alpha_divergence_gradient(alpha: float) -> None:
    logits = torch.randn(8, 5, dtype=torch.double, requires_grad=True)
    teacher = torch.randn(8, 5, dtype=torch.double)
    q, p = torch.softmax(logits, 1), torch.softmax(teacher, 1)
    if alpha == 1.0:
        divergence = (p * (p / q).log()).sum(1)
    else:
        divergence = ((q * (p / q) ** alpha).sum(1) - 1) / (alpha * (alpha - 1))
    (gradient,) = torch.autograd.grad(divergence.mean(), logits)
    loss, found = native.alpha_divergence(logits, teacher, alpha, alpha, 1e9)
    assert float(loss) == pytest.approx(float(divergence.detach().mean()), rel=1e-5)
    assert torch.allclose(found.double(), gradient, atol=1e-6)


def test_alpha_divergence_is_bounded_for_a_student_that_is_far_off() -> None:
    teacher = torch.tensor([[40.0, 0.0, 0.0]])
    _, gradient = native.alpha_divergence(torch.tensor([[0.0, 40.0, 0.0]]), teacher)
    assert torch.isfinite(gradient).all()
    assert float(gradient.abs().max()) <= 5.0


def test_archs_depend_on_seed_epoch_and_step_alone(space: SpaceConfig) -> None:
    text = space.model_dump_json()
    first = native.sandwich_archs(text, None, None, 2, (1, 2, 3))
    assert first == native.sandwich_archs(text, None, None, 2, (1, 2, 3))
    assert len({tuple(native.sandwich_archs(text, None, None, 2, (1, 2, step))) for step in range(8)}) > 4
    assert len({json.loads(arch)["resolution"] for arch in first}) == 1


def test_recalibrated_statistics_reproduce_the_batch(space: SpaceConfig) -> None:
    net = random_net(space)
    images = torch.randint(0, 256, (32, 16, 16, 3), dtype=torch.uint8)
    x = (images.permute(0, 3, 1, 2).float() - 128) / 128
    for arch in archs_of(space, 16):
        statistics = native.recalibrate(net, arch, [images])
        expected = net.forward(x, arch, fused=False)
        assert torch.allclose(net.logits(images, arch, statistics), expected, atol=1e-4)


def test_extracted_graph_computes_what_the_supernet_does(space: SpaceConfig) -> None:
    core = pytest.importorskip("tinynas._core")
    net = random_net(space)
    images = torch.randint(0, 256, (3, 18, 18, 3), dtype=torch.uint8)
    for arch in archs_of(space, 18):
        statistics = native.recalibrate(net, arch, [torch.randint(0, 256, (32, 18, 18, 3), dtype=torch.uint8)])
        graph = core.Graph.from_json(native.extract_graph(net, arch, statistics))
        expected = net.logits(images, arch, statistics).numpy()
        alone = native.extract_net(net, arch)
        alone_space, alone_arch = native.space_of_arch(space.model_dump_json(), arch)
        assert alone.space == native.Supernet(alone_space).space
        again = native.recalibrate(alone, alone_arch, [images])
        assert native.fill_graph(space.model_dump_json(), arch, alone, again)
        for picture, logits in zip(images.numpy(), expected, strict=True):
            value = (picture.astype(np.float32) - 128) / 128
            found = core.run(graph, [value[None]])[0]
            assert np.abs(found - logits).max() < 1e-5


def test_an_arch_of_another_space_is_refused(space: SpaceConfig) -> None:
    net = random_net(space)
    arch = json.loads(archs_of(space, 16)[0])
    for key, value in (("width", 2.0), ("expansions", [9] * 4), ("kernels", [9] * 4), ("depths", [1])):
        with pytest.raises(InputError):
            net.forward(torch.randn(2, 3, 16, 16), json.dumps(arch | {key: value}))
