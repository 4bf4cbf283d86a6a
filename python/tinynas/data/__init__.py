"""Data sets: the bundled `scenes`, and the user's own pictures and recordings."""

from tinynas.data.base import DataSet, Split
from tinynas.data.folder import FolderOptions
from tinynas.data.loading import load_data

__all__ = ["DataSet", "FolderOptions", "Split", "load_data"]
