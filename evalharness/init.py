"""A new suite written, and read back before it takes its place: what is there afterwards can be run."""

import re
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

from evalharness.appearance import Appearance
from evalharness.character import Character, check_name
from evalharness.config import compose
from evalharness.errors import ConfigError
from evalharness.replacing import write_whole
from evalharness.report.suite_file import suite_text
from evalharness.suite import Suite, read_suite


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a place where a suite would not be found, or where something is; raises ConfigError."""
    check_name(target.stem)
    if target.suffix != ".yaml" or target.resolve().parent.name != "suites":
        raise ConfigError(
            f"--to '{target}' would not be found: a suite is a .yaml file in a folder named suites, such as "
            f"suites/{target.stem or 'mine'}.yaml."
        )
    if target.exists() and not force:
        raise ConfigError(f"'{target}' exists already; give another NAME or --to, or overwrite it with --force.")


def write_suite(character: Character, seen: Appearance | None, target: Path) -> tuple[Suite, str]:
    """Write the suite of a character, and return it as it is read, with the command that runs it.

    Raises ConfigError, and leaves what is there as it is, where it would not be read as what was said.
    """
    command = run_command(character, target)
    text = suite_text(character, seen, command)
    with TemporaryDirectory() as folder:
        (Path(folder) / "suites").mkdir()
        written = Path(folder) / "suites" / f"{target.stem}.yaml"
        written.write_text(text, encoding="utf-8")
        suite = _read_back(character, target.stem, Path(folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, text)
    return suite, command


def run_command(character: Character, target: Path) -> str:
    """The command line, for a shell, that runs the suite from the current folder."""
    words = ["evalharness", "run", f"suite={target.stem}"]
    home = target.resolve().parent.parent
    if home != Path.cwd() or (Path("conf") / "suites" / target.name).exists():
        words += ["--config-dir", str(home)]
    if character.base is not None:
        words.append(f"backend.model={override_value(character.base)}")
    return shlex.join(words)


def override_value(text: str) -> str:
    r"""A text as the value of an override: plain where that is enough, else in quotes with `'` and `${` escaped."""
    if (
        re.fullmatch(r"[\w./~:@-]+", text, re.ASCII)
        and re.search(r"[./]", text)
        and not re.fullmatch(r"[\d.e-]+", text)
    ):
        return text
    literal = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)
    # within quotes, backslashes count only before a quote and at the end
    literal = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + (r"\'" if found[2] else ""), literal)
    return f"'{literal}'"


def _read_back(character: Character, name: str, folder: Path) -> Suite:
    """The suite as a run would read it, which must say what the character said."""
    config = compose([f"suite={name}"], folder)
    suite = read_suite(config.suite)
    asked = [prompt for prompt in suite.prompts if prompt.axes.get("trigger") == "asked"]
    said = (suite.name, suite.references, config.subjects)
    loras = (character.loras,) if character.loras else ()
    if said != (character.name, character.references, loras) or not all(
        prompt.text.startswith(character.trigger) for prompt in asked
    ):
        raise ConfigError(f"the trigger '{character.trigger}' or a path does not come back from the file as it is.")
    return suite
