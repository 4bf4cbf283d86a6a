"""Adds an oracle in Python and searches with it: `python examples/python_oracle.py`.

The oracle here is a chip with 48 KiB of fast memory on which activations beyond that cost time. The search maximises
MACs, stage 1's stand-in for accuracy, so that the example needs no training.
"""

import tinynas._core as core

from tinynas.config.space import load_space

FAST_BYTES = 48 * 1024


class TwoMemories(core.Oracle):
    """Streaming on a core of 1 MAC per nanosecond; bytes beyond the fast memory cost 50 ns each."""

    def __init__(self) -> None:
        super().__init__("two-memories")
        self.streaming = core.make_oracle("streaming")

    def cost(self, graph: core.Graph) -> core.Cost:
        """The streaming schedule's cost with a latency of our own."""
        cost = self.streaming.cost(graph)
        cost.latency_us = cost.macs / 1000 + 0.05 * max(0, cost.sram_bytes - FAST_BYTES)
        return cost


def main() -> None:
    """Stage 1, then evolution within the best subspace."""
    space, oracle = load_space("scenes").to_core(), TwoMemories()
    limits = core.Limits(flash_bytes=256 * 1024, latency_us=8_000)
    stage1 = core.stage1(space, oracle, limits, samples=20)
    best = stage1.subspaces[stage1.winner]
    print(f"stage 1: resolution {best.resolution}, width {best.width:g}, mean {best.mean_flops / 1e6:.1f} MMACs")
    subspace = load_space("scenes").subspace(best.resolution, best.width).to_core()
    options = core.SearchOptions(population=20, parents=5, crossovers=5, mutations=5, generations=3)
    searcher = core.make_searcher("evolution", subspace, oracle, limits, options)
    while candidates := searcher.ask():
        searcher.tell([float(candidate.score.macs) for candidate in candidates])
    score = searcher.best.score
    print(f"best: {score.macs / 1e6:.1f} MMACs, {score.sram_bytes:,} B SRAM, {score.latency_us / 1000:.2f} ms")


if __name__ == "__main__":
    main()
