"""How many more images would separate the leader from its rivals, if the differences stay as they are."""

import numpy as np
from scipy import special

from evalharness.stats.table import Codes, Floats

FARTHEST = 10
"""More than so many times the images that are there is no advice."""


def settle(leader: Floats, rivals: Floats, prompts: Codes, alpha: float) -> str:
    """A sentence about leader (draws,) and rivals (rivals, draws); prompts (draws,); NaN where a draw is missing.

    More seeds shrink what seeds vary, more prompts all of it: the cheaper of the two that suffices is named, for those
    within FARTHEST. `alpha`
    is the error that each two-sided interval of a paired difference may have. '' where that many are there already.
    """
    needed = [_needed(leader - rival, prompts, alpha) for rival in rivals]
    within_reach = [share for _, share in needed if share is not None]
    alike = len(needed) - len(within_reach)
    if not within_reach:
        return f"{'they are' if alike > 1 else 'both are'} so alike that no reasonable number of images would settle it"
    missing = max(within_reach)
    if missing <= 0.0:
        return ""
    kind = "new prompts" if any(prompt for prompt, share in needed if share is not None) else "new seeds"
    more = rounded(missing * float(np.isfinite(leader).sum() * (1 + len(rivals))))
    images = f"about {more} more image{'s' if more > 1 else ''} ({kind})"
    if not alike:
        return f"{images} would settle it"
    rest = "the other is too alike" if alike == 1 else f"the other {alike} are too alike"
    return f"{images} would separate {len(within_reach)} of them; {rest}"


def _needed(differences: Floats, prompts: Codes, alpha: float) -> tuple[bool, float | None]:
    """Whether prompts are needed, and how many more images, as a multiple of those there; None = too many."""
    kept = np.isfinite(differences)
    codes = np.unique(prompts[kept], return_inverse=True)[1]
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        return True, None
    means = np.bincount(codes, weights=differences[kept]) / sizes
    reach = float(special.stdtrit(len(means) - 1, 1.0 - alpha / 2.0))
    allowed = (float(means.mean()) / reach) ** 2 * len(means)
    between, seeds = float(means.var(ddof=1)), float(sizes.mean())
    within = _within(differences[kept], means[codes], len(means)) / seeds
    structural = max(between - within, 0.0)
    if within > 0.0 and allowed > structural and within / (allowed - structural) <= 1.0 + FARTHEST:
        return False, max(within / (allowed - structural) - 1.0, 0.0)
    if allowed <= 0.0 or between / allowed > 1.0 + FARTHEST:
        return True, None
    return True, max(between / allowed - 1.0, 0.0)


def _within(values: Floats, means: Floats, prompts: int) -> float:
    """Variance between the seeds of a prompt; 0 where each prompt has one."""
    spare = len(values) - prompts
    return float(np.square(values - means).sum()) / spare if spare else 0.0


def rounded(images: float) -> int:
    """Two digits are more than such a forecast knows."""
    digits = max(len(str(int(images))) - 2, 0)
    return max(int(-(-images // 10**digits) * 10**digits), 1)
