"""A reward as ``reward_funcs`` of TRL's ``GRPOTrainer``.

    binding = TrlReward(scorer, SidTokens.offsets(shape, 2), num_generations=8, wanted="target")
    config.reward_weights = binding.weights
    trainer = GRPOTrainer(model, reward_funcs=binding.functions, args=config, …)

One function gives the reward; each part is a function of its own with the weight 0, so that TRL logs it.
All of them share one evaluation of a batch. With controllers, call ``scorer.end_step()`` once an optimizer
step, in a ``TrainerCallback``: what was scored since then counts together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from . import Scorer
from .adapters import refuse_unapplied
from .tokens import SidTokens, entries


class TrlReward:
    """The functions of a scorer.

    ``wanted`` and ``past`` name dataset columns that hold a list of SIDs (or one SID) for each row;
    ``request`` maps features to dataset columns. A rollout without a reward (dropped, unscorable) is
    ``None``: TRL leaves it out of its means. ``apart`` names cost and channels that you apply yourself.
    """

    def __init__(
        self,
        scorer: Scorer,
        tokens: SidTokens,
        num_generations: int,
        *,
        num_generations_eval: int | None = None,
        wanted: str | None = None,
        past: str | None = None,
        request: dict[str, str] | None = None,
        parts: list[str] | None = None,
        name: str = "reward",
        apart: Collection[str] = (),
    ):
        refuse_unapplied(scorer, apart, "TRL's own loop")
        if any(part == "cost" for part in parts or []):
            raise ValueError("cost is added after normalization: TRL normalizes every function; see with_cost")
        self.scorer, self.tokens = scorer, tokens
        self.sizes = [num_generations] + ([num_generations_eval] if num_generations_eval else [])
        self.wanted, self.past, self.request = wanted, past, request or {}
        kinds = dict(scorer.channels)
        fixed = {"reward", "cost", "total", "preference", "ecosystem"}
        plain = [c for c in scorer.columns if c not in fixed and not kinds.get(c, "").startswith("token")]
        self.parts = parts if parts is not None else plain
        self.functions: list[Callable[..., list[float | None]]] = [self._function("reward", name)]
        self.functions += [self._function(part, part.replace(".", "_")) for part in self.parts]
        self.weights = [1.0] + [0.0] * len(self.parts)
        self._last: tuple[Any, dict[str, Any]] | None = None
        self._step = 0

    def _function(self, column: str, name: str) -> Callable[..., list[float | None]]:
        def function(*, completion_ids: Any, prompts: Any = None, **columns: Any) -> list[float | None]:
            values = self.scores(completion_ids, prompts, columns)[column]
            return [None if np.isnan(v) else float(v) for v in values]

        function.__name__ = name
        return function

    def scores(self, completion_ids: Any, prompts: Any, columns: dict[str, Any]) -> dict[str, Any]:
        """The scores of a batch; the functions of a batch share them. What is compared is the content: loops use
        their lists again."""
        read = [c for c in (self.wanted, self.past, *self.request.values()) if c is not None]
        state = columns.get("trainer_state")
        content = ([list(ids) for ids in completion_ids], prompts, [list(columns[c]) for c in read], getattr(state, "global_step", None))
        if self._last is not None and repr(self._last[0]) == repr(content):
            return self._last[1]
        group = self._group(len(completion_ids), prompts, [columns[c] for c in read])
        firsts = range(0, len(completion_ids), group)

        def take(column: str) -> list[Any]:
            return [columns[column][f] for f in firsts]

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
        self._last = (content, scores)
        return scores

    def _group(self, rows: int, prompts: Any, columns: list[Any]) -> int:
        """The size of the batch's groups: the rows of one have one prompt and equal columns."""
        own = [c for c in ([prompts] if prompts is not None else []) + columns]

        def whole(group: int) -> bool:
            runs = (range(first, first + group) for first in range(0, rows, group))
            return all(repr(c[i]) == repr(c[run[0]]) for run in runs for i in run for c in own)

        for group in self.sizes:
            if rows % group == 0 and whole(group):
                return group
        sizes = " or ".join(map(str, self.sizes))
        if all(rows % group for group in self.sizes):
            raise ValueError(f"{rows} completions cut a group of {sizes}: a batch must hold whole groups")
        raise ValueError(
            f"the completions do not come in runs of {sizes} with one prompt and equal columns; of an evaluation with "
            "fewer generations say num_generations_eval"
        )


def with_cost(advantages: Any, scores: Any, *channels: str) -> Any:
    """Advantages after TRL's own normalization, with the ``cost`` of ``TrlReward.scores`` and advantage channels by
    name: for a trainer that overrides ``_generate_and_score_completions``; TRL's own loop has no place for them.
    What is not there (illegal, dropped, not picked) adds nothing."""
    added = np.zeros(len(advantages))
    for name in ("cost", *channels):
        values = np.asarray(scores[name], dtype=np.float64)
        if values.shape != added.shape:
            raise ValueError(f"`{name}` has the shape {values.shape}, and there are {len(advantages)} advantages")
        added += np.nan_to_num(values)
    return advantages + (added if isinstance(advantages, np.ndarray) else advantages.new_tensor(added))
