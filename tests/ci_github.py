"""GitHub, as far as the action's scripts meet it: `python tests/ci_github.py api ...` stands in for the command gh.

Its folder `GITHUB_WORLD` holds comments.json and artifacts.json (pages, as the API answers them), the artifacts' files
below artifacts/RUN/NAME, and calls.jsonl, where every call is written down. A file `forbidden` there is a token that
may not write.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WORLD = Path(os.environ.get("GITHUB_WORLD", "."))
BOT = "github-actions[bot]"


def comment(number: int, author: str | None, body: str) -> dict[str, Any]:
    """A comment as the API shows it; the account behind it may be gone."""
    return {"id": number, "user": None if author is None else {"login": author}, "body": body}


def pages(name: str) -> list[Any]:
    """The pages of an answer, or one that is empty."""
    path = WORLD / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else [[]]


def write(name: str, found: list[Any]) -> None:
    (WORLD / f"{name}.json").write_text(json.dumps(found), "utf-8")


def api(words: Sequence[str]) -> int:
    """Reads of comments and artifacts, and what changes comments."""
    method = words[words.index("--method") + 1] if "--method" in words else "GET"
    (place,) = (word for word in words if word.startswith("repos/mai/loras/"))
    if method == "GET":
        sys.stdout.write(
            "".join(json.dumps(page) for page in pages("artifacts" if "artifacts" in place else "comments"))
        )
        return 0
    if (WORLD / "forbidden").exists():
        sys.stderr.write("gh: Resource not accessible by integration (HTTP 403)\n")
        return 1
    body = Path(words[words.index("-F") + 1].removeprefix("body=@")).read_text("utf-8")
    change(method, place, body)
    return 0


def change(method: str, place: str, body: str) -> None:
    """A new comment, or another text for one that is there."""
    known = pages("comments")
    if method == "POST":
        assert place == "repos/mai/loras/issues/7/comments"
        known[-1].append(comment(100 + sum(map(len, known)), BOT, body))
    else:
        number = int(place.removeprefix("repos/mai/loras/issues/comments/"))
        (found,) = (one for page in known for one in page if one["id"] == number)
        found["body"] = body
    write("comments", known)


def download(words: Sequence[str]) -> int:
    """`gh run download RUN --name NAME --dir DIR`."""
    name, target = (words[words.index(flag) + 1] for flag in ("--name", "--dir"))
    shutil.copytree(WORLD / "artifacts" / words[0] / name, target, dirs_exist_ok=True)
    return 0


def main(words: Sequence[str]) -> int:
    with (WORLD / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")
    return api(words[1:]) if words[0] == "api" else download(words[2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
