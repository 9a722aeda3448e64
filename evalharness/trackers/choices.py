"""A tracker's options, checked."""

from collections.abc import Mapping
from typing import Any

from evalharness.errors import ConfigError, unknown


def checked(tracker: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with what was given; raises ConfigError for an option that the tracker does not have."""
    for name in given:
        if name not in defaults:
            raise ConfigError(unknown(f"option of tracker {tracker}", name, defaults))
    return dict(defaults) | dict(given)
