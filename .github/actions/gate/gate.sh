#!/usr/bin/env bash
# Measures the candidates and judges them. It does not fail with the verdict: the exit code is an output, so that the
# report is uploaded and the comment written before end.sh ends the job by it.
# Given: SUITE, CANDIDATE, BASE_MODEL, PROMOTED_IN, OVERRIDES, FOLDER, LINK_BASE. Outputs: exit-code.
# Leaves in FOLDER: the run with its report.html, comment.md, junit.xml, gate.json.
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT

finish() {
    echo "exit-code=$1" >>"$GITHUB_OUTPUT"
    cat "$FOLDER/comment.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
    exit 0
}

# an indented block, in which nothing is markup
broken() {
    {
        printf '### ✖ Not judged (exit code %s)\n\n' "$1"
        tail -n 5 "$log" | cut -c 1-400 | sed 's/^/    /'
    } >"$FOLDER/comment.md"
    finish "$1"
}

refuse() {
    echo "$1" | tee "$log"
    broken 2
}

# between quotes, Hydra reads nothing but these as more than text
quoted() {
    case "$1" in
    *[\'\\\$]*) return 1 ;;
    *) printf "'%s'" "$1" ;;
    esac
}

trimmed() {
    local text=$1
    text=${text#"${text%%[![:space:]]*}"}
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}

# what a program prints must not be read as commands to the runner
quietly() {
    local token code=0
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "::stop-commands::$token"
    "$@" 2>"$log" || code=$?
    cat "$log" >&2
    echo "::$token::"
    return "$code"
}

[ -n "$FOLDER" ] || FOLDER=runs/gate
mkdir -p "$FOLDER"
rm -f "$FOLDER/comment.md" "$FOLDER/junit.xml" "$FOLDER/gate.json"

[[ "$SUITE" =~ ^[A-Za-z0-9_./-]+$ ]] || refuse "the input suite is '$SUITE'; give the name of a file in suites/."

subjects=""
while IFS= read -r line; do
    line=$(trimmed "$line")
    [ -n "$line" ] || continue
    one=$(quoted "$line") || refuse "the candidate '$line' has a quote, a backslash or a dollar sign; rename the file."
    subjects+="${subjects:+,}$one"
done <<<"$CANDIDATE"
[ -n "$subjects" ] || refuse "the input candidate is empty; give a LoRA file or a glob pattern."
folder=$(quoted "$FOLDER") || refuse "the folder '$FOLDER' has a quote, a backslash or a dollar sign; choose another."

settings=("suite=$SUITE")
if [ -n "$BASE_MODEL" ]; then
    model=$(quoted "$BASE_MODEL") || refuse "the base model '$BASE_MODEL' has a quote, a backslash or a dollar sign."
    settings+=("backend.model=$model")
fi
while IFS= read -r line; do
    line=$(trimmed "$line")
    case "$line" in
    "") ;;
    -*) refuse "the override '$line' begins with a dash; overrides are KEY=VALUE." ;;
    folder=* | subjects=* | suite=* | backend.model=*) refuse "the override '$line' has an input of its own; use that." ;;
    *) settings+=("$line") ;;
    esac
done <<<"$OVERRIDES"
settings+=("subjects=[$subjects]" "folder=$folder")

code=0
quietly evalharness run "${settings[@]}" || code=$?
case "$code" in
0 | 3 | 4) ;;
*) broken "$code" ;;
esac

against=()
[ -z "$PROMOTED_IN" ] || against=(--against promoted --promoted-in "$PROMOTED_IN")
answer=(--junit "$FOLDER/junit.xml" --markdown "$FOLDER/comment.md" --link-base "$LINK_BASE" --json)
# shellcheck disable=SC2329 # called by its name
judge() { evalharness gate "$FOLDER" ${against[@]+"${against[@]}"} "${answer[@]}" >"$FOLDER/gate.json"; }

code=0
quietly judge || code=$?
case "$code" in
0 | 3 | 4) finish "$code" ;;
*) broken "$code" ;;
esac
