"""The order of the files: those that take longest first, so that no worker ends long after the other."""

import pytest

LONG = (
    "test_kill.py",
    "test_demo_training.py",
    "test_families.py",
    "test_demo_run.py",
    "test_watch.py",
    "test_perception.py",
    "test_watch_demo.py",
    "test_run.py",
    "test_lookers.py",
    "test_verdict_stability.py",
)
"""Files of more than about ten seconds, the longest first; `pytest --durations=40` tells."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files, then the others as they were."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONG)))
