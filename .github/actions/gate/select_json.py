"""Picks one thing out of what GitHub's API answers; prints its number, or nothing where there is none.

select_json.py comment MARKER AUTHOR            the first comment by this author that begins with the marker
select_json.py artifact BRANCH REPOSITORY_ID    the run of the newest artifact of this branch of this very repository
"""

import json
import sys
from collections.abc import Iterator
from typing import Any


def answers(text: str) -> Iterator[Any]:
    """The JSON values of all pages, which `gh api --paginate` writes one after the other."""
    decoder, place = json.JSONDecoder(), 0
    while (place := len(text) - len(text[place:].lstrip())) < len(text):
        value, place = decoder.raw_decode(text, place)
        yield value


def comment(text: str, marker: str, author: str) -> int | None:
    """Anybody can write the marker; only our own comment is ours to change."""
    found = (one for page in answers(text) for one in page)
    ours = (one for one in found if one["user"] is not None and one["user"]["login"] == author)
    return next((one["id"] for one in ours if one["body"].startswith(marker)), None)


def artifact(text: str, branch: str, repository: str) -> int | None:
    """A fork may have a branch of the same name, and any pull request may upload an artifact of the same name."""
    found = [one for page in answers(text) for one in page["artifacts"] if not one["expired"]]
    trusted = [one for one in found if _is_of(one["workflow_run"], branch, repository)]
    newest = max(trusted, key=lambda one: one["created_at"], default=None)
    return None if newest is None else newest["workflow_run"]["id"]


def _is_of(run: dict[str, Any], branch: str, repository: str) -> bool:
    return run["head_branch"] == branch and str(run["head_repository_id"]) == repository


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    selected = {"comment": comment, "artifact": artifact}[kind](sys.stdin.read(), *rest)
    sys.stdout.write("" if selected is None else f"{selected}\n")
