"""Pictures per second of the sandwich step: tinynas against eager PyTorch (channels_last) on the same cores, or GPU.

    python bench/train_throughput.py [--space cifar] [--resolution 32] [--width 1.0] [--batch 64] [--rounds 5]
        [--device cpu] [--bf16] [--json]

Both start from the same weights, see the same pictures and train the same subnets, in alternation; the gradients of the
first step must agree within rounding (which may move a value across a corner of ReLU6). --bf16: the eager step, and on
a GPU ours too, under PyTorch's autocast to bfloat16; gradients are not compared then.
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

Weights = dict[str, torch.Tensor]

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
        self.optimiser = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)

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


def measure(options: argparse.Namespace) -> dict[str, Any]:
    device = options.device
    native = supernet_module()
    space = load_space(options.space, 10)
    text = space.model_dump_json()
    net = native.Supernet(text, seed=1)
    net.to(device)
    ours = dict(net.parameters())
    theirs = {n: v.detach().clone().requires_grad_() for n, v in ours.items()}
    step_options = native.TrainOptions()
    step_options.mixed_precision = options.bf16
    step = native.TrainStep(net, step_options)
    eager = EagerStep(EagerNet(space.as_json(), theirs), device, options.bf16)
    torch.manual_seed(0)
    images = torch.randint(0, 256, (options.batch, options.resolution, options.resolution, 3), dtype=torch.uint8)
    labels = torch.randint(0, 10, (options.batch,))
    images, labels = images.to(device), labels.to(device)
    seconds: dict[str, list[float]] = {"tinynas": [], "eager": []}
    difference = 0.0
    for i in range(options.rounds + 1):
        archs = native.sandwich_archs(text, options.resolution, options.width, 2, (0, 0, i))
        began = clock(device)
        step.clear_gradients()
        step.accumulate(images, labels, archs)
        between = clock(device)
        eager.accumulate(images, labels, archs)
        middle = clock(device)
        if i == 0:
            difference = largest_difference(ours, theirs)
        resumed = clock(device)
        step.apply(0.1)
        applied = clock(device)
        eager.apply()
        ended = clock(device)
        if i > 0:
            seconds["tinynas"].append(between - began + applied - resumed)
            seconds["eager"].append(middle - between + ended - applied)
    speed = {name: options.batch / statistics.median(values) for name, values in seconds.items()}
    ratio = statistics.median(b / a for a, b in zip(seconds["tinynas"], seconds["eager"], strict=True))
    return {
        "pictures_per_second": speed,
        "ratio": ratio,
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
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bf16", action="store_true", help="in bfloat16: the eager step, and on a GPU ours too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options)
    if options.json:
        print(json.dumps(result))
    else:
        speed = result["pictures_per_second"]
        print(f"tinynas {speed['tinynas']:.0f} pictures/s, eager {speed['eager']:.0f}, ratio {result['ratio']:.2f}, ")
        print(f"largest difference of a first gradient {result['gradient_difference']:.1e}, {result['device']}")
    return 0 if options.bf16 or result["gradient_difference"] < MOST_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
