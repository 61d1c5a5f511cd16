"""A reward in verl: by token ids, in whole groups.

    # my_reward.py, named by reward.reward_manager.{source=importlib, module.path=my_reward.py, name=Manager}
    Manager = manager(lambda: reward.bind(catalog, wanted=["sid"]), tokens, wanted=lambda row: row["target"])

verl scores one rollout after the other. Where a reward looks at the group, the manager waits until all
rollouts of one ``uid`` have come, and scores them together. A rollout without a number (dropped,
unscorable) gets the mean of its group, which is no advantage, and ``rewardc_null`` 1: verl has no other way
to leave one out. ``cost`` is added by ``with_cost`` after verl's own normalization.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import VERDICTS, Scorer
from .tokens import SidText, SidTokens, entries

Row = Mapping[str, Any]


class Groups:
    """Collects the rollouts of a group and scores them together; knows nothing of verl."""

    def __init__(self, scorer: Scorer, wanted: Callable[[Row], Any] | None = None, past: Callable[[Row], Any] | None = None,
                 request: Mapping[str, Callable[[Row], Any]] | None = None, patience: float = 600.0):
        self.scorer, self.wanted, self.past, self.request = scorer, wanted, past, request or {}
        self.patience = patience
        self._waiting: dict[Any, list[tuple[Any, Row, asyncio.Future[dict[str, float]]]]] = {}

    async def score(self, uid: Any, size: int, codes: Any, row: Row) -> dict[str, float]:
        """The numbers of one rollout, once its group is whole."""
        if not self.scorer.needs_groups:
            return self.together([codes], [row])[0]
        group = self._waiting.setdefault(uid, [])
        future: asyncio.Future[dict[str, float]] = asyncio.get_running_loop().create_future()
        group.append((codes, row, future))
        if len(group) == size:
            del self._waiting[uid]
            try:
                found = self.together([codes for codes, _, _ in group], [row for _, row, _ in group])
            except BaseException as error:
                for _, _, other in group:
                    if not other.done():
                        other.set_exception(error)
            else:
                for (_, _, other), numbers in zip(group, found):
                    if not other.done():
                        other.set_result(numbers)
        try:
            return await asyncio.wait_for(future, self.patience)
        except asyncio.TimeoutError:
            message = f"of the group {uid} only {len(group)} of {size} rollouts came to this worker: a group was cut"
            raise ValueError(message + "; choose reward.num_workers so that every worker gets whole groups") from None

    def together(self, codes: list[Any], rows: list[Row]) -> list[dict[str, float]]:
        """The numbers of one group's rollouts, with a fixed set of keys."""
        first, sids = rows[0], np.stack(codes)
        levels = sids.shape[1]
        scores = self.scorer.score(
            sids=sids,
            group_size=len(rows),
            request={feature: [of(first)] for feature, of in self.request.items()} or None,
            wanted=None if self.wanted is None else entries([self.wanted(first)], levels),
            past=None if self.past is None else entries([self.past(first)], levels),
        )
        counted = scores["in_statistics"]
        found: dict[str, Any] = {}
        for name in self.scorer.columns:
            values = scores[name].sum(axis=1) if scores[name].ndim == 2 else scores[name]
            mean = float(np.nanmean(values)) if not np.isnan(values).all() else 0.0
            # What is added after normalization is neutral at 0, what is normalized at the group's mean.
            found[name] = np.where(np.isnan(values), 0.0 if name == "cost" else mean, values)
        found["rewardc_null"] = (~counted).astype(float)
        for number, verdict in enumerate(VERDICTS):
            found[f"rewardc_{verdict}"] = (scores["verdict"] == number).astype(float)
        return [{name: float(values[i]) for name, values in found.items()} for i in range(len(rows))]


def manager(bind: Callable[[], Scorer], tokens: SidTokens, *, cost: str | None = None, **columns: Any) -> type:
    """A ``RewardManagerBase`` for verl's ``reward_manager`` (``source: importlib``). ``bind`` is called once in
    each worker; ``wanted``, ``past`` and ``request`` take a row's ``non_tensor_batch``."""
    base: Any = importlib.import_module("verl.experimental.reward_loop.reward_manager.base").RewardManagerBase

    class Manager(base):  # type: ignore[misc]
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, *args: Any, **kwargs: Any):
            super().__init__(config, tokenizer, compute_score)
            scorer = bind()
            if scorer.ranges[1] != (0.0, 0.0) and cost != "apart":
                raise ValueError(
                    "the reward charges a cost, which verl's own estimators do not see: call with_cost behind "
                    'compute_advantage, and say cost="apart"'
                )
            self.groups = Groups(scorer, **columns)

        async def run_single(self, data: Any) -> dict[str, Any]:
            item = data[-1:][0]
            ids = item.batch["responses"]
            written = int(item.batch["attention_mask"][-ids.shape[-1] :].sum())
            rollout = self.config.actor_rollout_ref.rollout
            size = rollout.val_kwargs.n if data.meta_info.get("validate", False) else rollout.n
            codes = tokens.codes([ids[:written].tolist()])[0]
            row = item.non_tensor_batch
            numbers = await self.groups.score(row["uid"], int(size), codes, row)
            return {"reward_score": numbers["reward"], "reward_extra_info": numbers}

    return Manager


def with_cost(data: Any, *channels: str) -> Any:
    """Adds ``cost``, and the advantage channels named, to the advantages of a ``DataProto`` behind verl's
    ``compute_advantage``: as they stand, on every token of the response."""
    added = sum(np.asarray(data.non_tensor_batch[name], dtype=np.float64) for name in ("cost", *channels))
    advantages = data.batch["advantages"]
    data.batch["advantages"] = advantages + advantages.new_tensor(added)[:, None] * data.batch["response_mask"]
    return data


def compute_score(scorer: Scorer, text: SidText, *, null: float | None = None, **columns: Any) -> Callable[..., dict[str, float]]:
    """A ``custom_reward_function`` for rewards that judge each rollout by itself: verl hands over text, so the
    SIDs must stand in it (see ``doctor``). ``wanted``, ``past`` and ``request`` take ``extra_info`` with
    ``ground_truth`` in it; ``null`` is what a rollout without a reward gets."""
    if scorer.needs_groups:
        raise ValueError("this reward looks at the group, and verl's compute_score sees one rollout: use manager(…)")
    groups = Groups(scorer, **columns)

    def score(data_source: Any, solution_str: str, ground_truth: Any, extra_info: Any = None, **kwargs: Any) -> dict[str, float]:
        row = {**(extra_info or {}), "ground_truth": ground_truth}
        numbers = groups.together([text.codes([solution_str])[0]], [row])[0]
        if numbers["rewardc_null"]:
            if null is None:
                raise ValueError("a rollout has no reward (dropped or unscorable): say what it gets, null=…")
            numbers["reward"] = null
        return {"score": numbers["reward"], **numbers}

    return score
