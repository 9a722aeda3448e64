"""Images that exist already: which files there are, and what their names or a CSV say about each."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evalharness.csv_rows import read_rows
from evalharness.errors import SuiteError, unknown
from evalharness.paths import IMAGE_SUFFIXES

FIELD = re.compile(r"\{(\w+)\}")
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingFile:
    """An image and what is said about it: axis labels, `prompt`, `subject`, `seed`, `variant`, `cfg`, `strength`."""

    path: Path
    fields: Mapping[str, str] = field(default_factory=dict)


def list_files(
    folder: Path,
    patterns: Sequence[str] = (),
    table: Path | None = None,
    labels: Mapping[str, Collection[str]] | None = None,
    skip_unmatched: bool = False,
) -> tuple[ExistingFile, ...]:
    """The images of a folder with their fields, in name order: from a CSV `table`, else by the first fitting pattern.

    A pattern such as '{subject}/{archetype}_{emotion}_{variant}.png' fits .png, .jpg, .jpeg and .webp alike; with a /
    it is compared with the path below the folder. `labels` are known values of fields, tried before any text.
    Raises SuiteError for no images, and for files that fit nothing unless `skip_unmatched`.
    """
    if table is not None:
        return tuple(_rows(folder, table))
    if not patterns:
        raise SuiteError("the suite does not say what file names mean; give files.pattern or files.csv.")
    matchers = [_matcher(pattern, labels or {}) for pattern in patterns]
    nested = any("/" in pattern for pattern in patterns)
    paths = [
        path
        for path in sorted(folder.rglob("*") if nested else folder.glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
    ]
    matched = {path: _match(path.relative_to(folder).with_suffix("").as_posix(), matchers) for path in paths}
    missed = [path for path, fields in matched.items() if fields is None]
    if missed and not skip_unmatched:
        raise SuiteError(_unmatched(missed, patterns))
    found = tuple(ExistingFile(path=path, fields=fields) for path, fields in matched.items() if fields is not None)
    if not found:
        raise SuiteError(f"no image in '{folder}' fits {' or '.join(map(repr, patterns))}; change files.pattern.")
    return found


def _matcher(pattern: str, labels: Mapping[str, Collection[str]]) -> re.Pattern[str]:
    suffix = Path(pattern).suffix
    stem = pattern.removesuffix(suffix) if suffix.lower() in IMAGE_SUFFIXES else pattern
    names = FIELD.findall(stem)
    if len(set(names)) != len(names) or "{" in FIELD.sub("", stem):
        raise SuiteError(f"files.pattern '{pattern}' is not readable; write each field once, as {{name}}.")
    # split() with one group gives text, field, text, field, ..., text
    parts = [
        _group(part, labels.get(part, ())) if index % 2 else re.escape(part)
        for index, part in enumerate(FIELD.split(stem))
    ]
    return re.compile("".join(parts))


def _group(name: str, labels: Collection[str]) -> str:
    # longest first, so that left_profile is not read as left; other text is kept to be named in an error
    known = "".join(re.escape(label) + "|" for label in sorted(labels, key=len, reverse=True))
    return f"(?P<{name}>{known}[^/]+?)"


def _match(stem: str, matchers: Sequence[re.Pattern[str]]) -> dict[str, str] | None:
    for matcher in matchers:
        if found := matcher.fullmatch(stem):
            return found.groupdict()
    return None


def _unmatched(missed: Sequence[Path], patterns: Sequence[str]) -> str:
    names = ", ".join(f"'{path.name}'" for path in missed[:SHOWN])
    more = f" and {len(missed) - SHOWN} more" if len(missed) > SHOWN else ""
    return (
        f"{names}{more}: the name does not fit {' or '.join(map(repr, patterns))}; rename the files, change "
        "files.pattern, or set files.skip_unmatched=true."
    )


def _rows(folder: Path, table: Path) -> Iterator[ExistingFile]:
    """The rows of a CSV with a column `file`, relative to the folder; empty cells say nothing."""
    for row in read_rows(table, f"files.csv '{table}'", SuiteError):
        name = row.get("file")
        if not name:
            raise SuiteError(f"files.csv '{table}': {unknown('column', 'file', [key for key in row if key])}")
        path = folder / name
        if not path.is_file():
            raise SuiteError(f"files.csv '{table}' names '{name}', which is not in '{folder}'.")
        yield ExistingFile(
            path=path, fields={key: value for key, value in row.items() if key and key != "file" and value}
        )
