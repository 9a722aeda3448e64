"""Is an unwanted thing to be seen? What tags say, where offline perception cannot tell."""

from evalharness.scorers.answered import Told
from evalharness.scorers.tag_evidence import evidence, in_words, likely, tagger_of, unlikely
from evalharness.types import Observation


def tagged(thing: str, observation: Observation) -> Told | None:
    """What the picture's tagger says of a thing; None where nobody tagged or no tag means it."""
    tags, tagger = evidence().things.get(thing), tagger_of(observation)
    if tags is None or tagger is None:
        return None
    name = thing.replace("_", " ")
    if seen := likely(observation, tags):
        return Told(seen=True, words=f"{name} seen by {tagger} ({in_words(seen)})")
    most = max(tags, key=lambda tag: observation.tags.get(tag, 0.0))
    strongest = f"{most.replace('_', ' ')} {observation.tags.get(most, 0.0):.2f}"
    if unlikely(observation, tags):
        return Told(seen=False, words=f"no {name} by {tagger} (at most {strongest})")
    return Told(seen=None, words=f"{tagger} is not sure of {name} ({strongest})")
