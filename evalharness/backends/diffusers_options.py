"""The options of the diffusers maker, each checked when the maker is made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from evalharness.backends.base import Fact
from evalharness.backends.families import Family
from evalharness.backends.options import checked_options, flag, number, words
from evalharness.backends.samplers import DEFAULT, check_sampler
from evalharness.errors import BackendError, unknown

OFFLOADS = ("none", "model", "sequential")
_CHANGE_PIXELS = ("attention_slicing", "compile", "guidance_scale_2", "scheduler", "vae_tiling")
_OF_SOME_FAMILIES = ("guidance_scale_2",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """What conf/backend/diffusers.yaml documents under `options`; the defaults are those of the file."""

    allow_pickle: bool = False
    config: str | None = None
    accept_unmatched: tuple[str, ...] = ()
    offload: str = "none"
    compile: bool = False
    attention_slicing: bool = False
    vae_slicing: bool = False
    vae_tiling: bool = False
    scheduler: Mapping[str, object] = field(default_factory=dict)
    guidance_scale_2: float | None = None

    @property
    def sampler(self) -> str:
        """What the sampler 'default' stands for."""
        return str(self.scheduler.get("name", DEFAULT))

    @property
    def scheduler_arguments(self) -> Mapping[str, object]:
        """What overrides the config of every scheduler."""
        return {key: value for key, value in self.scheduler.items() if key != "name"}

    def facts(self) -> dict[str, Fact]:
        """Those that change pixels and are not at their default, for the maker's fingerprint."""
        plain = DiffusersOptions()
        changed = [name for name in _CHANGE_PIXELS if getattr(self, name) != getattr(plain, name)]
        return {name: _fact(getattr(self, name)) for name in changed}

    def check_family(self, family: Family) -> None:
        """Raise BackendError for an option that the family has no use for."""
        for name in _OF_SOME_FAMILIES:
            if name not in family.options and getattr(self, name) != getattr(DiffusersOptions(), name):
                raise BackendError(f"backend.options.{name} means nothing to {family.pipeline}; leave it out.")


def _fact(value: object) -> Fact:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, sort_keys=True)


def read_options(given: Mapping[str, object]) -> DiffusersOptions:
    """The options as they were given in a config; raises BackendError for one that is unknown or of a wrong kind."""
    values = checked_options(given, {name: getattr(DiffusersOptions(), name) for name in DiffusersOptions.__slots__})
    flags = ("allow_pickle", "compile", "attention_slicing", "vae_slicing", "vae_tiling")
    second = values["guidance_scale_2"]
    return DiffusersOptions(
        **{name: flag(values, name) for name in flags},
        config=None if values["config"] is None else str(values["config"]),
        accept_unmatched=words(values, "accept_unmatched"),
        offload=_offload(str(values["offload"])),
        scheduler=_scheduler(values["scheduler"]),
        guidance_scale_2=None if second is None else number(values, "guidance_scale_2"),
    )


def _offload(value: str) -> str:
    if value not in OFFLOADS:
        raise BackendError(unknown("backend.options.offload", value, OFFLOADS))
    return value


def _scheduler(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BackendError(f"backend.options.scheduler is {value!r}; it must map arguments of schedulers to values.")
    check_sampler(str(value.get("name", DEFAULT)))
    return {str(key): item for key, item in value.items()}
