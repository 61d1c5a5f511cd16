"""Constrained decoding with Hugging Face: only codes that lead to an item may follow.

    model.generate(…, prefix_allowed_tokens_fn=allowed_tokens(catalog, tokens, prompt_length, end=[eos]))
    model.generate(…, logits_processor=[SidLogits(catalog, tokens, prompt_length, end=[eos])])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import Catalog
from .tokens import SidTokens


class Prefixes:
    """The tokens that may follow what was written behind the prompt.

    Behind a whole SID only ``end`` may follow. A prefix that leads to no item gets ``end`` too, so that its
    beam stops: the SID it wrote is illegal, and the reward says so. Such dead ends are counted.
    """

    def __init__(self, catalog: Catalog, tokens: SidTokens, prompt_length: int, end: list[int]):
        self.catalog, self.tokens, self.prompt_length, self.end = catalog, tokens, prompt_length, end
        self.dead_ends = 0
        self._names = [{code: token for token, code in level.items()} for level in tokens.table]
        self._known: dict[tuple[int, ...], list[int]] = {}

    def after(self, ids: Any) -> list[int]:
        """The token ids that may follow ``ids``, the prompt included. A negative id is refused: an engine that
        works ahead has put a placeholder there, and a mask made of it would be wrong."""
        written = tuple(int(token) for token in ids[self.prompt_length :])
        if any(token < 0 for token in written):
            raise ValueError("the ids hold placeholders: a mask cannot be made before they are written")
        if len(written) >= self.tokens.levels:
            return self.end
        if written not in self._known:
            prefix = [int(code) for code in self.tokens.codes([written])[0][: len(written)]]
            level = self._names[len(written)]
            self._known[written] = [level[code] for code in self.catalog.allowed(prefix) if code in level]
        if not self._known[written]:
            self.dead_ends += 1
        return self._known[written] or self.end


def allowed_tokens(
    catalog: Catalog, tokens: SidTokens, prompt_length: int, end: list[int]
) -> Callable[[int, Any], list[int]]:
    """A ``prefix_allowed_tokens_fn``."""
    prefixes = Prefixes(catalog, tokens, prompt_length, end)

    def allowed(batch_id: int, ids: Any) -> list[int]:
        return prefixes.after(ids)

    return allowed


class SidLogits(Prefixes):
    """A ``LogitsProcessor``: what may not follow gets −inf, in a copy of the logits.

    It must come last: a top-k or top-p that runs behind it may take the few tokens that are left, and one that
    runs before it may have taken them already. ``generation_config`` of instruct models sets both.
    """

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        masked = scores.new_full(scores.shape, -float("inf"))
        for row, ids in enumerate(input_ids.tolist()):
            allowed = self.after(ids)
            masked[row, allowed] = scores[row, allowed]
        return masked
