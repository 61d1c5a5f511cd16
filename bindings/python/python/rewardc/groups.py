"""Rollouts that come one by one, scored in whole groups: for loops that do not hold a batch together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import VERDICTS, Scorer
from .adapters import neutral
from .tokens import entries

Row = Mapping[str, Any]
Of = Callable[[Row], Any]


class Groups:
    """Collects the rollouts of a group and scores them together.

    ``wanted``, ``past`` and ``request`` say what of a row is its targets, its history and the request's features;
    they must agree within a group. ``order`` says the place of a rollout, for rewards that look at it. ``null`` is
    what a rollout without a reward gets that is judged by itself.
    """

    def __init__(
        self,
        scorer: Scorer,
        *,
        wanted: Of | None = None,
        past: Of | None = None,
        request: Mapping[str, Of] | None = None,
        order: Of | None = None,
        null: float | None = None,
        patience: float = 600.0,
    ):
        if scorer.reads_batch:
            raise ValueError("this reward looks at the whole batch, and one rollout or group comes at a time")
        if scorer.reads_places and order is None:
            raise ValueError(
                "this reward looks at the place of a rollout in its group, and rollouts come in any order: "
                "say order=lambda row: …"
            )
        self.scorer, self.wanted, self.past, self.request = scorer, wanted, past, request or {}
        self.order, self.null, self.patience = order, null, patience
        self._waiting: dict[Any, list[tuple[Any, Row, asyncio.Future[dict[str, float]]]]] = {}

    async def score(self, uid: Any, size: int, codes: Any, row: Row) -> dict[str, float]:
        """The numbers of one rollout, once its group is whole."""
        if not self.scorer.needs_groups:
            return self.alone(codes, row)
        group = self._waiting.setdefault(uid, [])
        future: asyncio.Future[dict[str, float]] = asyncio.get_running_loop().create_future()
        group.append((codes, row, future))
        if len(group) >= size:
            self._end(uid, group, None)
        try:
            # Shielded: who waits too long or is cancelled takes the whole group along, below.
            return await asyncio.wait_for(asyncio.shield(future), self.patience)
        except asyncio.TimeoutError:
            error = ValueError(
                f"of the group {uid} only {len(group)} of {size} rollouts came in {self.patience:.0f} s: a group was cut between "
                "workers (in verl reward.num_workers must be 1, and Ray lets a worker wait for 1,000 rollouts at once)"
            )
            self._end(uid, group, error)
            raise error from None
        except asyncio.CancelledError:
            self._end(uid, group, ValueError(f"a rollout of the group {uid} was cancelled"))
            raise

    def _end(self, uid: Any, group: list[Any], error: BaseException | None) -> None:
        """Ends a group: with its numbers, or for all of it with an error."""
        if self._waiting.get(uid) is group:
            del self._waiting[uid]
        waiting = [other for _, _, other in group if not other.done()]
        if not waiting:
            return
        found: list[dict[str, float]] = []
        if error is None:
            try:
                found = self.together(uid, [codes for codes, _, _ in group], [row for _, row, _ in group])
            except Exception as raised:
                error = raised
        for place, (_, _, other) in enumerate(group):
            if not other.done():
                if error is None:
                    other.set_result(found[place])
                else:
                    other.set_exception(error)
                    # Who has left already does not look at it any more.
                    other.exception()

    def alone(self, codes: Any, row: Row) -> dict[str, float]:
        """The numbers of a rollout that is judged by itself."""
        numbers = self.together("1", [codes], [row])[0]
        if numbers["rewardc_null"]:
            if self.null is None:
                raise ValueError("a rollout has no reward (dropped or unscorable): say what it gets, null=…")
            numbers["reward"] = self.null
        return numbers

    def together(self, uid: Any, codes: list[Any], rows: list[Row]) -> list[dict[str, float]]:
        """The numbers of one group's rollouts, with a fixed set of keys."""
        if self.order is not None:
            places = [self.order(row) for row in rows]
            arrived = sorted(range(len(rows)), key=lambda i: places[i])
        else:
            arrived = list(range(len(rows)))
        sids = np.stack([codes[i] for i in arrived])
        levels = sids.shape[1]

        def same(what: str, of: Of) -> Any:
            values = [of(row) for row in rows]
            if any(repr(np.asarray(value).tolist()) != repr(np.asarray(values[0]).tolist()) for value in values):
                raise ValueError(f"`{what}` differs within the group {uid}: its rollouts are of different requests")
            return values[0]

        scores = self.scorer.score(
            sids=sids,
            group_size=len(rows),
            keys=[str(uid)],
            request={feature: [same(feature, of)] for feature, of in self.request.items()} or None,
            wanted=None if self.wanted is None else entries([same("wanted", self.wanted)], levels),
            past=None if self.past is None else entries([same("past", self.past)], levels),
        )
        found: dict[str, Any] = {}
        for name in self.scorer.columns:
            values = scores[name]
            split = {name: values} if values.ndim == 1 else {f"{name}/{i + 1}": values[:, i] for i in range(levels)}
            found |= {key: neutral(self.scorer, name, column) for key, column in split.items()}
        found["rewardc_null"] = np.isnan(scores["reward"]).astype(float)
        for number, verdict in enumerate(VERDICTS):
            found[f"rewardc_{verdict}"] = (scores["verdict"] == number).astype(float)
        place = {row: i for i, row in enumerate(arrived)}
        return [{name: float(values[place[i]]) for name, values in found.items()} for i in range(len(rows))]
