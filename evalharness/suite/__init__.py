"""What is measured: prompts with expectations, seeds, settings, strengths, scorers and gates."""

from evalharness.suite.model import Budget, FileNames, SettingTemplate, Suite
from evalharness.suite.read import read_suite

__all__ = ["Budget", "FileNames", "SettingTemplate", "Suite", "read_suite"]
