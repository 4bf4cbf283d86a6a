"""`tinynas search`: the main job."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tinynas.cli.common import (
    ImageOption,
    OracleOption,
    OracleRequest,
    PreferOption,
    ScheduleOption,
    TargetOption,
    make_oracle,
    target_of,
)
from tinynas.cli.output import JsonOption, emit, log, reports_errors, table
from tinynas.cli.space import budget_of
from tinynas.config import find_config, format_size, load_yaml
from tinynas.config.search import SearchConfig
from tinynas.config.target import TargetConfig
from tinynas.config.train import TrainConfig, load_train
from tinynas.errors import InputError
from tinynas.oracle import check_words
from tinynas.search.bits import Bits


class Mode(StrEnum):
    """How resolution and width are found."""

    two_stage = "two-stage"
    joint = "joint"


class Searcher(StrEnum):
    """Who proposes candidates."""

    evolution = "evolution"
    regularized = "regularized-evolution"
    random = "random"


DataOption = Annotated[
    str,
    typer.Option("--data", help="scenes (bundled, synthetic), or a folder: of classes, of train/ and test/, of words."),
]
HoldOutOption = Annotated[
    list[str] | None,
    typer.Option("--hold-out", help="Spoken digits: a speaker all of whose recordings are the test; repeatable."),
]
SpaceOption = Annotated[
    str | None,
    typer.Option("--space", help="A space of configs/spaces or a YAML file; chosen by the data's size if not given."),
]
TrainOption = Annotated[
    str | None,
    typer.Option(
        "--train", help="A training recipe of configs/train or a YAML file; chosen with the space if not given."
    ),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, cuda:1, ...; the training recipe's if not given.")
]

ModeOption = Annotated[
    Mode | None, typer.Option("--mode", help="Stage 1 chooses resolution and width, or they are searched jointly.")
]
SearcherOption = Annotated[Searcher | None, typer.Option("--searcher", help="Instead of the search settings' one.")]
ParetoOption = Annotated[
    bool, typer.Option("--pareto", help="Also the front of accuracy, SRAM, Flash and latency (MACs without a model).")
]
BitsOption = Annotated[
    Bits, typer.Option("--bits", help="Of weights and activations: 8, 4, w4a8 (weights alone), mixed (block by block).")
]
EpochsOption = Annotated[float | None, typer.Option("--epochs", min=0.001, help="Instead of the recipe's length.")]


@reports_errors
def search(
    sram: Annotated[str | None, typer.Option("--sram", help="Limit, such as 320k (1024-based).")] = None,
    flash: Annotated[str | None, typer.Option("--flash", help="Limit, such as 1M (1024-based).")] = None,
    macs: Annotated[str | None, typer.Option("--macs", help="Limit of multiply-accumulates, such as 12.5M.")] = None,
    latency_ms: Annotated[
        float | None,
        typer.Option("--latency", "--latency-ms", min=0.001, help="Limit in ms; our schedules need --target."),
    ] = None,
    target: TargetOption = None,
    data: DataOption = "scenes",
    hold_out: HoldOutOption = None,
    space: SpaceOption = None,
    schedule: ScheduleOption = "streaming",
    plugin: OracleOption = None,
    prefer: PreferOption = "speed",
    image: ImageOption = "streamed",
    train: TrainOption = None,
    config: Annotated[
        str, typer.Option("--search", help="Search settings of configs/search or a YAML file.")
    ] = "default",
    mode: ModeOption = None,
    searcher: SearcherOption = None,
    pareto: ParetoOption = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Ray workers that measure candidates.")] = 1,
    epochs: EpochsOption = None,
    supernet: Annotated[
        Path | None, typer.Option("--supernet", exists=True, help="A trained checkpoint to search in.")
    ] = None,
    arch: Annotated[
        Path | None,
        typer.Option(
            "--arch", exists=True, help="A run (or models/NAME) whose network is the winner: nothing is searched."
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher",
            exists=True,
            help="A run (or models/NAME) whose network teaches the winner; else the supernet's largest does.",
        ),
    ] = None,
    init: Annotated[
        list[Path] | None,
        typer.Option(
            "--init",
            exists=True,
            help="A run (or models/NAME) of the same winner, whose finetuning goes on; repeatable: from their mean.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The run's folder below --runs.")] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Where runs and their cache lie.")] = Path("runs"),
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: DeviceOption = None,
    bits: BitsOption = Bits.eight,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find, train, quantise and export a network within a budget."""
    from tinynas.config.space import load_space
    from tinynas.search.given import read_arch
    from tinynas.search.inputs import data_options, fit_space, preset_for, read_data, training_data
    from tinynas.search.pipeline import Search
    from tinynas.search.settings import SearchSettings
    from tinynas.train.alone import load_finetuned
    from tinynas.train.native import check_device

    board = target_of(target)
    budget = budget_of(sram, flash, macs, latency_ms, board)
    if all(limit is None for limit in budget.model_dump().values()):
        raise InputError("search: expected a budget: --sram and --flash, or --target")
    check_words(prefer, image)
    given_space, given_recipe = space and load_space(space), train and load_train(train)
    search_settings = search_config(config, mode, searcher, pareto, has_latency_model(schedule, board))
    check_device(device or (given_recipe.device if given_recipe else "cpu"))
    if arch:
        read_arch(arch)
    for run in (*(init or ()), *([teacher] if teacher else ())):
        load_finetuned(run)
    reading = data_options(runs / ".cache", seed, hold_out or ())
    data_set = read_data(data, reading, log)
    preset = preset_for(data_set)
    recipe = with_epochs(given_recipe or load_train(preset.train), epochs)
    settings = SearchSettings(
        run=runs / (name or default_name(data, target, sram, flash, macs, seed)),
        data=data,
        hold_out=reading.hold_out,
        space=fit_space(given_space or load_space(preset.space), data_set),
        budget=budget,
        schedule=schedule,
        prefer=prefer,
        plugin=plugin,
        image_streamed=image == "streamed",
        train=recipe,
        search=search_settings,
        seed=seed,
        target=board,
        supernet=supernet,
        arch=arch,
        teacher=teacher,
        init=tuple(init or ()),
        device=device or recipe.device,
        workers=workers,
        bits=bits,
    )
    data_set = training_data(data_set, data, reading, recipe, log)
    result = Search(settings, data_set, resume, log).finish()
    emit(as_json, result | {"run": str(settings.run)}, *_tables(result, settings.run))


def search_config(
    name: str, mode: Mode | None, searcher: Searcher | None, pareto: bool, has_latency: bool
) -> SearchConfig:
    """The named settings with what the options replace in them."""
    settings = load_yaml(find_config("search", name), SearchConfig)
    replaced: dict[str, Any] = {"mode": mode and mode.value, "searcher": searcher and searcher.value}
    if pareto:
        replaced["objectives"] = ("sram", "flash", "latency" if has_latency else "macs")
    return settings.model_copy(update={key: value for key, value in replaced.items() if value is not None})


def has_latency_model(schedule: str, target: TargetConfig | None) -> bool:
    """Whether the schedule predicts latencies on the target, tried on a small network."""
    import tinynas._core as _core
    from tinynas.config.space import load_space

    request = OracleRequest(schedule)
    if target:
        request = OracleRequest(schedule, core=target.core, clock_hz=target.clock_hz)
    space = load_space("scenes").to_core()
    smallest = _core.smallest(space, space.resolutions[0], space.widths[0])
    return bool(_core.score(space, make_oracle(request), smallest).latency_us > 0)


def with_epochs(recipe: TrainConfig, epochs: float | None) -> TrainConfig:
    """The recipe with another length, if one was asked for."""
    return recipe if epochs is None else recipe.model_copy(update={"epochs": epochs, "minutes": None})


def default_name(
    data: str, target: str | None, sram: str | None, flash: str | None, macs: str | None, seed: int
) -> str:
    """The run's name: what it was asked for."""
    asked = [Path(data).name, target, sram, flash, f"{macs}macs" if macs else None, f"seed{seed}" if seed else None]
    return "-".join(part for part in asked if part).replace("/", "_")


def _tables(result: dict[str, Any], run: Path) -> list[Any]:
    cost, accuracy = result["cost"], result["accuracy"]
    rows = [
        [
            f"accuracy, {result['quantised']['bits']} bits, C code, test",
            f"{100 * accuracy['int8_c_test']:.2f} % of {result['pictures']['test']:,} pictures",
        ],
        ["accuracy, float, test", f"{100 * accuracy['float_test']:.2f} %"],
        ["SRAM (oracle = compiled arena)", format_size(result["arena_bytes"]["compiled"])],
        *([[f"SRAM on {cost['target']}", format_size(cost["sram_bytes"])]] if cost["target"] else []),
        ["Flash (weights and constants)", format_size(cost["flash_bytes"])],
        ["MACs", f"{cost['macs']:,}"],
        ["peak at", str(cost["peak_operator"])],
        ["outputs equal to the reference", f"{result['pictures_equal_to_reference']:,} pictures, byte for byte"],
        ["time", ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in result["seconds"].items())],
        ["report", str(run / "report.html")],
    ]
    synthetic = " (synthetic pictures)" if result["synthetic"] else ""
    return [table(f"{run.name}: {result['data']}{synthetic}; k = 1024 bytes", ["", ""], rows)]
