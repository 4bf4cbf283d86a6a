"""TensorFlow Lite files: int8 networks in and out, to the bit."""

from tinynas.tflite.exporter import save_tflite
from tinynas.tflite.importer import load_tflite

__all__ = ["load_tflite", "save_tflite"]
