"""Constrained decoding with Hugging Face: only codes that lead to an item may follow.

    model.generate(…, prefix_allowed_tokens_fn=allowed_tokens(catalog, tokens, prompt_length))
"""

from __future__ import annotations

from typing import Any, Callable

from . import Catalog
from .tokens import SidTokens


def allowed_tokens(
    catalog: Catalog, tokens: SidTokens, prompt_length: int, end: list[int]
) -> Callable[[int, Any], list[int]]:
    """A ``prefix_allowed_tokens_fn``: the tokens that may follow what was written behind the prompt.

    Behind a whole SID only ``end`` may follow. A prefix that leads to no item gets ``end`` too, so that
    its beam stops: the SID it wrote is illegal, and the reward says so.
    """
    names = [{code: token for token, code in level.items()} for level in tokens.table]
    known: dict[tuple[int, ...], list[int]] = {}

    def allowed(batch_id: int, ids: Any) -> list[int]:
        written = [int(token) for token in ids[prompt_length:]]
        if len(written) >= tokens.levels:
            return end
        prefix = tuple(int(code) for code in tokens.codes([written])[0][: len(written)])
        if prefix not in known:
            level = names[len(prefix)]
            known[prefix] = [level[code] for code in catalog.allowed(list(prefix)) if code in level]
        return known[prefix] or end

    return allowed
