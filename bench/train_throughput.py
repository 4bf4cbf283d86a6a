"""Pictures per second of a training step: tinynas against eager PyTorch (channels_last) on the same cores, or GPU.

    python bench/train_throughput.py [--space cifar] [--resolution 32] [--width 1.0] [--batch 64] [--rounds 5]
        [--alone] [--device cpu] [--bf16] [--json]

The step is the sandwich step; with --alone, that of the largest subnet as a network of its own (`search`'s finetuning,
`train --alone`), on a GPU also recorded as a CUDA graph. All start from the same weights, see the same pictures and
train the same subnets, in alternation; the gradients of the first step must agree within rounding (which may move a
value across a corner of ReLU6). --bf16: the eager step, and on a GPU ours too, under PyTorch's autocast to bfloat16;
gradients are not compared then.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import torch
from torch.nn import functional

from tinynas.config.space import load_space
from tinynas.train.native import supernet_module
from tinynas.train.recorded import RecordedStep

Weights = dict[str, torch.Tensor]

RATE = 0.1
"""Learning rate of every step."""
MOST_DIFFERENCE = 1e-2
"""Rounding may move a value across a corner of ReLU6: thousandths of a gradient; an error changes all of it."""


def make_divisible(value: float, divisor: int) -> int:
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class EagerNet:
    """The supernet's forward pass written with PyTorch's functions."""

    def __init__(self, space: dict[str, Any], weights: Weights) -> None:
        self.space = space
        self.weights = weights

    def scaled(self, channels: int, width: float) -> int:
        return make_divisible(channels * width, self.space["divisor"])

    def norm(self, x: torch.Tensor, name: str, clamp: bool) -> torch.Tensor:
        gamma, beta = self.weights[f"{name}.norm.gamma"], self.weights[f"{name}.norm.beta"]
        x = functional.batch_norm(x, None, None, gamma[: x.shape[1]], beta[: x.shape[1]], training=True)
        return functional.relu6(x) if clamp else x

    def pointwise(self, x: torch.Tensor, name: str, out: int, clamp: bool) -> torch.Tensor:
        return self.norm(functional.conv2d(x, self.weights[f"{name}.weight"][:out, : x.shape[1]]), name, clamp)

    def depthwise_weight(self, name: str, kernels: list[int], kernel: int, channels: int) -> torch.Tensor:
        weight = self.weights[f"{name}.weight"][:channels]
        for i in reversed(range(len(kernels) - 1)):
            if kernels[i] < kernel:
                break
            k, border = kernels[i], (kernels[i + 1] - kernels[i]) // 2
            weight = weight[:, :, border : border + k, border : border + k].reshape(channels, k * k)
            weight = (weight @ self.weights[f"{name}.transforms.{i}"].T).view(channels, 1, k, k)
        return weight

    def block(self, x: torch.Tensor, name: str, sizes: tuple[list[int], int, int, int, int]) -> torch.Tensor:
        kernels, kernel, expansion, out, stride = sizes
        mid = x.shape[1] * expansion
        y = self.pointwise(x, f"{name}.expand", mid, True) if expansion != 1 else x
        weight = self.depthwise_weight(f"{name}.depthwise", kernels, kernel, mid)
        y = self.norm(functional.conv2d(y, weight, None, stride, kernel // 2, 1, mid), f"{name}.depthwise", True)
        y = self.pointwise(y, f"{name}.project", out, False)
        return x + y if stride == 1 and x.shape[1] == out else y

    def forward(self, x: torch.Tensor, arch: dict[str, Any]) -> torch.Tensor:
        space, width = self.space, arch["width"]
        stem, first = space["stem"], space["first_block"]
        channels = self.scaled(stem["channels"], width)
        x = functional.conv2d(x, self.weights["stem.weight"][:channels], None, stem["stride"], stem["kernel"] // 2)
        x = self.norm(x, "stem", True)
        sizes = (
            [first["kernel"]],
            first["kernel"],
            first["expansion"],
            self.scaled(first["channels"], width),
            first["stride"],
        )
        x = self.block(x, "first", sizes)
        index = 0
        for s, stage in enumerate(space["stages"]):
            for b in range(arch["depths"][s]):
                choice = arch["kernels"][index + b], arch["expansions"][index + b]
                stride = stage["stride"] if b == 0 else 1
                out = self.scaled(stage["channels"], width)
                x = self.block(x, f"stages.{s}.blocks.{b}", (stage["kernels"], *choice, out, stride))
            index += stage["depths"][-1]
        if space["feature_mix"]:
            x = self.pointwise(x, "feature_mix", self.scaled(space["feature_mix"], width), True)
        x = x.mean((2, 3))
        return functional.linear(x, self.weights["classifier.weight"][:, : x.shape[1]], self.weights["classifier.bias"])


def alpha_loss(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """A surrogate whose gradient is that of the adaptive alpha-divergence (alpha -1 and +1, clip 5)."""
    log_q, log_p = functional.log_softmax(logits, 1), functional.log_softmax(teacher, 1)
    q, p = log_q.detach().exp(), log_p.exp()
    inverse = (q / p).clamp(max=5.0)
    low, high = 0.5 * ((q * inverse).sum(1) - 1), (p * (log_p - log_q.detach())).sum(1)
    weight = torch.where((low > high)[:, None], -q * inverse, torch.minimum(p, 5.0 * q))
    return -(weight * log_q).sum(1).mean()


class EagerStep:
    """One step: largest with labels, the others with its soft labels, clipping, SGD."""

    def __init__(self, net: EagerNet, device: str, bf16: bool) -> None:
        self.net = net
        self.device = device.split(":")[0]
        self.bf16 = bf16
        no_decay = ("gamma", "beta", "bias")
        named = list(net.weights.items())
        exempt = [v for n, v in named if n.endswith(no_decay) or ".transforms." in n]
        decayed = [v for n, v in named if not (n.endswith(no_decay) or ".transforms." in n)]
        self.parameters = [v for _, v in named]
        groups = [{"params": decayed, "weight_decay": 3e-5}, {"params": exempt, "weight_decay": 0.0}]
        self.optimiser = torch.optim.SGD(groups, lr=RATE, momentum=0.9, nesterov=True)

    def logits(self, x: torch.Tensor, arch: str) -> torch.Tensor:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            return self.net.forward(x, json.loads(arch)).float()

    def accumulate(self, images: torch.Tensor, labels: torch.Tensor, archs: list[str]) -> None:
        x = (images.permute(0, 3, 1, 2).float() - 128) / 128
        self.optimiser.zero_grad(set_to_none=False)
        logits = self.logits(x, archs[0])
        functional.cross_entropy(logits, labels, label_smoothing=0.1).backward()
        teacher = logits.detach()
        for arch in archs[1:]:
            alpha_loss(self.logits(x, arch), teacher).backward()

    def apply(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()


def largest_difference(ours: Weights, theirs: Weights) -> float:
    """Largest difference of a gradient, relative to the largest gradient."""
    pairs = [(ours[n].grad, theirs[n].grad) for n in ours if ours[n].grad is not None and theirs[n].grad is not None]
    top = max(float(b.abs().max()) for _, b in pairs)
    return max(float((a - b).abs().max()) for a, b in pairs) / top


def clock(device: str) -> float:
    """Seconds; on a GPU, when it has done what it was given."""
    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter()


class OurStep:
    """TrainStep of tinynas, its kernels launched one by one."""

    def __init__(self, text: str, device: str, bf16: bool) -> None:
        native = supernet_module()
        self.net = native.Supernet(text, seed=1)
        self.net.to(device)
        options = native.TrainOptions()
        options.mixed_precision = bf16
        self.step = native.TrainStep(self.net, options)

    def accumulate(self, images: torch.Tensor, labels: torch.Tensor, archs: list[str]) -> None:
        self.step.clear_gradients()
        self.step.accumulate(images, labels, archs)

    def apply(self) -> None:
        self.step.apply(RATE)


class Recorded:
    """The same step, recorded at the first call: gradients and update are one graph."""

    def __init__(self, ours: OurStep) -> None:
        self.ours = ours
        self.recorded: RecordedStep | None = None

    def accumulate(self, images: torch.Tensor, labels: torch.Tensor, archs: list[str]) -> None:
        if self.recorded is None:
            self.recorded = RecordedStep(self.ours.step, archs, None, images, labels)
        self.recorded(images, labels, RATE)

    def apply(self) -> None:
        """Done by then."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    device, bf16 = options.device, options.bf16
    native = supernet_module()
    text = load_space(options.space, 10).model_dump_json()
    resolution, width = options.resolution, options.width
    if options.alone:
        largest = native.sandwich_archs(text, resolution, width, 0, (0, 0, 0))[0]
        text, alone = native.space_of_arch(text, largest)
    ours = OurStep(text, device, bf16)
    weights = dict(ours.net.parameters())
    theirs = {n: v.detach().clone().requires_grad_() for n, v in weights.items()}
    arms: dict[str, OurStep | Recorded | EagerStep] = {
        "tinynas": ours,
        "eager": EagerStep(EagerNet(json.loads(text), theirs), device, bf16),
    }
    if options.alone and device != "cpu":
        arms["recorded"] = Recorded(OurStep(text, device, bf16))
    torch.manual_seed(0)
    images = torch.randint(0, 256, (options.batch, resolution, resolution, 3), dtype=torch.uint8).to(device)
    labels = torch.randint(0, 10, (options.batch,)).to(device)
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    difference = 0.0
    for i in range(options.rounds + 1):
        archs = [alone] if options.alone else native.sandwich_archs(text, resolution, width, 2, (0, 0, i))
        spent = dict.fromkeys(arms, 0.0)
        for name, arm in arms.items():
            began = clock(device)
            arm.accumulate(images, labels, archs)
            spent[name] += clock(device) - began
        if i == 0:
            difference = largest_difference(weights, theirs)
        for name, arm in arms.items():
            began = clock(device)
            arm.apply()
            spent[name] += clock(device) - began
        if i > 0:
            for name, value in spent.items():
                seconds[name].append(value)
    return {
        "pictures_per_second": {name: options.batch / statistics.median(values) for name, values in seconds.items()},
        "ratio": {
            name: statistics.median(b / a for a, b in zip(values, seconds["eager"], strict=True))
            for name, values in seconds.items()
            if name != "eager"
        },
        "gradient_difference": difference,
        "device": torch.cuda.get_device_name(device) if device != "cpu" else f"{torch.get_num_threads()} threads",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="cifar")
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", action="store_true", help="the largest subnet as a network of its own")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bf16", action="store_true", help="in bfloat16: the eager step, and on a GPU ours too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options)
    if options.json:
        print(json.dumps(result))
    else:
        for name, speed in result["pictures_per_second"].items():
            print(f"{name:9}{speed:8.0f} pictures/s, {result['ratio'].get(name, 1.0):5.2f} times eager")
        print(f"largest difference of a first gradient {result['gradient_difference']:.1e}, {result['device']}")
    return 0 if options.bf16 or result["gradient_difference"] < MOST_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
