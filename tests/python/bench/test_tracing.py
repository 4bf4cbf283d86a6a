"""Instructions from an execution trace: decoding, attribution, and the total against SysTick's."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench" / "cortex_m"))

import networks
import tracing
from tracing import Count

from tinynas.deploy import DeployOptions
from tinynas.deploy.sample_networks import small_network


@pytest.mark.parametrize(
    ("halfwords", "plain", "weighted"),
    [
        ([0xB508], 1, 2),  # push {r3, lr}
        ([0xE92D, 0x4FF0], 1, 9),  # push.w {r4-r11, lr}
        ([0xE898, 0x00AA], 1, 4),  # ldm.w r8, {r1, r3, r5, r7}
        ([0xC90F], 1, 4),  # ldmia r1!, {r0-r3}
        ([0xE9CD, 0x780B], 1, 2),  # strd r7, r8, [sp, #44]
        ([0xED2D, 0x8B10], 1, 16),  # vpush {d8-d15}
        ([0xED90, 0x7B02], 1, 2),  # vldr d7, [r0, #8]
        ([0xED90, 0x7A02], 1, 1),  # vldr s14, [r0, #8]
        ([0xEC54, 0x3B10], 1, 1),  # vmov r3, r4, d0
        ([0xE8D0, 0xF001], 1, 1),  # tbb [r0, r1]
        ([0xECB1, 0x1E10], 1, 1),  # vldrb.u8 q0, [r1], #16
        ([0x460E, 0xFB11, 0xF303, 0xB08F], 3, 3),  # mov, smulbb, sub sp
    ],
)
def test_words_of_multiple_transfers(halfwords: list[int], plain: int, weighted: int) -> None:
    assert tracing.count_block(halfwords) == Count(plain, weighted)


def test_shares_follow_the_last_operator_that_was_entered() -> None:
    log = [
        b"IN: board_begin\n",
        b"0x00000100:  4668       mov r0, sp\n",
        b"Trace 0: 0x7f [0/100/0/0] board_begin\n",
        b"IN: compute_3\n",
        b"0x00000200:  4668 b508  mov r0, sp\n",
        b"Trace 0: 0x7f [0/200/0/0] compute_3\n",
        b"IN: tn_add\n",
        b"0x00000300:  4668       mov r0, sp\n",
        b"Trace 0: 0x7f [0/300/0/0] tn_add\n",
        b"Trace 0: 0x7f [0/300/0/0] tn_add\n",
        b"IN: run_3\n",
        b"0x00000400:  4668       mov r0, sp\n",
        b"Trace 0: 0x7f [0/400/0/0] run_3\n",
        b"IN: board_end\n",
        b"0x00000500:  4668       mov r0, sp\n",
        b"Trace 0: 0x7f [0/500/0/0] board_end\n",
        b"Trace 0: 0x7f [0/300/0/0] tn_add\n",
    ]
    trace = tracing.summarise(tracing.executed_blocks(log))
    assert trace.functions["tn_add"] == Count(2, 2)
    assert trace.operators[3] == Count(4, 5)
    assert trace.operators[-1].plain == trace.total.plain - 4


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)
@pytest.mark.parametrize("core", ["cortex-m7", "cortex-m55"])
def test_the_trace_adds_up_to_the_counted_total(core: str, tmp_path: Path) -> None:
    graph = small_network(2)
    figures = networks.measure(graph, "small", core, DeployOptions(run=True), tmp_path)
    assert abs(figures.traced.plain / figures.instructions - 1) < 0.01
    assert sum(share.plain for share in figures.kinds.values()) == figures.traced.plain
    assert sum(count.plain for count in figures.kernels.values()) == figures.traced.plain
    assert figures.traced.weighted > figures.traced.plain
    assert figures.kinds["pointwise, below 48 channels"].macs > 0
    assert networks.peer_ratios("kws_ref_model", "cortex-m7", 3_825_000) == {"tflm": pytest.approx(0.5)}
