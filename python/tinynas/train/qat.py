"""Quantisation-aware training of one network: learned step sizes (LSQ), distilled from the float network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynas.config.train import TrainConfig
from tinynas.data.base import DataSet
from tinynas.train.checkpoint import Checkpoint, copy_tensors, load
from tinynas.train.loop import Run, step_options
from tinynas.train.native import supernet_module
from tinynas.train.progress import ProgressCallback

if TYPE_CHECKING:
    import tinynas._core as _core

LABEL_SHARE = 0.3
"""Of the label loss; the rest is learned from the float network."""
_FIRST_BATCH = 256
"""Training pictures from which the activations' first steps are taken."""


class _QatRun(Run):
    """A run whose network is a float graph with quantisers."""

    _recordable = False

    def _make_step(self) -> Any:
        options = step_options(self._config)
        options.label_share = LABEL_SHARE
        return supernet_module().QatStep(self._net, options)


def quantisation_aware(
    graph: _core.Graph,
    formats: Sequence[str],
    data: DataSet,
    config: TrainConfig,
    out: Path,
    progress: ProgressCallback | None = None,
    start: _core.Graph | None = None,
) -> _core.Graph:
    """The integer graph of a float one (BatchNorms folded), trained for `qat_epochs` with its quantisers in place.

    formats: w8a8, w4a8 or w4a4 per operator. start: what post-training quantisation made of the same graph in these
    formats, from whose scales the steps are trained on; None: from LSQ's initial ones. Resumable through `out` (a .pt
    file), to the same result. InputError where `out` belongs to another network, other formats or other settings.
    """
    import torch

    import tinynas._core as _core

    native = supernet_module()
    text = graph.to_json()
    side = int(graph.tensors[graph.inputs[0]].shape[1])
    net, teacher = native.QatNet(text, list(formats)), native.QatNet(text, list(formats))
    if start is None:
        drawn = np.random.default_rng(config.seed).permutation(len(data.train))[:_FIRST_BATCH]
        net.initialise(torch.from_numpy(data.train.batch(np.sort(drawn), side)[0]))
    else:
        net.start_from(start.to_json())
    config = config.model_copy(
        update={
            "epochs": config.qat_epochs,
            "minutes": None,
            "learning_rate": config.qat_learning_rate,
            "ema_decay": 0.0,
            "label_smoothing": 0.0,
        }
    )
    # What stands for the arch: the network, its formats and first steps, by which a checkpoint is told from another's.
    first = "" if start is None else start.to_json()
    digest = hashlib.sha256((text + ",".join(formats) + first).encode()).hexdigest()
    arch = json.dumps({"resolution": side, "graph": digest})
    start = Checkpoint(space="", config=config.model_dump(mode="json"), total_steps=0, data=data.fingerprint, arch=arch)
    run = _QatRun(net, config, data, out)
    teacher.to(config.device)
    run.train(start, lambda _order, _step: [arch], progress, lambda images: teacher.logits(images, quantised=False))
    copy_tensors(load(out).parameters, dict(net.parameters()), out)
    net.to("cpu")
    return _core.Graph.from_json(net.to_graph())
