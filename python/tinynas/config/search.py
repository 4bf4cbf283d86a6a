"""Settings of the search: how many samples, measurements and generations (configs/search/*.yaml)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tinynas.config.loader import Config

Count = Annotated[int, Field(ge=1)]


class PredictorConfig(Config):
    """How many subnets are measured to fit the accuracy predictor."""

    pairs: Annotated[int, Field(ge=8)] = 96
    recheck: Annotated[int, Field(ge=0)] = 16
    rounds: Annotated[int, Field(ge=0)] = 2


class EvolutionConfig(Config):
    """Stage 2 as in the paper: population 100, the top 20 are parents, half crossover, half mutation."""

    population: Count = 100
    parents: Count = 20
    crossovers: Annotated[int, Field(ge=0)] = 50
    mutations: Annotated[int, Field(ge=0)] = 50
    mutation_probability: Annotated[float, Field(gt=0, le=1)] = 0.1
    generations: Count = 30


class SearchConfig(Config):
    """A whole search."""

    samples_per_subspace: Count = 1000
    predictor: PredictorConfig = PredictorConfig()
    evolution: EvolutionConfig = EvolutionConfig()
    finalists: Count = 12


class Budget(Config):
    """Limits of the network; None: no limit. Bytes, the platform's overhead included when a target is given."""

    sram_bytes: int | None = None
    flash_bytes: int | None = None
    latency_us: float | None = None
    macs: int | None = None
