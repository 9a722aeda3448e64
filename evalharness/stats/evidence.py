"""Four kinds of evidence about a mean, each with its interval and its one-sided p-values."""

from dataclasses import dataclass

from scipy import optimize, special


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No values, or values that show no spread to judge by: every threshold stays open."""

    mean: float | None = None

    def bounds(self, level: float) -> None:
        """No interval."""

    def doubt_above(self, threshold: float) -> float:
        """Always 1: nothing is excluded."""
        return 1.0

    def doubt_below(self, threshold: float) -> float:
        """Always 1: nothing is excluded."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """A mean with its standard error, Student-t distributed."""

    mean: float
    error: float
    degrees: int

    def bounds(self, level: float) -> tuple[float, float]:
        """Mean -/+ t(degrees) x error."""
        reach = float(special.stdtrit(self.degrees, (1.0 + level) / 2.0)) * self.error
        return self.mean - reach, self.mean + reach

    def doubt_above(self, threshold: float) -> float:
        """P(t >= what was seen) if the truth is the threshold."""
        return float(special.stdtr(self.degrees, (threshold - self.mean) / self.error))

    def doubt_below(self, threshold: float) -> float:
        """P(t <= what was seen) if the truth is the threshold."""
        return float(special.stdtr(self.degrees, (self.mean - threshold) / self.error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """A share of passes among so many independent images (not always a whole number).

    At a step of 1 exact (Clopper and Pearson, Biometrika 26, 1934): exactly the passes seen count in full as a
    surprise. Where images are worth less than one each, the mean moves in steps finer than an effective image, and
    they count by (1 + step) / 2, down to half of them, which is the mid-P value (Lancaster, JASA 56, 1961). Never of
    zero width.
    """

    mean: float
    images: float
    step: float = 1.0
    """How far one effective image more moves the passes, 0..1."""

    def bounds(self, level: float) -> tuple[float, float]:
        """The shares at which the passes seen are just not too many, and just not too few."""
        tail = (1.0 - level) / 2.0
        return self._low(tail), 1.0 - self._mirrored()._low(tail)

    def doubt_above(self, threshold: float) -> float:
        """P(more passes) + (1 + step) / 2 x P(exactly these passes) if the true share is the threshold."""
        if not 0.0 <= threshold <= 1.0:
            return float(threshold > 1.0)
        passes, fails, whole = self.mean * self.images, (1.0 - self.mean) * self.images, (1.0 + self.step) / 2.0
        these = float(special.betainc(passes, fails + 1.0, threshold)) if passes else 1.0
        more = float(special.betainc(passes + 1.0, fails, threshold)) if fails else 0.0
        return whole * these + (1.0 - whole) * more

    def doubt_below(self, threshold: float) -> float:
        """The same from the other side: P(fewer passes) + (1 + step) / 2 x P(exactly these)."""
        return self._mirrored().doubt_above(1.0 - threshold)

    def _low(self, tail: float) -> float:
        return float(optimize.brentq(lambda share: self.doubt_above(share) - tail, 0.0, 1.0)) if self.mean else 0.0

    def _mirrored(self) -> "Shares":
        return Shares(mean=1.0 - self.mean, images=self.images, step=self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Differences of pass/fail that are all the same, -1, 0 or 1, over so many independent pairs.

    If the true difference were d, a pair would be -1 with probability at least -d (or 1 with at least d), so that
    all pairs are 0 with probability at most (1 - abs(d))^pairs; all are 1 with at most ((1 + d) / 2)^pairs.
    """

    mean: float
    images: float

    def bounds(self, level: float) -> tuple[float, float]:
        """The differences that would just not be too unlikely to give so equal pairs."""
        chance = ((1.0 - level) / 2.0) ** (1.0 / self.images)
        if self.mean == 0.0:
            return chance - 1.0, 1.0 - chance
        return (2.0 * chance - 1.0, 1.0) if self.mean > 0.0 else (-1.0, 1.0 - 2.0 * chance)

    def doubt_above(self, threshold: float) -> float:
        """P(pairs so equal) if the true difference is the threshold, 1 where it lies at or above what was seen."""
        if threshold >= self.mean:
            return 1.0
        share = 1.0 + threshold if self.mean == 0.0 else (1.0 + threshold) / 2.0
        return float(max(share, 0.0) ** self.images)

    def doubt_below(self, threshold: float) -> float:
        """The same from the other side."""
        return Balance(mean=-self.mean, images=self.images).doubt_above(-threshold)
