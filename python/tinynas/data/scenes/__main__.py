"""Draws ranges of pictures: `python -m tinynas.data.scenes SEED,SPLIT,START,STOP,FILE ...` (used by load_scenes)."""

import sys

import numpy as np

from tinynas.data.scenes.bundled import draw_range

for argument in sys.argv[1:]:
    seed, split, start, stop, file = argument.split(",", 4)
    np.save(file, draw_range(int(seed), int(split), int(start), int(stop)))
