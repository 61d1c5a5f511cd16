"""The shapes of what goes in and comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Finding(TypedDict):
    code: str
    severity: str
    message: str
    help: Optional[str]
    place: Optional[tuple[str, int, int]]


Signal = Callable[[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]], ArrayLike]
"""Called once a step with request, item and a row of each distinct pair; gives a value for each, NaN where it cannot."""

Columns = Mapping[str, Any]
"""Columns by feature: arrays, or lists; None and NaN are null."""

Entries = tuple[Any, Columns]
"""Offsets, and columns of the entries they cut."""


class Relaxed(TypedDict):
    cap: str
    excess: int
    why: str


class Slate(TypedDict):
    rows: NDArray[np.int64]
    """Rows of the step in their places; empty where the slate was refused."""
    item_idx: NDArray[np.int32]
    worth: float
    optimal: bool
    gap: Optional[float]
    """How much better the best can be at most; ``None`` where that is not known."""
    relaxed: Sequence[Relaxed]
    empty_places: int
    refused: Optional[str]
    """The cap whose ``else refuse`` left no slate."""
    scores: dict[str, NDArray[np.float64]]
    """Every number of the members, worked out on this slate."""


Moved = TypedDict(
    "Moved",
    {
        "cap": str,
        "share": Optional[float],
        "target": Optional[float],
        "lambda": Optional[float],
        "unmeasured": int,
    },
)
"""What the end of a step did to one cap."""
