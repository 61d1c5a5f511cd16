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

import importlib
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from . import Scorer
from .adapters import refuse_unapplied
from .groups import Groups, Of
from .tokens import SidText, SidTokens

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
