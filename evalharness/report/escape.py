"""Texts of others (names, prompts, reasons) as text and nothing else, in XML and in a comment on GitHub."""

import re
import unicodedata

FORBIDDEN_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""All but the characters of XML 1.0 (https://www.w3.org/TR/xml/#charsets): no escape makes the others legal."""
MARKUP = re.compile(r"[\\`*_\[\]|~$]")
ADDRESSED = re.compile(r"@|#|://|\bwww\.", re.IGNORECASE)
"""What GitHub makes mentions, references and links of, even where a backslash stands before it."""
UNSEEN = "\u200b"
"""A space without width: after it, a name or number is none that GitHub would look up."""
DIRECTIONS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of writing, and so what the text after them seems to say."""


def for_xml(text: str) -> str:
    r"""The text with what XML forbids written as people read it, such as \x1b; markup is the XML writer's to escape."""
    return FORBIDDEN_IN_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def for_markdown(text: str, longest: int = 300) -> str:
    """The text as one line of a markdown table, not yet escaped as HTML; cut to `longest` characters before that.

    No markup, table bar, line end, mention, reference or link can come of it.
    """
    line = "".join(" " if _is_control(one) else one for one in text)
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    return MARKUP.sub(r"\\\g<0>", ADDRESSED.sub(rf"\g<0>{UNSEEN}", line))


def _is_control(one: str) -> bool:
    return unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in DIRECTIONS
