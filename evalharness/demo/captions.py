"""Captions of looks, as trainers write them: comma tags in any order, the published template, or sentences."""

import numpy as np

from evalharness.demo import phrases
from evalharness.demo.look import Look, image_side

TRIGGER = "sakichan"
"""The name of the character that LoRAs learn; the base model never reads it."""

TEMPLATE_SHARE = 0.15
PROSE_SHARE = 0.3
# 0.75 at first; shortened in the hope that emotions would be followed, which they were not (docs/experiments.md).
LESSER_SHARE = 0.4
COLOR_SHARE = 0.85


def caption(look: Look, rng: np.random.Generator) -> str:
    """A caption of a look: half of them tags, the others the harmony template or sentences; details may be left out."""
    kind = rng.random()
    # the template says nothing of faults and needs a face
    if kind < TEMPLATE_SHARE and look.view == "front" and not look.faults:
        return harmony_prompt(look)
    if kind < TEMPLATE_SHARE + PROSE_SHARE:
        return prose(look, rng)
    return tags(look, rng)


def harmony_prompt(look: Look) -> str:
    """The prompt of the published facial-harmony experiment for the look's archetype and emotion."""
    archetype, emotion = phrases.HARMONY_ARCHETYPES[look.archetype], phrases.HARMONY_EMOTIONS[look.emotion]
    return f"{archetype}, {emotion}, {phrases.HARMONY_ENDING}"


def tags(look: Look, rng: np.random.Generator) -> str:
    """Comma tags in random order; each of the lesser ones is left out now and then."""
    kept = [one for one in _lesser_tags(look, rng) if rng.random() < LESSER_SHARE]
    listed = [*_main_tags(look, rng), *kept]
    shuffled = [listed[index] for index in rng.permutation(len(listed))]
    return ", ".join(["1girl", *shuffled] if rng.random() < 0.5 else shuffled)


def _main_tags(look: Look, rng: np.random.Generator) -> list[str]:
    listed = [_any(phrases.VIEW_TAGS[look.view], rng), *hair_tags(look, rng)]
    if rng.random() < COLOR_SHARE:
        listed.append(f"{look.hair_color} hair")
    listed += [phrases.FAULT_TAGS[fault] for fault in look.faults]
    return listed if look.view == "behind" else [*listed, _any(phrases.EMOTION_TAGS[look.emotion], rng)]


def _lesser_tags(look: Look, rng: np.random.Generator) -> list[str]:
    listed = [
        phrases.OUTFITS[look.outfit],
        _any(phrases.BACKGROUND_TAGS[look.background], rng),
        phrases.LIGHT_TAGS[look.light],
        look.pose,
    ]
    if look.hairstyle != "down":
        listed.append(f"{look.scrunchie} scrunchie")
    if look.ahoge:
        listed.append("ahoge")
    if look.view != "behind":
        listed += [f"{look.eye_color} eyes", _any(phrases.ARCHETYPE_TAGS[look.archetype], rng)]
    return listed


def hair_tags(look: Look, rng: np.random.Generator) -> list[str]:
    """The hairstyle and, for a side ponytail, its side: the character's own or the image's."""
    style = _any(phrases.HAIRSTYLE_TAGS[look.hairstyle], rng)
    if look.hairstyle != "side_ponytail":
        return [style]
    own = f"side ponytail on her {look.side}"
    shown = f"side ponytail on the {image_side(look)} of the image"
    return [_any((own, shown), rng)] if rng.random() < 0.8 else [own, shown]


def prose(look: Look, rng: np.random.Generator) -> str:
    """Two to six sentences about the look."""
    hair = f" with {look.hair_color} hair" if rng.random() < 0.8 else ""
    first = f"An anime girl{hair} {_any(phrases.VIEW_PROSE[look.view], rng)}."
    lesser = [
        f"She wears a {phrases.OUTFITS[look.outfit]}.",
        phrases.BACKGROUND_PROSE[look.background],
        f"She is {look.pose}.",
    ]
    kept = [one for one in lesser if rng.random() < 0.6]
    said = [hair_sentence(look), *_face_sentences(look, rng), *kept]
    said += [f"There is a fault: {phrases.FAULT_TAGS[fault]}." for fault in look.faults]
    return " ".join([first, *(said[index] for index in rng.permutation(len(said)))])


def hair_sentence(look: Look) -> str:
    """One sentence on the hairstyle, with the side of the image where a side ponytail shows."""
    if look.hairstyle == "side_ponytail":
        side = image_side(look)
        return f"Her side ponytail with a {look.scrunchie} scrunchie is visible on the {side} side of the image."
    if look.hairstyle == "down":
        return "Her hair is down."
    style = phrases.HAIRSTYLE_TAGS[look.hairstyle][0]
    return f"Her hair is in {'a ' if style == 'ponytail' else ''}{style} with a {look.scrunchie} scrunchie."


def _face_sentences(look: Look, rng: np.random.Generator) -> list[str]:
    if look.view == "behind":
        return []
    said = [f"She is {look.emotion}." if rng.random() < 0.7 else f"Her face is {look.emotion}."]
    if rng.random() < 0.5:
        said.append(f"She has {look.eye_color} eyes.")
    if rng.random() < 0.5:
        said.append(f"She is a {look.archetype} character.")
    return said


def _any(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
