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
        capacity: tuple[int, int, int] = ...,
    ) -> Scorer: ...

class Catalog:
    def __len__(self) -> int: ...
    @property
    def id(self) -> int: ...
    def key(self, item: int) -> str: ...
    def behind(self, sid: Sequence[int]) -> list[int]: ...
    def allowed(self, prefix: Sequence[int]) -> list[int]: ...

class Scorer:
    @property
    def reward_id(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
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
        past: tuple[ArrayLike, Mapping[str, ArrayLike]] | None = None,
        wanted: tuple[ArrayLike, Mapping[str, ArrayLike]] | None = None,
        padding: NDArray[np.bool_] | None = None,
        seed: int = 0,
        step: int = 0,
    ) -> dict[str, Any]: ...
    def counts(self) -> dict[str, float]: ...
