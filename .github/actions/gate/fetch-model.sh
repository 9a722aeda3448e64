#!/usr/bin/env bash
# Fetches a base model that is a hub id; a run itself downloads nothing. Given: BASE_MODEL.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ -z "$BASE_MODEL" ] || [ -e "$BASE_MODEL" ]; then
    exit 0
fi
if [[ "$BASE_MODEL" =~ ^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$ ]]; then
    python "$here/fetch_model.py" "$BASE_MODEL"
fi
