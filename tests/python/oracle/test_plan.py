"""`tinynas plan`: CSV in, CSV with offsets out, and the exit codes between."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

pytest.importorskip("tinynas._core")

import typer
from typer.testing import CliRunner

from tinynas.cli.plan import plan

app = typer.Typer()
app.command()(plan)

SMALL = "id,lower,upper,size\na,0,2,4\nb,0,4,4\nc,2,4,4\nd,0,3,4\n"


def run(folder: Path, text: str, *options: str) -> tuple[int, Path, str]:
    source, output = folder / "in.csv", folder / "out.csv"
    source.write_text(text)
    result = CliRunner().invoke(app, [str(source), "--output", str(output), *options])
    return result.exit_code, output, result.output


def assert_valid(path: Path, capacity: int) -> None:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    spans = [(int(r["lower"]), int(r["upper"]), int(r["offset"]), int(r["offset"]) + int(r["size"])) for r in rows]
    for i, a in enumerate(spans):
        assert a[2] >= 0 and a[3] <= capacity
        for b in spans[:i]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]


def test_a_plan_keeps_the_rows_and_adds_offsets(tmp_path: Path) -> None:
    code, output, _ = run(tmp_path, SMALL, "--capacity", "12")
    assert code == 0
    assert output.read_text().splitlines()[0] == "id,lower,upper,size,offset"
    assert [line.split(",")[0] for line in output.read_text().splitlines()[1:]] == ["a", "b", "c", "d"]
    assert_valid(output, 12)


def test_too_little_is_proved_impossible(tmp_path: Path) -> None:
    code, output, _ = run(tmp_path, SMALL, "--capacity", "11")
    assert code == 3
    assert not output.exists()


def test_json_stands_alone_on_standard_output(tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(SMALL)
    result = CliRunner().invoke(app, [str(source), "-o", str(output), "--capacity", "1k", "--json"])
    assert json.loads(result.stdout)["lower_bound_bytes"] == 12


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id,lower,upper\na,0,1\n",
        "id,lower,upper,size\na,0,1\n",
        "id,lower,upper,size\na,2,1,4\n",
        "id,lower,upper,size\na,0,1,-4\n",
        "id,lower,upper,size\na,0,x,4\n",
        "id,lower,upper,size\na,0,99999999999,4\n",
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str) -> None:
    code, output, _ = run(tmp_path, text, "--capacity", "64")
    assert code == 2
    assert not output.exists()


def test_random_instances_at_ten_percent_slack(tmp_path: Path) -> None:
    generator = random.Random(1)
    lines = ["id,lower,upper,size"]
    for index in range(200):
        lower = generator.randrange(100)
        lines.append(f"{index},{lower},{lower + generator.randrange(1, 30)},{generator.randrange(1, 5000)}")
    loose, output, _ = run(tmp_path, "\n".join(lines), "--capacity", "1M")
    assert loose == 0
    assert_valid(output, 1 << 20)
