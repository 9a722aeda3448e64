"""What holds for all tests: the order of their files, and that a slow machine is no reason to fail."""

import pytest
from hypothesis import HealthCheck, settings

# by default Hypothesis fails a test whose examples take long to make, which a busy machine does to any of them
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

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
    "test_perception_clip.py",
    "test_verdict_stability.py",
)
"""Files of more than about ten seconds, the longest first, so that no worker ends long after the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files, then the others as they were."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONG)))
