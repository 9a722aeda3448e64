"""The names that other people's scorers, makers and scripts build on: none is lost, added or renamed unseen."""

import ast
import importlib
import inspect

import pytest

import evalharness

PUBLIC = {
    "evalharness": "__version__",
    "evalharness.errors": (
        "BackendError ConfigError HarnessError InputError NotPromotedError PerceptionError StoreError SubjectError "
        "SuiteError unknown"
    ),
    "evalharness.types": (
        "Advance BASELINE Box Candidate Cell Check Color Criteria Decision Delta EMOTIONS Estimate Expectation Face "
        "Failure Finding FinishedRun Gap Hair ImageSide Judgement Lab LoraFile Mark MetricInfo Observation Outcome "
        "Part PartState "
        "Point PROMOTED Progress Prompt Reference ReferenceImage Rule STRENGTH_NEEDED Score Selection Setting Stack "
        "StackedLora Subject Summary Verdict"
    ),
    "evalharness.backends.base": "Fact Maker",
    "evalharness.perception.base": "NeedsModels Perceiver TextReader be_ready read_texts",
    "evalharness.scorers.base": "AnyScorer Metric NeighbourScorer Scorer info score_images unscored",
    "evalharness.scorers.neighbours": "MOST_SEEDS Neighbours find_neighbours like_base",
    "evalharness.trackers.base": "Entry Tracker",
    "evalharness.plan": "ExistingFile MakerFacts Plan list_files make_plan more opening plan_existing settled",
    "evalharness.suite": "Budget FileNames SettingTemplate Suite read_suite",
}


def public_names(module: str) -> set[str]:
    """The names a module says it exports, else those it defines itself."""
    loaded = importlib.import_module(module)
    if hasattr(loaded, "__all__"):
        assert list(loaded.__all__) == sorted(loaded.__all__)
        return set(loaded.__all__)
    defined: set[str] = set()
    for node in ast.parse(inspect.getsource(loaded)).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in defined if not name.startswith("_")}


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_these(module: str) -> None:
    assert public_names(module) == set(PUBLIC[module].split())


def test_version_is_stated_once() -> None:
    assert evalharness.__version__.count(".") == 2
