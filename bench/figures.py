"""The arithmetic of the measurements: no clock, no sockets."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TypeVar

N = TypeVar("N", int, float)


def percentile(ordered: Sequence[N], share: float) -> N:
    """The smallest value that at least `share` of them do not exceed (nearest rank).

    ordered: ascending, not empty; share: above 0, at most 1.
    """
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def spread(values: Sequence[float]) -> float:
    """How far apart the rounds lie: highest less lowest, in percent of the median."""
    return 100 * (max(values) - min(values)) / statistics.median(values)


def ratio(values: Sequence[float], reference: Sequence[float]) -> float | None:
    """The median of the ratios within each round; None without a reference.

    What slows a round slows both. Both in the order of the rounds. A reference that has failed has no values.
    """
    if not reference:
        return None
    return statistics.median(mine / other for mine, other in zip(values, reference, strict=True))
