"""Firmware: a network built for a microcontroller, linked for its memory map, run in an emulator of its core."""

from tinynas.deploy.pipeline import DeployOptions, deploy

__all__ = ["DeployOptions", "deploy"]
