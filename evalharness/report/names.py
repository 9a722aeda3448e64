"""What subjects are called in sentences: 'epoch 8', 'epochs 2, 4–8', or their names."""

from collections.abc import Mapping, Sequence

from evalharness.report.verdict_rows import Texts
from evalharness.types import Subject


def labels(subjects: Sequence[Subject], texts: Texts) -> Mapping[str, str]:
    """By name what a subject is called: 'epoch 8' where no other subject is of that epoch."""
    known = _epochs(subjects)
    return {
        one.name: texts["epoch_name"].format(epoch=known[one.name]) if one.name in known else one.name
        for one in subjects
    }


def listed(names: Sequence[str], subjects: Sequence[Subject], texts: Texts) -> str:
    """Several subjects in a row; epochs that follow each other as one span."""
    known = _epochs(subjects)
    if len(names) < 2 or not all(name in known for name in names):
        called = labels(subjects, texts)
        return ", ".join(called.get(name, name) for name in names)
    runs: list[list[int]] = []
    for epoch in sorted(known[name] for name in names):
        if runs and epoch == runs[-1][-1] + 1:
            runs[-1].append(epoch)
        else:
            runs.append([epoch])
    spans = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return texts["epoch_names"].format(epochs=", ".join(spans))


def _epochs(subjects: Sequence[Subject]) -> Mapping[str, int]:
    """The epochs that tell subjects apart."""
    epochs = [subject.epoch for subject in subjects]
    return {one.name: one.epoch for one in subjects if one.epoch is not None and epochs.count(one.epoch) == 1}
