"""Firmware: a network built for a microcontroller, linked for its memory map, run in an emulator of its core."""

from tinynas.deploy.options import DeployOptions
from tinynas.deploy.pipeline import deploy

__all__ = ["DeployOptions", "deploy"]
