"""Prints the packages that work in the checkout needs: pyproject.toml's dependencies and all of its extras."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
requirements = list(project["dependencies"])
for packages in project["optional-dependencies"].values():
    requirements += packages
print("\n".join(requirements))
