#!/usr/bin/env bash
# Names of the caches: what is fetched again when the model, or what is installed, is another.
# Given: BASE_MODEL, PYTHON_VERSION. Outputs: model, pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# a digest, for a key may hold neither commas nor whatever else a path has
digest() { python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])'; }

system=$(uname -sm | tr ' ' '-')
{
    echo "model=evalharness-model-$system-$(printf '%s' "$BASE_MODEL" | digest)"
    echo "pip=evalharness-pip-$system-$({ printf '%s' "$PYTHON_VERSION" && cat "$here/../../../pyproject.toml"; } | digest)"
} >>"$GITHUB_OUTPUT"
