from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

VERDICTS: tuple[str, str, str, str]

class Finding(TypedDict):
    code: str
    severity: str
    message: str
    help: str | None
    place: tuple[str, int, int] | None

class RewardError(Exception):
    code: str
    message: str
    help: str | None
    diagnostics: list[Finding]

Signal = Callable[[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]], ArrayLike]
"""Called once a step with request, item and a row of each distinct pair; gives a value for each, NaN where it cannot."""

def load(path: str | PathLike[str]) -> Reward: ...

class Reward:
    @property
    def id(self) -> str: ...
    @property
    def sid_shape(self) -> list[int]: ...
    def needs(self, host: str = "training") -> list[tuple[str, str, str, bool]]: ...
    def check(self) -> list[Finding]: ...
    def load_state(self, path: str | PathLike[str]) -> str: ...
    def catalog(
        self,
        keys: Sequence[str],
        sids: ArrayLike | None = None,
        columns: Mapping[str, ArrayLike] | None = None,
    ) -> Catalog: ...
    def bind(
        self,
        catalog: Catalog | None = None,
        *,
        host: str = "training",
        decode: str = "free",
        order: str = "beam",
        request: Sequence[str] = ...,
        rollout: Sequence[str] = ...,
        past: Sequence[str] = ...,
        wanted: Sequence[str] = ...,
        signals: Mapping[str, Signal] | None = None,
        held_out: Mapping[str, Signal] | None = None,
        fail_above: float = 0.1,
        state: str | None = None,
        controllers: str | PathLike[str] | None = None,
        capacity: tuple[int, int, int] = ...,
    ) -> Scorer: ...

class Catalog:
    def __len__(self) -> int: ...
    @property
    def id(self) -> int: ...
    def key(self, item: int) -> str: ...
    def behind(self, sid: Sequence[int]) -> list[int]: ...
    def allowed(self, prefix: Sequence[int]) -> list[int]: ...

class Slate(TypedDict):
    rows: NDArray[np.int64]
    """Rows of the step in their places; empty where the slate was refused."""
    item_idx: NDArray[np.int32]
    worth: float
    optimal: bool
    gap: float | None
    """How much better the best can be at most; ``None`` where that is not known."""
    relaxed: list[Relaxed]
    empty_places: int
    refused: str | None
    """The cap whose ``else refuse`` left no slate."""
    scores: dict[str, NDArray[np.float64]]
    """Every number of the members, worked out on this slate."""

class Relaxed(TypedDict):
    cap: str
    excess: int
    why: str

Moved = TypedDict(
    "Moved",
    {"cap": str, "share": float | None, "target": float | None, "lambda": float | None, "unmeasured": int},
)

Entries = tuple[ArrayLike, Mapping[str, ArrayLike]]
"""Offsets, and columns of the entries they cut."""

class Scorer:
    @property
    def reward_id(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def needs_groups(self) -> bool: ...
    @property
    def ranges(self) -> tuple[tuple[float, float], tuple[float, float]]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def source_ids(self) -> list[str]: ...
    @property
    def notes(self) -> list[str]: ...
    def score(
        self,
        *,
        sids: ArrayLike | None = None,
        items: tuple[NDArray[np.uint32], int] | None = None,
        group_size: int | None = None,
        groups: ArrayLike | None = None,
        keys: Sequence[str] | None = None,
        request: Mapping[str, ArrayLike] | None = None,
        rollout: Mapping[str, ArrayLike] | None = None,
        past: Entries | None = None,
        wanted: Entries | None = None,
        padding: NDArray[np.bool_] | None = None,
        slates: tuple[ArrayLike, ArrayLike] | None = None,
        batches: ArrayLike | None = None,
        lists_by_rollout: bool = False,
        seed: int = 0,
        step: int = 0,
    ) -> dict[str, Any]: ...
    def choose(
        self,
        *,
        places: int = 10,
        discounts: Sequence[float] | None = None,
        effort: int = 50_000,
        sids: ArrayLike | None = None,
        items: tuple[NDArray[np.uint32], int] | None = None,
        group_size: int | None = None,
        groups: ArrayLike | None = None,
        keys: Sequence[str] | None = None,
        request: Mapping[str, ArrayLike] | None = None,
        rollout: Mapping[str, ArrayLike] | None = None,
        past: Entries | None = None,
        wanted: Entries | None = None,
        padding: NDArray[np.bool_] | None = None,
        seed: int = 0,
        step: int = 0,
    ) -> list[Slate]: ...
    def counts(self) -> dict[str, float]: ...
    def end_step(self, observed: Mapping[str, Any] | None = None, *, shown: bool = False) -> list[Moved]: ...
    @property
    def state(self) -> str: ...
    def save_state(self, path: str | PathLike[str]) -> None: ...
