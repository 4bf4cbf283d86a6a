"""The bundled synthetic data set: person or no person in drawn pictures."""

from tinynas.data.scenes.bundled import load_scenes
from tinynas.data.scenes.scene import draw_scene

__all__ = ["draw_scene", "load_scenes"]
