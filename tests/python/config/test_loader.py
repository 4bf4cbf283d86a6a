"""YAML into validated models, and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.config import Config, format_size, load_yaml, parse_count, parse_size
from tinynas.errors import InputError


class Inner(Config):
    kernel: int


class Outer(Config):
    name: str
    inner: Inner


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ninner: {kernel: 3}\nnane: b", "unknown key 'nane': did you mean 'name'"),
        ("name: a\ninner: {kernel: 3, kernal: 3}", "unknown key 'inner.kernal': did you mean 'kernel'"),
        ("name: a", "missing key 'inner'"),
        ("name: a\ninner: {kernel: x}", "'inner.kernel'"),
        ("- 1", "expected a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        load_yaml(file, Outer)
    assert message in str(error.value)
    assert "mine.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("text", "size"), [("320k", 327_680), ("1M", 1 << 20), ("1.5M", 3 << 19), ("512kB", 1 << 19), ("7", 7)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["3x", "", "-1k", "0", "1.0001k", "k", "1e3", "nan"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_size(text)


@pytest.mark.parametrize(("text", "count"), [("12.5M", 12_500_000), ("800k", 800_000), ("0.3M", 300_000), ("7", 7)])
def test_counts(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["3x", "", "-1k", "0", "1.0001k", "12.5MB", "1e3"])
def test_counts_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match=r"12\.5M"):
        parse_count(text)


def test_sizes_are_shown_with_their_unit() -> None:
    assert format_size(327_680) == "327,680 B (320.0k)"
