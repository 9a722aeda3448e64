#!/usr/bin/env bash
# Ends the job as the verdict says: 3 fails, 4 by choice, 2, 1 and everything else always.
# Given: EXIT_CODE, FAIL_ON_INCONCLUSIVE.
set -euo pipefail

case "$FAIL_ON_INCONCLUSIVE" in
true | false) ;;
*)
    echo "::error::fail-on-inconclusive must be true or false."
    exit 2
    ;;
esac
case "$EXIT_CODE" in
0)
    echo "promoted: every check passed"
    exit 0
    ;;
3)
    echo "::error::rejected: a check failed"
    exit 3
    ;;
4)
    echo "::warning::not enough evidence to promote or to reject"
    [ "$FAIL_ON_INCONCLUSIVE" = true ] && exit 4
    exit 0
    ;;
[0-9] | [0-9][0-9] | [0-9][0-9][0-9])
    echo "::error::nothing was judged (exit code $EXIT_CODE)"
    exit "$EXIT_CODE"
    ;;
*)
    echo "::error::nothing was judged"
    exit 1
    ;;
esac
