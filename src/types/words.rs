//! The words of the language that no feature and no declaration may have as a name.

/// Reserved words: they are never names.
pub const RESERVED: [&str; 33] = [
    "param", "let", "fn", "term", "gate", "cap", "require", "expect", "pick", "if", "then", "else", "match", "and",
    "or", "not", "in", "is", "over", "among", "where", "per", "before", "to", "from", "after", "except", "at", "of",
    "on", "this", "true", "false",
];

/// Words that are values by themselves.
pub const VALUE_WORDS: [&str; 7] = ["position", "rollout", "level", "code", "catalog", "lowest", "drop"];

/// Names of output columns.
pub const OUTPUT_NAMES: [&str; 11] = [
    "reward",
    "cost",
    "total",
    "preference",
    "ecosystem",
    "clamp",
    "verdict",
    "rule",
    "item",
    "slate_reward",
    "partial",
];
