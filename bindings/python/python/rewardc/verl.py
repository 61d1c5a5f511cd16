"""A reward in verl: by token ids, in whole groups.

    # my_reward.py, named by reward.reward_manager.{source=importlib, module.path=my_reward.py, name=Manager}
    Manager = manager(lambda: reward.bind(catalog, wanted=["sid"]), tokens, wanted=lambda row: row["target"])

verl scores one rollout after the other, each by any of its reward workers. Where a reward looks at the group,
the manager waits until all rollouts of one ``uid`` have come, and scores them together: ``reward.num_workers``
must be 1 then. A rollout without a number (dropped, unscorable) gets the mean of its group, which is no
advantage, and ``rewardc_null`` 1: verl has no other way to leave one out. ``cost`` and advantage channels are
added by ``with_cost`` behind verl's own normalization.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from . import VERDICTS, Scorer
from .adapters import neutral, refuse_unapplied
from .tokens import SidText, SidTokens, entries

Row = Mapping[str, Any]
Of = Callable[[Row], Any]


class Groups:
    """Collects the rollouts of a group and scores them together; knows nothing of verl.

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
                f"of the group {uid} only {len(group)} of {size} rollouts came in {self.patience:.0f} s: a group was cut. verl gives each "
                "rollout to any worker, so reward.num_workers must be 1; Ray lets a worker wait for 1,000 at once"
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


def manager(
    bind: Callable[[], Scorer], tokens: SidTokens, *, apart: Collection[str] = (), size: Of | None = None, **columns: Any
) -> type:
    """A ``RewardManagerBase`` for verl's ``reward_manager`` (``source: importlib``). ``bind`` is called once in
    each worker; ``columns`` are those of ``Groups``, and take a row's ``non_tensor_batch``. ``size`` says how many
    rollouts a row's group has; left out: ``rollout.n``. verl does not tell validation from training to
    a reward manager, so with another ``val_kwargs.n`` it must be said."""
    base: Any = importlib.import_module("verl.experimental.reward_loop.reward_manager.base").RewardManagerBase

    class Manager(base):  # type: ignore[misc]
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, *args: Any, **kwargs: Any):
            super().__init__(config, tokenizer, compute_score)
            scorer = bind()
            refuse_unapplied(scorer, apart, "verl's own loop")
            self.groups = Groups(scorer, **columns)
            if scorer.needs_groups:
                check_config(config, size)

        async def run_single(self, data: Any) -> dict[str, Any]:
            item = data[-1:][0]
            ids = item.batch["responses"]
            written = int(item.batch["attention_mask"][-ids.shape[-1] :].sum())
            row = item.non_tensor_batch
            rollouts = size(row) if size is not None else self.config.actor_rollout_ref.rollout.n
            codes = tokens.codes([ids[:written].tolist()])[0]
            numbers = await self.groups.score(row["uid"], int(rollouts), codes, row)
            return {"reward_score": numbers["reward"], "reward_extra_info": numbers}

    return Manager


def check_config(config: Any, size: Of | None) -> None:
    """Refuses a config under which groups would be cut."""
    workers = getattr(getattr(config, "reward", None), "num_workers", 1)
    if workers != 1:
        raise ValueError(
            f"this reward looks at the group, and reward.num_workers is {workers}: verl gives each rollout to any "
            "worker, so set it to 1"
        )
    rollout = config.actor_rollout_ref.rollout
    if size is None and rollout.val_kwargs.n != rollout.n:
        raise ValueError(
            f"a group has {rollout.n} rollouts in training and {rollout.val_kwargs.n} in validation, and nothing tells them "
            "apart: say size=lambda row: … (by a column of your data), or make both equal"
        )


def with_cost(data: Any, *channels: str) -> Any:
    """Adds ``cost``, and the advantage channels named, to the advantages of a ``DataProto`` behind verl's
    ``compute_advantage``: as they stand, on every token of the response."""
    added = sum(np.asarray(data.non_tensor_batch[name], dtype=np.float64) for name in ("cost", *channels))
    advantages = data.batch["advantages"]
    data.batch["advantages"] = advantages + advantages.new_tensor(added)[:, None] * data.batch["response_mask"]
    return data


def compute_score(
    scorer: Scorer, text: SidText, *, apart: Collection[str] = (), **columns: Any
) -> Callable[..., dict[str, float]]:
    """A ``custom_reward_function`` for rewards that judge each rollout by itself: verl hands over text, so the
    SIDs must stand in it (see ``doctor``). ``columns`` are those of ``Groups``, and take ``extra_info`` with
    ``ground_truth`` in it."""
    refuse_unapplied(scorer, apart, "verl's own loop")
    if scorer.needs_groups:
        raise ValueError("this reward looks at the group, and verl's compute_score sees one rollout: use manager(…)")
    groups = Groups(scorer, **columns)

    def score(data_source: Any, solution_str: str, ground_truth: Any, extra_info: Any = None, **kwargs: Any) -> dict[str, float]:
        row = {**(extra_info or {}), "ground_truth": ground_truth}
        numbers = groups.alone(text.codes([solution_str])[0], row)
        return {"score": numbers["reward"], **numbers}

    return score
