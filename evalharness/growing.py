"""A run that grows by one saved file at a time; what was judged once stays, also when its file is gone."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from evalharness.backends.memory import free_memory
from evalharness.config import RunConfig
from evalharness.courtesy import Courtesy, held
from evalharness.errors import InputError, SubjectError
from evalharness.gate import exit_code
from evalharness.keep import Kept, keep
from evalharness.prepare import Tools, open_tools, suite_of
from evalharness.record import RunRecord, load_run
from evalharness.report.html import PAGE_NAME, write_report
from evalharness.run import run
from evalharness.store import Store
from evalharness.subject import read_subjects
from evalharness.trackers.entries import entries
from evalharness.trackers.opened import Trackers
from evalharness.types import Decision, FinishedRun, Progress, Subject, Verdict
from evalharness.watched import Seen, Watched

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a growing run treats its surroundings; `keep_best` is the folder for a copy of the best."""

    courtesy: Courtesy = field(default_factory=Courtesy)
    keep_best: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file that was judged or refused; `verdict` is None where it was refused. `leader` is the best so far."""

    seen: Seen
    verdict: Verdict | None
    leader: str | None
    best: str
    report: Path


class GrowingRun:
    """One run folder that several processes may add to, one after the other."""

    def __init__(self, config: RunConfig, manners: Manners, progress: Progress, say: Say) -> None:
        """Raises InputError for a configuration that cannot be run; nothing is loaded yet."""
        self._config, self._manners, self._progress, self._say = config, manners, progress, say
        self._suite = suite_of(config)
        self._fixed = read_subjects(config.subjects) if config.subjects else ()
        self._trackers = Trackers(config.trackers, config.folder, self._suite.name, say)
        self._tools: Tools | None = None
        self.watched = Watched(config.folder, self._fixed)
        self._check_keep_best()
        if (config.folder / "run.json").is_file() and not self.watched.entries():
            with Store(config.folder) as store:
                self.watched.adopt(store.read_json("run.json", RunRecord).plan.subjects)

    def begin(self) -> None:
        """Make what is missing of all that was judged before, the baseline above all, and see that the suite works."""
        with self._alone(), self._manners.courtesy.turn(self._say):
            finished = self._run(self._judged())
            write_report(self._config.folder, self._at_home(finished))
        if not self._waiting():
            self._release()

    def score_waiting(self) -> Iterator[Step]:
        """Judge what waits, one by one, whoever took it in; another process that does so already is waited for."""
        if not self._waiting():
            return
        with self._alone():
            while waiting := self._waiting():
                with self._manners.courtesy.turn(self._say):
                    step = self._score(waiting[0])
                yield step
        self._release()

    def exit_code_of(self, identity: str) -> int:
        """The verdict's exit code of what was judged; raises SubjectError with the reason where it was refused."""
        for seen in self.watched.entries():
            if seen.subject.identity == identity and seen.refused:
                raise SubjectError(seen.refused)
        with self._alone():
            known = load_run(self._config.folder)
        name = next(one.name for one in known.subjects if one.identity == identity)
        return exit_code(next(one.decision for one in known.judgement.verdicts if one.subject == name))

    def close(self) -> None:
        """End the trackers."""
        self._trackers.close()

    # One file

    def _score(self, seen: Seen) -> Step:
        judged = self._judged()
        try:
            finished = self._run([*judged, seen])
        except SubjectError as error:
            self._run(judged)  # raises again where it is not this file's fault
            return self._refused(seen, str(error))
        return self._scored(seen, finished)

    def _scored(self, seen: Seen, finished: FinishedRun) -> Step:
        """The page, the copies and the trackers; marked as done last, so that a killed process does them again."""
        leader = _leader(finished)
        self._keep_best(finished)
        finished = self._at_home(finished)
        page = write_report(self._config.folder, finished)
        self._trackers.log(
            one for one in entries(finished, self._config.folder, page) if one.subject == seen.subject.name
        )
        done = replace(seen, scored=True, leader=leader)
        self.watched.update(done)
        self.watched.forget_copies(self._needed(finished))
        verdict = next(one for one in finished.judgement.verdicts if one.subject == seen.subject.name)
        return Step(seen=done, verdict=verdict, leader=leader, best=finished.judgement.selection.reason, report=page)

    def _refused(self, seen: Seen, reason: str) -> Step:
        done = replace(seen, refused=reason)
        self.watched.update(done)
        self.watched.copy_of(done).unlink(missing_ok=True)
        page = self._config.folder / PAGE_NAME
        return Step(seen=done, verdict=None, leader=None, best="", report=page)

    def _run(self, seen: Sequence[Seen]) -> FinishedRun:
        self._tools = self._tools or open_tools(self._config, self._suite)
        subjects = (*self._fixed, *(self.watched.source(one) for one in seen))
        return run(self._config, self._progress, subjects, self._tools)

    def _waiting(self) -> list[Seen]:
        return [seen for seen in self.watched.entries() if seen.waiting]

    def _judged(self) -> list[Seen]:
        return [seen for seen in self.watched.entries() if seen.scored]

    def _release(self) -> None:
        """Give the model's memory back while nothing is to do: a training beside us needs it."""
        self._tools = None
        gc.collect()
        free_memory()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else scores into this folder meanwhile."""
        with held(self._config.folder / "scoring.lock", self._say):
            yield

    # Files

    def _at_home(self, finished: FinishedRun) -> FinishedRun:
        """The run with the paths at which its files stay; run.json tells of these, not of copies that are deleted."""
        homes = self._homes()
        with Store(self._config.folder) as store:
            known = store.read_json("run.json", RunRecord)
            subjects = tuple(homes.get(one.identity, one) for one in known.plan.subjects)
            store.write_json("run.json", replace(known, plan=replace(known.plan, subjects=subjects)))
        return replace(finished, subjects=subjects)

    def _homes(self) -> Mapping[str, Subject]:
        return {seen.subject.identity: self.watched.home(seen) for seen in self.watched.entries()}

    def _needed(self, finished: FinishedRun) -> list[Seen]:
        """Whose copies stay: of those that may still become the best, or that a budget may ask for more images of."""
        if self._manners.keep_best is None and self._suite.budget is None:
            return []
        tied = {one.subject for one in finished.judgement.selection.candidates if one.tied}
        return [seen for seen in self.watched.entries() if seen.subject.name in tied]

    def _keep_best(self, finished: FinishedRun) -> None:
        leader, folder = _leader(finished), self._manners.keep_best
        seen = next((one for one in self.watched.entries() if one.subject.name == leader), None)
        if folder is None or seen is None:
            return
        verdict = next(one for one in finished.judgement.verdicts if one.subject == leader)
        note = Kept(
            subject=seen.subject.name,
            digest=seen.subject.identity,
            strength=finished.judgement.selection.strength,
            verdict=verdict.decision.value,
            reason=finished.judgement.selection.reason,
            run=str(self._config.folder.resolve()),
        )
        if keep(folder, self.watched.source(seen), note) is None:
            self._say(f"the file of the best, {leader}, is gone; {folder} keeps what it kept.")

    def _check_keep_best(self) -> None:
        folder = self._manners.keep_best
        if folder is not None and folder.resolve() == (self._config.folder / "copies").resolve():
            raise InputError(f"--keep-best '{folder}' is the run's own; choose another folder.")


def unchanged_for(seen: Sequence[Seen]) -> int:
    """How many files in a row, the latest ones, were judged without another leader; 0 where a rejected one leads."""
    leaders = [one.leader for one in seen if one.scored]
    if not leaders or leaders[-1] is None:
        return 0
    alike = next((count for count, name in enumerate(reversed(leaders)) if name != leaders[-1]), len(leaders))
    return alike - 1


def _leader(finished: FinishedRun) -> str | None:
    """The best, unless it is rejected: of nothing but rejected subjects the least bad one is no reason to stop."""
    leader = finished.judgement.selection.leader
    rejected = {one.subject for one in finished.judgement.verdicts if one.decision is Decision.REJECT}
    return None if leader in rejected else leader
