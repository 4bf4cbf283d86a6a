"""Reading YAML files into frozen, validated pydantic models; errors name file, key and the nearest known key."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tinynas.errors import InputError


class Config(BaseModel):
    """Base of all configuration models: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=BaseModel)


def configs_dir(kind: str) -> Path:
    """The folder of one kind of configs ("spaces", "targets", "train", "search"), of the checkout or of the package."""
    packaged = Path(__file__).resolve().parent.parent / "configs" / kind
    checkout = Path(__file__).resolve().parents[3] / "configs" / kind
    return packaged if packaged.is_dir() else checkout


def find_config(kind: str, name: str | os.PathLike[str]) -> Path:
    """A path as it is, or the bundled config of that name; InputError lists the bundled names."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.exists():
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        return path
    bundled = configs_dir(kind) / f"{name}.yaml"
    if bundled.is_file():
        return bundled
    names = sorted(p.stem for p in configs_dir(kind).glob("*.yaml"))
    raise InputError(f"unknown {kind.rstrip('s')} {str(name)!r}: expected a YAML file or one of {', '.join(names)}")


def load_yaml(path: str | os.PathLike[str], model: type[Model]) -> Model:
    """The file's content as a validated `model`.

    Raises InputError naming the file and the key when the file cannot be read, is not YAML, or does not validate.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_first_problem(error, model)}") from error


def _first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        key = str(problem["loc"][-1])
        known = _known_keys(model, problem["loc"][:-1])
        nearest = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"known keys: {', '.join(known)}"
        return f"unknown key {place!r}: {hint}"
    if problem["type"] == "missing":
        return f"missing key {place!r}"
    return f"key {place!r}: {problem['msg']}, got {problem.get('input')!r}"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The field names of the model that stands at `location` inside `model`."""
    current: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part)
        if field is None:
            return []
        current = _model_in(field.annotation)
        if current is None:
            return []
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
