"""Images that exist already: which files there are, and what their names, a CSV or they themselves say about each."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evalharness.csv_rows import read_rows
from evalharness.errors import SuiteError, unknown
from evalharness.infotext import Infotext
from evalharness.paths import IMAGE_SUFFIXES
from evalharness.plan.described import read_made

FIELD = re.compile(r"\{(\w+)\}")
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingFile:
    """An image and what is said about it: axis labels, `prompt`, `subject`, `seed`, `variant`, `cfg`, `strength`.

    `made` is what the file says of itself; then there are no fields.
    """

    path: Path
    fields: Mapping[str, str] = field(default_factory=dict)
    made: Infotext | None = None


def list_files(
    folder: Path,
    patterns: Sequence[str] = (),
    table: Path | None = None,
    labels: Mapping[str, Collection[str]] | None = None,
    skip_unmatched: bool = False,
) -> tuple[ExistingFile, ...]:
    """The images of a folder with their fields, in name order: from a CSV `table`, else by the first fitting pattern.

    One source speaks for a file. What fits no pattern, and without patterns every image below the folder, is what its
    own metadata says (A1111's infotext, ComfyUI's graph, our record).

    A pattern such as '{subject}/{archetype}_{emotion}_{variant}.png' fits .png, .jpg, .jpeg and .webp alike; with a /
    it is compared with the path below the folder. `labels` are known values of fields, tried before any text.
    Raises SuiteError for no images, and for files that fit nothing unless `skip_unmatched`, which leaves them out.
    """
    if table is not None:
        return tuple(_rows(folder, table))
    if not patterns:
        return _made(folder, skip_unmatched)
    matchers = [_matcher(pattern, labels or {}) for pattern in patterns]
    paths = _images(folder, any("/" in pattern for pattern in patterns))
    matched = {path: _match(path.relative_to(folder).with_suffix("").as_posix(), matchers) for path in paths}
    named = [ExistingFile(path=path, fields=fields) for path, fields in matched.items() if fields is not None]
    missed = [path for path, fields in matched.items() if fields is None]
    told = {} if skip_unmatched else {path: read_made(path) for path in missed}
    if silent := [path for path, made in told.items() if isinstance(made, str)]:
        raise SuiteError(_unmatched(silent, patterns))
    speaking = [ExistingFile(path=path, made=made) for path, made in told.items() if not isinstance(made, str)]
    if not (named or speaking):
        raise SuiteError(f"no image in '{folder}' fits {' or '.join(map(repr, patterns))}; change files.pattern.")
    return tuple(sorted([*named, *speaking], key=lambda file: file.path))


def _images(folder: Path, nested: bool) -> list[Path]:
    paths = sorted(folder.rglob("*") if nested else folder.glob("*"))
    return [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def _made(folder: Path, skip_silent: bool) -> tuple[ExistingFile, ...]:
    """The images below a folder that say themselves how they were made."""
    told = {path: read_made(path) for path in _images(folder, nested=True)}
    if not told:
        raise SuiteError(f"'{folder}' holds no image; give a folder with PNG, JPEG or WebP files.")
    silent = {path: made for path, made in told.items() if isinstance(made, str)}
    if silent and (not skip_silent or len(silent) == len(told)):
        (first, reason), *others = silent.items()
        more = f"; so it is with {len(others)} more" if others else ""
        raise SuiteError(
            f"'{first.name}' {reason}{more}; say what file names mean with files.pattern or files.csv, or leave such "
            "files out with files.skip_unmatched=true."
        )
    return tuple(ExistingFile(path=path, made=made) for path, made in told.items() if not isinstance(made, str))


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
