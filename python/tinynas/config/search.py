"""Settings of the search: how many samples, measurements and generations (configs/search/*.yaml)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tinynas.config.loader import Config

Count = Annotated[int, Field(ge=1)]


class PredictorConfig(Config):
    """How many subnets are measured to fit the accuracy predictor."""

    pairs: Annotated[int, Field(ge=8)] = 96
    recheck: Annotated[int, Field(ge=0)] = 16
    """Per round: the best predicted, and those where the predictor is least sure."""
    rounds: Annotated[int, Field(ge=0)] = 2
    quantised: Annotated[int, Field(ge=8)] = 32
    """Of the pairs, with bits other than 8: so many are quantised too, to learn what that costs; all later ones are."""


class EvolutionConfig(Config):
    """Stage 2 as in the paper: population 100, the top 20 are parents, half crossover, half mutation."""

    population: Count = 100
    parents: Count = 20
    crossovers: Annotated[int, Field(ge=0)] = 50
    mutations: Annotated[int, Field(ge=0)] = 50
    mutation_probability: Annotated[float, Field(gt=0, le=1)] = 0.1
    generations: Count = 30


Objective = Literal["sram", "flash", "macs", "latency"]


class SearchConfig(Config):
    """A whole search."""

    mode: Literal["two-stage", "joint"] = "two-stage"
    """two-stage: stage 1 chooses resolution and width; joint: they are genes like any other, as in MCUNetV2."""
    searcher: Literal["evolution", "regularized-evolution", "random"] = "evolution"
    objectives: tuple[Objective, ...] = ()
    """Beside accuracy: the search then keeps the Pareto front of all of them."""
    samples_per_subspace: Count = 1000
    predictor: PredictorConfig = PredictorConfig()
    evolution: EvolutionConfig = EvolutionConfig()
    finalists: Count = 12

    @property
    def measurements(self) -> int:
        """Subnets measured through the supernet in the whole search."""
        return self.predictor.pairs + self.predictor.rounds * self.predictor.recheck + self.finalists


class Budget(Config):
    """Limits of the network; None: no limit. Bytes, the platform's overhead included when a target is given."""

    sram_bytes: int | None = None
    flash_bytes: int | None = None
    latency_us: float | None = None
    macs: int | None = None
