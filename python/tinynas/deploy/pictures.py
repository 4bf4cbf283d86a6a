"""What a firmware is run on, and what must come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas import _core
from tinynas.deploy.options import DeployOptions
from tinynas.errors import CheckError, InputError
from tinynas.export.cproject import CProject

_NUMPY_TYPES: dict[str, Any] = {"s8": np.int8, "u8": np.uint8, "s16": np.int16, "s32": np.int32, "f32": np.float32}


def pictures_of_run(run: Path, count: int, source: str | None = None) -> tuple[bytes, NDArray[Any]]:
    """`count` validation pictures as the network reads them, and their labels.

    source: a data set as of `tinynas search --data`; None: the one that the run was made for. InputError for a folder
    that does not say so, and for more pictures than there are.
    """
    from tinynas.cli.output import log
    from tinynas.models import load_model
    from tinynas.search.finish import as_int8, pictures_of, resolution_of
    from tinynas.search.inputs import data_of_run, data_options, read_data
    from tinynas.search.run_dir import read_json

    config = run / "config.json"
    if source is None and not config.is_file():
        raise InputError(
            f"--pictures: expected the folder of a run of `tinynas search`, or --data beside any other model, got {run}"
        )
    seed = read_json(config)["seed"] if source is None else 0
    data = data_of_run(run, log) if source is None else read_data(source, data_options(Path("runs/.cache"), seed), log)
    if not 0 < count <= len(data.val):
        raise InputError(f"--pictures: expected 1 to {len(data.val)} (validation, {data.name}), got {count}")
    pictures, labels = pictures_of(data.val, resolution_of(load_model(run)), count, seed)
    return as_int8(pictures).tobytes(), np.asarray(labels)


def read_inputs(project: CProject, options: DeployOptions) -> bytes:
    """The pictures as the firmware reads them: given ones, given files, or one seeded random picture."""
    ends = project.manifest["inputs"]
    if options.pictures:
        return options.pictures
    if not options.input_files:
        rng = np.random.default_rng(options.seed)
        parts = [
            rng.standard_normal(end["bytes"] // 4).astype("<f4").tobytes()
            if end["dtype"] == "f32"
            else rng.integers(0, 256, end["bytes"], dtype=np.uint8).tobytes()
            for end in ends
        ]
        return b"".join(parts)
    if len(options.input_files) != len(ends):
        raise InputError(f"--input: expected {len(ends)} files, one per input, got {len(options.input_files)}")
    contents = []
    for path, end in zip(options.input_files, ends, strict=True):
        if not path.is_file():
            raise InputError(f"--input {path}: no such file")
        data = path.read_bytes()
        if not data or len(data) % end["bytes"] != 0:
            raise InputError(
                f"--input {path}: expected {end['bytes']} bytes of {end['dtype']} a picture, got {len(data)}"
            )
        contents.append((data, end["bytes"]))
    counts = {len(data) // size for data, size in contents}
    if len(counts) != 1:
        raise InputError(f"--input: expected as many pictures in every file, got {sorted(counts)}")
    count = counts.pop()
    return b"".join(data[i * size : (i + 1) * size] for i in range(count) for data, size in contents)


def reference_outputs(graph: _core.Graph, inputs: bytes) -> bytes:
    """What the reference interpreter gives for the pictures, in the form of the firmware's output file."""
    ends = [graph.tensors[i] for i in graph.inputs]
    types = [np.dtype(_NUMPY_TYPES[end.dtype]) for end in ends]
    sizes = [int(np.prod(end.shape)) * dtype.itemsize for end, dtype in zip(ends, types, strict=True)]
    outputs = bytearray()
    for start in range(0, len(inputs), sum(sizes)):
        arrays, at = [], start
        for end, dtype, size in zip(ends, types, sizes, strict=True):
            arrays.append(np.frombuffer(inputs[at : at + size], dtype).reshape(end.shape))
            at += size
        outputs += b"".join(array.tobytes() for array in _core.run(graph, arrays))
    return bytes(outputs)


def check_equal(got: bytes, wanted: bytes, picture_bytes: int, what: str) -> None:
    """CheckError naming the first picture whose outputs differ."""
    if got == wanted:
        return
    places = range(0, max(len(got), len(wanted)), picture_bytes)
    first = next(i for i, at in enumerate(places) if got[at : at + picture_bytes] != wanted[at : at + picture_bytes])
    raise CheckError(f"picture {first}: the outputs differ from those of {what}")
