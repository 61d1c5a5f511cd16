"""What all adapters of training loops share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from . import Scorer


def refuse_unapplied(scorer: Scorer, apart: Collection[str], loop: str) -> None:
    """Refuses a reward with numbers that a loop would drop without a word: its cost, and every channel but
    monitors. ``apart`` names those that the caller applies."""
    names = ["cost"] if scorer.ranges[1] != (0.0, 0.0) else []
    names += [name for name, kind in scorer.channels if kind != "monitor"]
    left = [name for name in names if name not in apart]
    if left:
        raise ValueError(
            f"{loop} has no place for {', '.join(left)} of this reward: apply them yourself (with_cost adds the cost and "
            f"advantages behind its normalization) and say apart={left!r}"
        )


def neutral(scorer: Scorer, column: str, values: Any) -> Any:
    """A column without nulls, for loops that cannot leave a rollout out: what is added after normalization is 0
    where it is not there, a weight is 1, and what is normalized is the mean of the group, which is no advantage."""
    kinds = dict(scorer.channels)
    if column in ("cost", "total") or "advantage" in kinds.get(column, "") or kinds.get(column) == "hint":
        filler = 0.0
    elif "weight" in kinds.get(column, ""):
        filler = 1.0
    else:
        known = values[~np.isnan(values)]
        filler = float(known.mean()) if len(known) else 0.0
    return np.where(np.isnan(values), filler, values)
