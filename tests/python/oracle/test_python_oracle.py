"""An oracle written in Python is used like a built-in one."""

from __future__ import annotations

import gc
from typing import Any

import pytest

_core: Any = pytest.importorskip("tinynas._core")

from tinynas.config.space import load_space  # noqa: E402
from tinynas.oracle import find_faults  # noqa: E402


class Doubled(_core.Oracle):  # type: ignore[misc]
    """Streaming for a board that keeps two frames."""

    def __init__(self) -> None:
        super().__init__("doubled")
        self.inner = _core.make_oracle("streaming")

    def cost(self, graph: Any) -> Any:
        cost = self.inner.cost(graph)
        cost.activation_bytes *= 2
        cost.scratch_bytes *= 2
        cost.sram_bytes *= 2
        return cost


class Forgetful(_core.Oracle):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("forgetful")
        self.calls = 0

    def cost(self, graph: Any) -> Any:
        self.calls += 1
        cost = _core.make_oracle("streaming").cost(graph)
        cost.sram_bytes += self.calls
        cost.macs += 1
        return cost


def graph() -> Any:
    space = load_space("scenes").to_core()
    return _core.build_graph(space, _core.smallest(space, space.resolutions[0], space.widths[0]))


def test_cost_comes_from_the_subclass() -> None:
    oracle = Doubled()
    gc.collect()
    assert oracle.name == "doubled"
    assert oracle.cost(graph()).sram_bytes == 2 * _core.make_oracle("streaming").cost(graph()).sram_bytes
    assert oracle.plan(graph()) is None


@pytest.mark.parametrize("name", _core.oracle_names())
def test_the_built_in_oracles_conform(name: str) -> None:
    assert find_faults(_core.make_oracle(name)) == []


def test_a_python_oracle_conforms() -> None:
    assert find_faults(Doubled()) == []


def test_faults_are_found() -> None:
    faults = find_faults(Forgetful())
    assert any("twice" in fault for fault in faults)
    assert any("MACs" in fault for fault in faults)
    assert any("sram_bytes" in fault for fault in faults)
