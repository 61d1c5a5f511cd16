"""A reward as ``reward_funcs`` of TRL's ``GRPOTrainer``.

    binding = TrlReward(scorer, SidTokens.offsets(shape, 2), num_generations=8, wanted="target")
    trainer = GRPOTrainer(model, reward_funcs=binding.functions, args=config, …)
    config.reward_weights = binding.weights

One function gives the reward; each part is a function of its own with the weight 0, so that TRL logs it.
All of them share one evaluation of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import Scorer
from .tokens import SidTokens, entries


class TrlReward:
    """The functions of a scorer.

    ``wanted`` and ``past`` name dataset columns that hold a list of SIDs (or one SID) for each row;
    ``request`` maps features to dataset columns. A rollout without a reward (dropped, unscorable) is
    ``None``: TRL leaves it out of its means.
    """

    def __init__(
        self,
        scorer: Scorer,
        tokens: SidTokens,
        num_generations: int,
        *,
        wanted: str | None = None,
        past: str | None = None,
        request: dict[str, str] | None = None,
        parts: list[str] | None = None,
        name: str = "reward",
        cost: str | None = None,
    ):
        if "cost" in (parts or []):
            raise ValueError("cost is added after normalization: TRL normalizes every function; see with_cost")
        if scorer.ranges[1] != (0.0, 0.0) and cost != "apart":
            raise ValueError(
                "the reward charges a cost, which TRL's own loop has no place for: override the step and call "
                "with_cost, and say cost=\"apart\""
            )
        self.scorer, self.tokens, self.num_generations = scorer, tokens, num_generations
        self.wanted, self.past, self.request = wanted, past, request or {}
        fixed = {"reward", "cost", "total", "preference", "ecosystem"}
        self.parts = parts if parts is not None else [c for c in scorer.columns if c not in fixed]
        self.functions: list[Callable[..., list[float | None]]] = [self._function("reward", name)]
        self.functions += [self._function(part, part.replace(".", "_")) for part in self.parts]
        self.weights = [1.0] + [0.0] * len(self.parts)
        self._last: tuple[Any, dict[str, Any]] | None = None
        self._step = 0

    def _function(self, column: str, name: str) -> Callable[..., list[float | None]]:
        def function(*, completion_ids: Any, prompts: Any = None, **columns: Any) -> list[float | None]:
            values = self.scores(completion_ids, prompts, columns)[column]
            if values.ndim == 2:
                values = values.sum(axis=1)
            return [None if np.isnan(v) else float(v) for v in values]

        function.__name__ = name
        return function

    def scores(self, completion_ids: Any, prompts: Any, columns: dict[str, Any]) -> dict[str, Any]:
        """The scores of a batch; the functions of a batch get the same lists, and share them."""
        if self._last is not None and self._last[0] is completion_ids:
            return self._last[1]
        group, rows = self.num_generations, len(completion_ids)
        if rows % group:
            raise ValueError(f"{rows} completions cut a group of {group}: a batch must hold whole groups")
        firsts = range(0, rows, group)
        if prompts is not None and any(prompts[i] != prompts[f] for f in firsts for i in range(f, f + group)):
            raise ValueError(f"the completions do not come in runs of {group} of one prompt")

        def take(column: str) -> list[Any]:
            return [columns[column][f] for f in firsts]

        state = columns.get("trainer_state")
        self._step = getattr(state, "global_step", self._step + 1)
        scores = self.scorer.score(
            sids=self.tokens.codes(completion_ids),
            group_size=group,
            request={feature: take(column) for feature, column in self.request.items()} or None,
            wanted=None if self.wanted is None else entries(take(self.wanted), self.tokens.levels),
            past=None if self.past is None else entries(take(self.past), self.tokens.levels),
            step=self._step,
        )
        log_metric = columns.get("log_metric")
        if log_metric is not None:
            for key, count in self.scorer.counts().items():
                log_metric(f"rewardc/{key}", float(count))
        self._last = (completion_ids, scores)
        return scores


def with_cost(advantages: Any, cost: Any, num_generations: int) -> Any:
    """Advantages after TRL's own normalization, with the cost added within the group: for a trainer
    that overrides ``_generate_and_score_completions``; TRL's own loop has no place for it."""
    cost = np.nan_to_num(np.asarray(cost, dtype=np.float64))
    if len(advantages) != len(cost) or len(cost) % num_generations:
        raise ValueError(f"{len(cost)} costs do not fit {len(advantages)} advantages in groups of {num_generations}")
    return advantages + (cost if isinstance(advantages, np.ndarray) else advantages.new_tensor(cost))
