"""`load_data`: from what the user names to a DataSet."""

from __future__ import annotations

import os
from pathlib import Path

from tinynas.data.audio.sets import is_fsdd, is_speech_commands, load_fsdd, load_speech_commands
from tinynas.data.base import DataSet
from tinynas.data.cifar import is_cifar, load_cifar
from tinynas.data.folder import FolderOptions, load_folder
from tinynas.data.scenes.bundled import DEFAULT_SIZES, load_scenes
from tinynas.errors import InputError


def load_data(
    source: str | os.PathLike[str],
    options: FolderOptions | None = None,
    scenes_sizes: tuple[int, int, int] = DEFAULT_SIZES,
) -> DataSet:
    """The bundled set ("scenes"), or the data in a folder; its layout is found out from what lies there.

    Layouts: folders of pictures (with or without train/, val/, test/; ImageNet; Visual Wake Words), CIFAR-10's python
    batches, Speech Commands, spoken digits (FSDD). `scenes` lies in the cache at 96x96 whatever `resolution` is.
    Raises InputError naming the path where nothing of the kind is found.
    """
    options = options or FolderOptions()
    name = os.fspath(source)
    if name == "scenes" and not Path(name).is_dir():
        augmentation = "scenes" if options.augmentation == "auto" else options.augmentation
        return load_scenes(scenes_sizes, options.seed, options.cache_dir, augmentation)
    root = Path(name)
    if not root.is_dir():
        raise InputError(f"{name}: expected 'scenes' or a folder, got {'a file' if root.exists() else 'nothing there'}")
    root = root.resolve()
    if is_cifar(root):
        return load_cifar(root, options)
    if is_speech_commands(root):
        return load_speech_commands(root, options)
    if is_fsdd(root):
        return load_fsdd(root, options)
    return load_folder(root, options)
