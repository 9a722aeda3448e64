#!/usr/bin/env bash
# Installs the evalharness that this action is a part of. Given: CONSTRAINTS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ -n "$CONSTRAINTS" ]; then
    export PIP_CONSTRAINT="$PWD/$CONSTRAINTS"
fi
python -m pip install --quiet --disable-pip-version-check "$here/../../.."
