#!/usr/bin/env bash
# Says the verdict on the pull request: one comment, which later runs update. It never fails a job: a pull request from
# a fork has a token that may not write, and the verdict is in the job's summary all the same.
# Given: PULL_REQUEST, COMMENT_KEY, COMMENT_AUTHOR, FOLDER, ARTIFACT_NAME, ARTIFACT_URL, LINK_BASE, GITHUB_REPOSITORY,
# GH_TOKEN.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ -z "$PULL_REQUEST" ]; then
    echo "no pull request, so there is nothing to comment on."
    exit 0
fi
warn() {
    echo "::warning::the verdict could not be written to the pull request; it is in the job's summary."
    exit 0
}

# a digest: the key must not end the comment in which it hides
key=$(printf '%s' "$COMMENT_KEY" | python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])')
marker="<!-- evalharness-gate $key -->"
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
    echo "$marker"
    if [ -s "$FOLDER/comment.md" ]; then
        cat "$FOLDER/comment.md"
    else
        printf '### ✖ Not judged\n\nThe log of the job says why.\n'
    fi
    if [ -n "$ARTIFACT_URL" ]; then
        printf '\n[Report with all images](%s) (artifact %s' "$ARTIFACT_URL" "$ARTIFACT_NAME"
        [ -n "$LINK_BASE" ] || printf '; the links to images lead to files inside it'
        printf ')\n'
    fi
} >"$body"

comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
found=$(gh api --paginate "$comments?per_page=100" | python "$here/select_json.py" comment "$marker" "$COMMENT_AUTHOR") || warn
if [ -n "$found" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" -F "body=@$body" >/dev/null || warn
else
    gh api --method POST "$comments" -F "body=@$body" >/dev/null || warn
fi
