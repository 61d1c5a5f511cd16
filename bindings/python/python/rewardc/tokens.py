"""SIDs and the token ids that a decoder writes them with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE = np.uint32(0xFFFFFFFF)
"""What stands for a token that is no code of its level."""


class SidTokens:
    """Which token id stands for which code, level by level.

    ``table[level]`` maps token ids to codes; a token of another level, or none at all, is no code.
    """

    def __init__(self, table: list[dict[int, int]]):
        self.table = table
        size = 1 + max((token for level in table for token in level), default=0)
        self._codes = np.full((len(table), size), NONE, dtype=np.uint32)
        for level, codes in enumerate(table):
            for token, code in codes.items():
                self._codes[level, token] = code
        self._tokens = [{code: token for token, code in level.items()} for level in table]

    @classmethod
    def offsets(cls, shape: list[int], first: int) -> "SidTokens":
        """Level by level behind each other: code c of level l is ``first + sum(shape[:l]) + c``."""
        starts = np.cumsum([first, *shape[:-1]]).tolist()
        return cls([{start + code: code for code in range(size)} for start, size in zip(starts, shape)])

    @classmethod
    def of(cls, tokenizer: Any, shape: list[int], form: str = "<{level}_{code}>", levels: str = "abcdefgh") -> "SidTokens":
        """The tokenizer's own tokens, written as ``form``: ``<a_17>`` for code 17 of the first level."""
        vocabulary = tokenizer.get_vocab()
        table: list[dict[int, int]] = []
        for level, size in zip(levels, shape):
            names = {form.format(level=level, code=code): code for code in range(size)}
            table.append({vocabulary[name]: code for name, code in names.items() if name in vocabulary})
        return cls(table)

    @property
    def levels(self) -> int:
        return len(self.table)

    def codes(self, completion_ids: Sequence[Sequence[int]]) -> NDArray[np.uint32]:
        """Completions × levels. A completion that is too short, or that holds other tokens, gets codes
        that no SID has: it is illegal, and no error. Tokens behind the last level are left out."""
        out = np.full((len(completion_ids), self.levels), NONE, dtype=np.uint32)
        for row, ids in enumerate(completion_ids):
            for level, token in enumerate(list(ids)[: self.levels]):
                if 0 <= int(token) < self._codes.shape[1]:
                    out[row, level] = self._codes[level, int(token)]
        return out

    def tokens(self, sid: Sequence[int]) -> list[int]:
        """The token ids of a SID."""
        return [self._tokens[level][int(code)] for level, code in enumerate(sid)]


def doctor(tokenizer: Any, tokens: SidTokens) -> list[str]:
    """What would go wrong between a tokenizer and its SIDs, as sentences; empty where nothing would."""
    found = []
    special = set(getattr(tokenizer, "all_special_ids", []) or [])
    lost = sorted(special.intersection(token for level in tokens.table for token in level))
    if lost:
        found.append(
            f"{len(lost)} SID tokens are registered as special (the first is {lost[0]}): decoding with "
            "skip_special_tokens=True strips them; add them with add_tokens(…) instead"
        )
    for level, codes in enumerate(tokens.table):
        if not codes:
            found.append(f"level {level + 1} has no token at all: does the form of its tokens fit the vocabulary?")
    seen: set[int] = set()
    for level, codes in enumerate(tokens.table):
        if seen.intersection(codes):
            found.append(f"level {level + 1} shares tokens with a level before it")
        seen.update(codes)
    return found
