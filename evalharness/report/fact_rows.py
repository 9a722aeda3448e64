"""The facts of a run in groups: what was asked, of which files, with what, where and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evalharness.report.verdict_rows import Texts, metric_name
from evalharness.types import FinishedRun, MetricInfo, Subject

TOLD = (
    "ss_output_name",
    "ss_base_model_version",
    "ss_sd_model_name",
    "ss_network_module",
    "ss_network_dim",
    "ss_network_alpha",
    "ss_learning_rate",
    "ss_unet_lr",
    "ss_text_encoder_lr",
    "ss_optimizer",
    "ss_resolution",
    "ss_num_train_images",
    "ss_num_epochs",
    "ss_steps",
    "ss_seed",
)
"""What trainers write into a LoRA's header that people ask for; the rest, dataset tables above all, is in run.json."""
LONGEST = 120
"""Characters of a header's value that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGroup:
    """Facts of the run under one heading, as (name, value) in words; `wide` where values are long."""

    name: str
    facts: tuple[tuple[str, str], ...]
    wide: bool = False


def fact_groups(given: FinishedRun, texts: Texts) -> tuple[FactGroup, ...]:
    """The record's scalars first, then what was asked, a group for each of the record's mappings, and the LoRAs."""
    record = given.record
    scalars = tuple((name, _words(value)) for name, value in record.items() if not isinstance(value, Mapping))
    mappings = [
        FactGroup(name=name, facts=tuple((str(key), _words(one)) for key, one in value.items()))
        for name, value in record.items()
        if isinstance(value, Mapping)
    ]
    groups = [
        FactGroup(name=texts["facts_run"], facts=scalars),
        FactGroup(name=texts["facts_asked"], facts=tuple(_asked(given, texts))),
        *mappings,
        FactGroup(name=texts["facts_common"], facts=tuple(_common(given.subjects))),
        FactGroup(name=texts["facts_loras"], facts=tuple(_loras(given.subjects)), wide=True),
    ]
    return tuple(group for group in groups if group.facts)


def _asked(given: FinishedRun, texts: Texts) -> Iterable[tuple[str, str]]:
    """What the images were made with; each value once, in order."""
    cells = given.cells
    yield texts["seed"], _list(sorted({cell.seed for cell in cells}))
    yield texts["strength"], _list(f"{one:g}" for one in sorted({cell.strength for cell in cells}))
    yield texts["guidance_scale"], _list(f"{one:g}" for one in sorted({cell.setting.guidance_scale for cell in cells}))
    yield texts["steps"], _list(sorted({cell.setting.steps for cell in cells}))
    yield texts["sampler"], _list(dict.fromkeys(cell.setting.sampler for cell in cells))
    yield texts["size"], _list(dict.fromkeys(f"{c.setting.width} × {c.setting.height}" for c in cells))
    yield texts["facts_scorers"], _list(_scorer(info, texts) for info in given.metrics.values())


def _scorer(info: MetricInfo, texts: Texts) -> str:
    """Its version, and the name that suites call it by."""
    word, named = metric_name(info.name, texts), f"{info.name} v{info.version}"
    return named if word == info.name else f"{word} ({named})"


def _list(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def _common(subjects: tuple[Subject, ...]) -> Iterable[tuple[str, str]]:
    """What all LoRA headers say alike, so that it is said once."""
    headers = [lora.metadata for subject in subjects for lora in subject.loras]
    for name in TOLD:
        values = {header.get(name) for header in headers}
        if len(values) == 1 and (value := values.pop()) is not None:
            yield name.removeprefix("ss_").replace("_", " "), value[:LONGEST]


def _loras(subjects: tuple[Subject, ...]) -> Iterable[tuple[str, str]]:
    """Each file: its digest, and what its header says that not all say."""
    common = {name for name, _ in _common(subjects)}
    for subject in subjects:
        for lora in subject.loras:
            told = {name.removeprefix("ss_").replace("_", " "): lora.metadata.get(name) for name in TOLD}
            own = [
                f"{name} {value[:LONGEST]}" for name, value in told.items() if value is not None and name not in common
            ]
            yield lora.path.name, "; ".join([f"SHA-256 {lora.digest[:16]}…", *own])


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    return str(value)
