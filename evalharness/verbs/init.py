"""`evalharness init`: a suite for a character, after a few questions or flags."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evalharness.verbs.questions import Questions

if TYPE_CHECKING:
    from evalharness.appearance import Appearance
    from evalharness.character import Character
    from evalharness.types import ImageSide

HELP = "write a suite for a character, after a few questions or flags"
SIDES: "tuple[ImageSide, ...]" = ("left", "right", "none")
NOT_ASKED = "?"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("name", nargs="?", metavar="NAME", help="the suite's name (default: made of the trigger)")
    verb.add_argument("--trigger", metavar="WORD", help="the word that the LoRA was captioned with (default: NAME)")
    verb.add_argument("--references", metavar="DIR", help="a folder with images of the character")
    verb.add_argument("--hair-side", choices=SIDES, help="the image's side where the hair hangs, from the front")
    verb.add_argument("--family", help="sd15, sdxl, illustrious, anima, flux2, zimage, qwen or wan (default: sd15)")
    verb.add_argument("--base", metavar="PATH", help="the checkpoint; left out, the demo's")
    verb.add_argument("--loras", metavar="GLOB", help="LoRA files, such as 'loras/mine-*.safetensors'")
    verb.add_argument("--strengths", metavar="LIST", help="LoRA strengths (default: 0.7,1.0)")
    verb.add_argument("--seeds", metavar="N", help="how many seeds for each prompt (default: 2)")
    verb.add_argument("--to", type=Path, metavar="FILE", help="where to write it (default: suites/NAME.yaml)")
    verb.add_argument("--yes", action="store_true", help="ask nothing: take the defaults")
    verb.add_argument("--force", action="store_true", help="overwrite a suite that is there")


def do(options: argparse.Namespace) -> int:
    """Ask what is not said, write the suite, and say how to go on."""
    from evalharness.init import check_target, write_suite

    questions = Questions(asked=sys.stdin.isatty() and not options.yes)
    name, trigger = _names(options, questions)
    target: Path = options.to or Path("suites") / f"{name}.yaml"
    check_target(target, force=options.force)
    references, seen = _references(options, questions)
    character = _character(options, questions, (name, trigger), (references, seen))
    suite, command = write_suite(character, seen, target)
    images = len(suite.prompts) * len(suite.seeds)
    sys.stdout.write(
        f"\n{target}: {len(suite.prompts)} prompts x {len(suite.seeds)} seeds = {images} images without LoRA, and "
        f"{images * len(suite.strengths)} for each LoRA\nnext       {command} --dry-run\n"
    )
    return 0


def _names(options: argparse.Namespace, questions: Questions) -> tuple[str, str]:
    """The suite's name and the trigger, each made of the other where only one is said."""
    from evalharness.character import check_name, name_of, read_trigger

    name = options.name or (options.to.stem if options.to else None)
    trigger = questions.answer(options.trigger, "Trigger word that the LoRA was captioned with", name, read_trigger)
    return questions.answer(name, "Name of the suite", name_of(trigger), check_name), trigger


def _references(options: argparse.Namespace, questions: Questions) -> "tuple[str | None, Appearance | None]":
    """The folder, and what is seen in it; that is said at once, since it proposes the hair's side."""
    from evalharness.appearance import look_at_references
    from evalharness.paths import resolve

    def look(folder: str | None) -> "tuple[str | None, Appearance | None]":
        from evalharness.perception.offline import OfflinePerceiver

        return folder, look_at_references(resolve(folder), OfflinePerceiver()) if folder else None

    folder, seen = questions.answer(options.references, "Folder with images of the character", None, look)
    for sentence in seen.sentences if seen else ():
        sys.stdout.write(f"seen       {sentence}\n")
    return folder, seen


def _character(
    options: argparse.Namespace,
    questions: Questions,
    names: tuple[str, str],
    looks: "tuple[str | None, Appearance | None]",
) -> "Character":
    """All else that a suite needs."""
    from evalharness.captioning import FAMILIES, check_family
    from evalharness.character import Character, find_loras, read_seeds, read_strengths

    answer, proposed = questions.answer, looks[1].side.proposed if looks[1] else None
    side = f"Image's side where the hair hangs, from the front (left, right, none; {NOT_ASKED} = not asked)"
    return Character(
        name=names[0],
        trigger=names[1],
        references=looks[0],
        hair_side=answer(options.hair_side, side, proposed or NOT_ASKED, _side),
        family=answer(options.family, f"Model family ({', '.join(FAMILIES)})", "sd15", check_family),
        base=answer(options.base, "Checkpoint, a folder or file (none = the embedded demo's)", None, lambda text: text),
        loras=answer(options.loras, "LoRA files, a path or pattern", find_loras(names[0]), lambda text: text),
        strengths=answer(options.strengths, "LoRA strengths", "0.7,1.0", read_strengths),
        seeds=answer(options.seeds, "Seeds for each prompt", "2", read_seeds),
    )


def _side(text: str | None) -> "ImageSide | None":
    from evalharness.errors import ConfigError, unknown

    for side in SIDES:
        if text == side:
            return side
    if text == NOT_ASKED:
        return None
    raise ConfigError(unknown("side", str(text), (*SIDES, NOT_ASKED)))
