from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .types import Columns as Columns
from .types import Entries as Entries
from .types import Finding as Finding
from .types import Moved as Moved
from .types import Relaxed as Relaxed
from .types import Signal as Signal
from .types import Slate as Slate

VERDICTS: tuple[str, str, str, str]

class RewardError(Exception):
    code: str | None
    message: str | None
    help: str | None
    diagnostics: list[Finding]

def load(path: str | PathLike[str]) -> Reward: ...
def open_catalog(path: str | PathLike[str]) -> Catalog: ...

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
        columns: Columns | None = None,
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
    def save(self, path: str | PathLike[str]) -> None: ...
    def behind(self, sid: Sequence[int]) -> list[int]: ...
    def allowed(self, prefix: Sequence[int]) -> list[int]: ...

class Scorer:
    @property
    def reward_id(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def needs_groups(self) -> bool: ...
    @property
    def reads_places(self) -> bool: ...
    @property
    def reads_batch(self) -> bool: ...
    @property
    def channels(self) -> list[tuple[str, str]]: ...
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
        request: Columns | None = None,
        rollout: Columns | None = None,
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
        request: Columns | None = None,
        rollout: Columns | None = None,
        past: Entries | None = None,
        wanted: Entries | None = None,
        padding: NDArray[np.bool_] | None = None,
        lists_by_rollout: bool = False,
        seed: int = 0,
        step: int = 0,
    ) -> list[Slate]: ...
    def counts(self) -> dict[str, float]: ...
    def end_step(self, observed: Mapping[str, Any] | None = None, *, shown: bool = False) -> list[Moved]: ...
    @property
    def state(self) -> str: ...
    def save_state(self, path: str | PathLike[str]) -> None: ...
