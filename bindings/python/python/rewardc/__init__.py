"""Rewards compiled from .reward files, in a Python training loop.

    reward = rewardc.load("feed.reward")
    catalog = reward.catalog(keys, sids, {"author": authors})
    scorer = reward.bind(catalog, request=["region"], signals={"p_click": head})
    scores = scorer.score(sids=codes, group_size=8, request={"region": regions})

``scores`` has the same keys at every step; NaN stands for null.
"""

from ._rewardc import Catalog, Reward, RewardError, Scorer, load, open_catalog
from .types import Columns, Entries, Finding, Moved, Relaxed, Signal, Slate

__all__ = [
    "Catalog", "Columns", "Entries", "Finding", "Moved", "Relaxed", "Reward", "RewardError", "Scorer", "Signal", "Slate",
    "VERDICTS", "load", "open_catalog",
]

VERDICTS = ("scored", "illegal", "dropped", "unscorable")
"""What the numbers of the column ``verdict`` stand for."""
