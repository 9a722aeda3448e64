#!/usr/bin/env bash
# Fetches the folder of promoted LoRAs from the newest artifact of that name.
# Given: ARTIFACT, DEFAULT_BRANCH, RUNNER_TEMP, GITHUB_REPOSITORY, GITHUB_REPOSITORY_ID, GH_TOKEN. Outputs: folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ ! "$ARTIFACT" =~ ^[A-Za-z0-9._-]+$ ]]; then
    echo "::error::promoted-artifact must be letters, digits, dots, dashes and underscores."
    exit 2
fi
run=$(gh api "repos/$GITHUB_REPOSITORY/actions/artifacts?name=$ARTIFACT&per_page=100" \
    | python "$here/select_json.py" artifact "$DEFAULT_BRANCH" "$GITHUB_REPOSITORY_ID")
if [ -z "$run" ]; then
    echo "::error::no artifact '$ARTIFACT' of the branch '$DEFAULT_BRANCH' is left; promote again, and upload it there."
    exit 2
fi
folder=$(mktemp -d "$RUNNER_TEMP/promoted-XXXXXX")
gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "$ARTIFACT" --dir "$folder"
echo "folder=$folder" >>"$GITHUB_OUTPUT"
