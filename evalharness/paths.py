"""Where things are: our own conf/, suites/, reports/ and demo data, in a checkout as in an installed wheel."""

import glob
from pathlib import Path

from evalharness.errors import InputError

PACKAGE = Path(__file__).resolve().parent
DEMO = "demo:"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""What counts as an image among existing files and references."""


def shipped(folder: str) -> Path:
    """Our folder `conf`, `suites` or `reports`: inside the wheel, or beside the package in a checkout."""
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def resolve(text: str) -> Path:
    """A path as users write it: `demo:loras/x.safetensors` is the embedded demo's, `~` is the home folder."""
    if text.startswith(DEMO):
        return PACKAGE / "demo" / "data" / text.removeprefix(DEMO)
    return Path(text).expanduser()


def expand(patterns: tuple[str, ...]) -> tuple[Path, ...]:
    """All files of several paths or glob patterns, each pattern in name order; raises InputError for no match."""
    found: list[Path] = []
    for pattern in patterns:
        matches = sorted(Path(p) for p in glob.glob(str(resolve(pattern)), recursive=True))
        if not matches:
            raise InputError(f"no file matches '{pattern}'; give an existing path or glob pattern.")
        found += [path for path in matches if path not in found]
    return tuple(found)
