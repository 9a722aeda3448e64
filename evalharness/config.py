"""Hydra's overrides and files -> one frozen RunConfig; the only file that imports hydra and omegaconf."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from evalharness.errors import ConfigError, unknown
from evalharness.languages import DEFAULT, known_language
from evalharness.paths import shipped
from evalharness.types import Stack, StackedLora

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

Raw = dict[str, Any]

GROUPS: Mapping[str, str] = {"suite": "suites", "backend": "backend", "perception": "perception", "scoring": "scoring"}
"""What can be chosen by a word, and the folder its files are in."""

FREE = ("suite.", "backend.options.", "scoring.", "trackers.")
"""Keys that are checked elsewhere: `read_suite` knows a suite's; the maker, scorers and trackers their options'."""

NO_SUBJECTS = (
    "no subjects are given and the suite lists none; give subjects='[/loras/*.safetensors]', "
    "or subjects='[]' to measure the base model alone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendConfig:
    """Which image maker, and how it runs; None = the maker's own default. `options` is what only this maker knows.

    A batch size of "auto" leaves it to the maker too.
    """

    name: str
    model: str | None = None
    device: str | None = None
    dtype: str | None = None
    batch_size: Annotated[int, msgspec.Meta(ge=1)] | Literal["auto"] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments to construct the maker with: all that is given, and `options` as one mapping."""
        batch_size = None if self.batch_size == "auto" else self.batch_size
        given = {"model": self.model, "device": self.device, "dtype": self.dtype, "batch_size": batch_size}
        return {key: value for key, value in given.items() if value is not None} | {"options": self.options}


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptionConfig:
    """Which perceiver, the keyword arguments it is constructed with, and the processes that look beside the run's own.

    With 0 `workers` the run looks itself, after all images are made; `auto` takes the cores that drawing leaves idle.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    workers: Annotated[int, msgspec.Meta(ge=0)] | Literal["auto"] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """How the page is written; `language` is one of reports/texts."""

    language: str = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """All that a run is told, in plain values: msgspec writes it as JSON and `config_from_json` reads it back.

    `suite` is for `read_suite`; `subjects` are paths, patterns, `name=path` or stacks of files. `folder_path` is the
    override `folder`. `images` is the folder that `evalharness score` judges, or None where images are generated.
    `scoring` maps names of scorers to their keyword arguments, `trackers` those of loggers that are told of the
    results to their options.
    """

    suite: Mapping[str, Any]
    backend: BackendConfig
    perception: PerceptionConfig
    subjects: tuple[str | Stack, ...]
    folder_path: str
    images: str | None = None
    scoring: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trackers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    report: ReportConfig = ReportConfig()

    @property
    def folder(self) -> Path:
        """The run's folder; relative paths start at the current directory."""
        return Path(self.folder_path).expanduser()


def compose(overrides: Sequence[str], config_dir: Path | None = None) -> RunConfig:
    """The configuration of `evalharness run`: our defaults, the user's files before them, overrides last.

    Files are searched in `config_dir`, then in ./conf and ./suites, then in our own folders.
    Raises ConfigError for an unknown choice or key, and for what hydra cannot read. Keys below `suite` and
    `backend.options` are free here: `read_suite` and the maker know them and refuse the rest.
    """
    raw = _composed(overrides, _search_path(config_dir))
    subjects = _subjects(raw)
    if subjects is None:
        raise ConfigError(NO_SUBJECTS)
    return _frozen(raw, subjects, None)


def compose_growing(training: Path, overrides: Sequence[str], config_dir: Path | None = None) -> RunConfig:
    """The configuration of a run that grows while `training`'s folder does; `subjects` are measured beside it."""
    defaults = ["subjects=[]", f"folder='runs/${{suite.name}}-watching-{_plain_name(training)}'"]
    return compose([*defaults, *overrides], config_dir)


def compose_score(images: Path, overrides: Sequence[str], config_dir: Path | None = None) -> RunConfig:
    """The configuration of `evalharness score FOLDER`: as `compose`, with backend=folder and its own run folder."""
    return _frozen(_of_images(images, overrides, config_dir), (), str(images))


def compose_calibration(labels: Path, overrides: Sequence[str], config_dir: Path | None = None) -> RunConfig:
    """The configuration of `evalharness calibrate LABELS`: as `compose_score`, with a folder of its own."""
    images = labels if labels.is_dir() else labels.parent
    own = [f"folder='runs/calibration-of-{_plain_name(images)}'", *overrides]
    raw = _of_images(images, own, config_dir)
    if not any(text.startswith(("suite=", "suite.perception")) for text in overrides):
        # nobody chose the demo's suite: what it presets for the perceiver fits its own drawings only
        raw["suite"].pop("perception", None)
    return _frozen(raw, (), str(images))


def _of_images(images: Path, overrides: Sequence[str], config_dir: Path | None) -> Raw:
    if not images.is_dir():
        raise ConfigError(f"'{images}' is not a folder of images; give an existing folder.")
    defaults = ["backend=folder", f"folder='runs/${{suite.name}}-of-{_plain_name(images)}'"]
    return _composed([*defaults, *overrides], _search_path(config_dir))


def _plain_name(folder: Path) -> str:
    """A folder's name that may stand between quotes."""
    return folder.resolve().name.replace("'", "_")


def config_from_json(raw: Mapping[str, object]) -> RunConfig:
    """A stored configuration as it was, without hydra; raises ConfigError where it is not one."""
    try:
        return msgspec.convert(raw, RunConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"this is not a stored run configuration: {error}.") from None


# From plain values to the frozen ones


def _frozen(raw: Raw, subjects: tuple[str | Stack, ...], images: str | None) -> RunConfig:
    _only_known(raw, {*GROUPS, "subjects", "folder", "trackers", "report"}, "")
    _only_known(raw.get("backend"), {item.name for item in fields(BackendConfig)}, "backend")
    _only_known(raw.get("perception"), {item.name for item in fields(PerceptionConfig)}, "perception")
    _only_known(raw.get("report", {}), {item.name for item in fields(ReportConfig)}, "report")
    _take_perception(raw)
    told = {
        "scoring": raw.get("scoring") or {},
        "trackers": _trackers(raw.get("trackers")),
        "report": raw.get("report", {}),
    }
    plain = {key: raw.get(key) for key in GROUPS} | told
    try:
        config = msgspec.convert(
            plain | {"subjects": subjects, "folder_path": raw.get("folder"), "images": images}, RunConfig
        )
    except msgspec.ValidationError as error:
        if str(error).startswith("Invalid enum value") and "batch_size" in str(error):
            raise ConfigError("backend.batch_size must be a whole number of at least 1, or auto.") from None
        rule, _, place = str(error).replace("folder_path", "folder").partition(" - at `$.")
        raise ConfigError(f"{place.rstrip('`')}: {rule[0].lower()}{rule[1:]}.") from None
    known_language(config.report.language)
    return config


def _take_perception(raw: Raw) -> None:
    """A suite may preset options of the perceiver (`perception: {proven: [rope]}`); those of the config win."""
    suite = raw.get("suite")
    preset = suite.pop("perception", None) if isinstance(suite, dict) else None
    if preset is None:
        return
    if not isinstance(preset, dict):
        raise ConfigError(f"suite.perception must map options of the perceiver to values, not {preset!r}.")
    raw["perception"]["options"] = preset | (raw["perception"].get("options") or {})


def _trackers(given: object) -> object:
    """Names of trackers, or a mapping of names to their options."""
    if given is None:
        return {}
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        return {name: {} for name in given}
    if not isinstance(given, dict):
        raise ConfigError(
            f"trackers must be a list of names such as [tensorboard], or names with options, not {given!r}."
        )
    return {name: options or {} for name, options in given.items()}


def _only_known(level: object, known: set[str], level_name: str) -> None:
    if not isinstance(level, dict):
        raise ConfigError(f"{level_name} must be a mapping, not {level!r}.")
    for key in level:
        if key not in known:
            raise ConfigError(unknown(f"{level_name} key".strip(), str(key), known))


def _subjects(raw: Raw) -> tuple[str | Stack, ...] | None:
    suite = raw.get("suite")
    listed = suite.pop("subjects", None) if isinstance(suite, dict) else None
    given = listed if raw.get("subjects") is None else raw["subjects"]
    if isinstance(given, str):
        return (given,)
    if given is not None and not (isinstance(given, list) and all(isinstance(item, str | dict) for item in given)):
        raise ConfigError(f"subjects must be a list of paths or patterns, not {given!r}.")
    return None if given is None else tuple(item if isinstance(item, str) else _stack(item) for item in given)


def _stack(given: Raw) -> Stack:
    """Several files as one subject: `{name: duo, loras: [{path: a.safetensors, clip: 0.8}, b.safetensors]}`."""
    _only_known(given, {item.name for item in fields(Stack)}, "subjects")
    listed = given.get("loras")
    loras = [{"path": one} if isinstance(one, str) else one for one in listed] if isinstance(listed, list) else listed
    for one in loras if isinstance(loras, list) else []:
        _only_known(one, {item.name for item in fields(StackedLora)}, "subjects.loras")
    try:
        return msgspec.convert(given | {"loras": loras}, Stack)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"subjects: {error}; a stack is {{name: duo, loras: [{{path: a.safetensors}}, ...]}}."
        ) from None


# Hydra


def _search_path(config_dir: Path | None) -> list[Path]:
    """Folders in the order they are searched, as roots of groups: `suites` is a group below the folder it lies in."""
    if config_dir is not None and not config_dir.is_dir():
        raise ConfigError(f"--config-dir '{config_dir}' is not a folder.")
    here = Path.cwd()
    # our conf/ comes before the current directory, where an unrelated config.yaml may lie
    roots = [config_dir, here / "conf", shipped("conf"), here, shipped("suites").parent]
    return list(dict.fromkeys(root.resolve() for root in roots if root is not None and root.is_dir()))


def _composed(overrides: Sequence[str], roots: Sequence[Path]) -> Raw:
    with _one_sentence():
        parsed = [_parsed(text) for text in overrides]
        choices = {one.key_or_group: one for one in parsed if one.key_or_group in GROUPS and not one.is_delete()}
        chosen = [_choice(one, roots) for one in choices.values()]
        skeleton = _hydra(chosen, roots, resolve=False)
        values = [one for one in parsed if one not in choices.values() and one.key_or_group not in choices]
        return _hydra(chosen + [_value(one, skeleton) for one in values], roots, resolve=True)


def _parsed(text: str) -> "Override":
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"cannot read the override '{text}': {reason}; write key=value, lists as [1,2].") from None
    if override.is_sweep_override():
        raise ConfigError(f"'{text}' gives several values at once; write a list as [1,2], or run once for each.")
    return override


def choices(group: str, config_dir: Path | None = None) -> Mapping[str, Path]:
    """What `group=` may name (suite, backend or perception), with the file that would be read; the user's come first.

    Raises ConfigError where `config_dir` is no folder.
    """
    return _choices(group, _search_path(config_dir))


def _choices(group: str, roots: Sequence[Path]) -> Mapping[str, Path]:
    files = [path for root in roots for path in sorted((root / GROUPS[group]).glob("*.yaml"))]
    return {path.stem: path for path in reversed(files)}


def _choice(override: "Override", roots: Sequence[Path]) -> str:
    """An override such as `suite=demo`, checked, in the words of hydra's groups."""
    group, name = override.key_or_group, str(override.value())
    folder = GROUPS[group]
    known = _choices(group, roots)
    if name not in known:
        raise ConfigError(unknown(group, name, known))
    return f"{group}={name}" if folder == group else f"{folder}@{group}={name}"


def _value(override: "Override", skeleton: Raw) -> str:
    """An override of a value; a key that is not there is refused, also with `+`, but for those in FREE."""
    text: str = override.input_line or ""
    path = override.key_or_group.split(".")
    if override.key_or_group.startswith(FREE):
        return text if override.is_delete() else "++" + text.lstrip("+")
    level: object = skeleton
    for depth, key in enumerate(path):
        known = level if isinstance(level, dict) else {}
        if key not in known:
            raise ConfigError(unknown(" ".join([*path[:depth], "key"]), key, known))
        level = known[key]
    if override.is_delete():
        raise ConfigError(f"'{text}' would leave out '{override.key_or_group}', which every run needs; set it instead.")
    return text.lstrip("+")


def _hydra(overrides: Sequence[str], roots: Sequence[Path], *, resolve: bool) -> Raw:
    """Hydra's compose over several roots, as a plain dictionary."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    # Hydra looks for its first file in the first root only; this entry lets `config` come from any of them.
    ConfigStore.instance().store(name="evalharness", node={"defaults": ["config"]})
    others = ",".join('"file://{}"'.format(str(root).replace('"', '\\"')) for root in roots[1:])
    with initialize_config_dir(config_dir=str(roots[0]), version_base="1.3"):
        config = hydra_compose("evalharness", [f"hydra.searchpath=[{others}]", *overrides])
    plain: Raw = OmegaConf.to_container(config, resolve=resolve, throw_on_missing=resolve)  # type: ignore[assignment]
    return plain


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Turn whatever hydra, omegaconf or yaml raise into a ConfigError with the first line of its root cause."""
    import yaml
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        lines = str(cause).splitlines()
        reason = " ".join(line.strip() for line in lines) if isinstance(cause, yaml.YAMLError) else lines[0]
        raise ConfigError(f"the configuration cannot be composed: {reason.rstrip('.')}.") from None
