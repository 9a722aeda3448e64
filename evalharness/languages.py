"""The languages of our pages: one file of texts for each, in reports/texts."""

import json

from evalharness.errors import ConfigError, unknown
from evalharness.paths import shipped

DEFAULT = "en"


def languages() -> tuple[str, ...]:
    """The codes that a page may be asked for, such as en and ja."""
    return tuple(sorted(path.stem for path in (shipped("reports") / "texts").glob("*.json")))


def known_language(given: str) -> str:
    """The language as it was given; raises ConfigError, with the nearest, for one that has no texts."""
    known = languages()
    if given in known:
        return given
    # 'ja-JP' and 'Japanese' begin like the code that is meant
    code = given[:2].lower()
    if code in known:
        raise ConfigError(f"unknown language '{given}'. Did you mean '{code}'? Known: {', '.join(known)}.")
    raise ConfigError(unknown("language", given, known))


def texts(language: str = DEFAULT) -> dict[str, str]:
    """All that our pages say, by its key."""
    folder = shipped("reports") / "texts"
    words: dict[str, str] = json.loads((folder / f"{known_language(language)}.json").read_text("utf-8"))
    return words
