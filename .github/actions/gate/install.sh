#!/usr/bin/env bash
# Installs the evalharness that this action is a part of.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

python -m pip install --quiet --disable-pip-version-check "$here/../../.."
