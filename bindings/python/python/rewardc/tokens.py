"""SIDs and the token ids that a decoder writes them with."""

from __future__ import annotations

import re
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
        if len(shape) > len(levels):
            raise ValueError(f"a SID of {len(shape)} levels, and names for {len(levels)}")
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
        that no SID has, which is no error: it is illegal where the file asks ``sid in catalog``, else unscorable.
        Tokens behind the last level are left out."""
        out = np.full((len(completion_ids), self.levels), NONE, dtype=np.uint32)
        for row, ids in enumerate(completion_ids):
            for level, token in enumerate(list(ids)[: self.levels]):
                if 0 <= int(token) < self._codes.shape[1]:
                    out[row, level] = self._codes[level, int(token)]
        return out

    def tokens(self, sid: Sequence[int]) -> list[int]:
        """The token ids of a SID."""
        return [self._tokens[level][int(code)] for level, code in enumerate(sid)]


class SidText:
    """SIDs as a decoder's text has them: ``<a_17><b_3>``, for loops that hand over texts and no token ids.

    ``form`` is the text of one code, with ``{level}`` and ``{code}``.
    """

    def __init__(self, levels: int, form: str = "<{level}_{code}>", names: str = "abcdefgh"):
        pattern = re.escape(form).replace(r"\{level\}", f"([{names}])").replace(r"\{code\}", r"(\d{1,9})")
        self._code, self._names, self.levels = re.compile(pattern), names, levels

    def codes(self, texts: Sequence[str]) -> NDArray[np.uint32]:
        """Texts × levels: the first codes of each text, in order. A code of another level, or none at all, is
        no code, which is no error: the rollout is illegal where the file asks ``sid in catalog``, else unscorable."""
        out = np.full((len(texts), self.levels), NONE, dtype=np.uint32)
        for row, text in enumerate(texts):
            for level, found in zip(range(self.levels), self._code.finditer(text)):
                if found[1] == self._names[level]:
                    out[row, level] = int(found[2])
        return out


def entries(lists: Sequence[Any], levels: int) -> tuple[Any, dict[str, Any]]:
    """SIDs of each request → offsets and codes; a single SID is a list of one."""
    rows = []
    for sids in lists:
        plain = [] if sids is None else np.asarray(sids).tolist()
        rows.append([plain] if plain and not isinstance(plain[0], list) else plain)
    offsets = np.cumsum([0] + [len(row) for row in rows]).astype(np.int64)
    codes = np.array([sid for row in rows for sid in row], dtype=np.int64).reshape(-1, levels)
    return offsets, {"sid": np.where((codes < 0) | (codes >= NONE), NONE, codes).astype(np.uint32)}


def doctor(tokenizer: Any, tokens: SidTokens, shape: Sequence[int] | None = None) -> list[str]:
    """What would go wrong between a tokenizer and its SIDs, as sentences; empty where nothing would. With the
    SID's ``shape`` also codes without a token are found."""
    found = []
    own = {token for level in tokens.table for token in level}
    special = set(getattr(tokenizer, "all_special_ids", None) or [])
    added = getattr(tokenizer, "added_tokens_decoder", None) or {}
    special |= {token for token, kind in added.items() if getattr(kind, "special", False)}
    lost = sorted(special & own)
    if lost:
        found.append(
            f"{len(lost)} SID tokens are registered as special (the first is {lost[0]}): decoding with "
            "skip_special_tokens=True strips them; add them with add_tokens(names, special_tokens=False) instead"
        )
    seen: set[int] = set()
    for level, codes in enumerate(tokens.table):
        if not codes:
            found.append(f"level {level + 1} has no token at all: does the form of its tokens fit the vocabulary?")
        elif shape is not None and len(codes) < shape[level]:
            found.append(f"level {level + 1} has {len(codes)} tokens for {shape[level]} codes: the others cannot be written")
        if seen.intersection(codes):
            found.append(f"level {level + 1} shares tokens with a level before it")
        seen.update(codes)
    if shape is not None and len(tokens.table) != len(shape):
        found.append(f"there are tokens for {len(tokens.table)} levels, and a SID has {len(shape)}")
    return found
