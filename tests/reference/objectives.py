#!/usr/bin/env python3
"""Losses, derivatives and advantages from their formulas, in plain Python: what src/train/rl is tested against.

    python3 tests/reference/objectives.py > tests/reference/objectives.json

Derivatives are by log pi, numerically; what stands under a stop-gradient is held fixed meanwhile.
"""

import json
import math


def clip(x, low, high):
    return max(low, min(high, x))


def loss(bound, log_prob, fixed, old, a):
    """One code. `fixed` is log pi where no gradient goes through."""
    pi, kept = math.exp(log_prob), math.exp(fixed)
    pi_old = math.exp(old)
    if bound == "none":
        return -pi / pi_old * a
    if bound == "ppo":
        eps = 0.2
        r = pi / pi_old
        return -min(r * a, clip(r, 1 - eps, 1 + eps) * a)
    if bound == "ecpo":
        eps, delta = 0.2, 0.1
        if a < 0:
            pi_old = max(pi_old, kept / (1 + eps + delta))
        r = pi / pi_old
        return -min(r * a, clip(r, 1 - eps, 1 + eps) * a)
    if bound == "gbpo":
        pi_old = max(pi_old, kept) if a >= 0 else max(pi_old, 1 - kept)
        return -pi / pi_old * a
    raise ValueError(bound)


def derivative(bound, log_prob, old, a):
    h = 1e-6
    return (loss(bound, log_prob + h, log_prob, old, a) - loss(bound, log_prob - h, log_prob, old, a)) / (2 * h)


POINTS = [(lp, old, a) for lp in (-0.05, -0.7, -2.3, -6.0) for old in (-0.1, -0.75, -2.0, -9.0) for a in (1.5, -0.8, 0.0)]


def moments(xs):
    mean = sum(xs) / len(xs)
    return mean, math.sqrt(sum((x - mean) ** 2 for x in xs) / len(xs))


def by_group(groups, normal):
    return [[normal(x, *moments(g)) for x in g] for g in groups]


# Three groups: two terms of weights 1 and 0.25 (weighted already), in the last group no term differs.
TERMS = [(1.0, [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0]]),
         (0.25, [[0.25, 0.125, 0.0, 0.0625], [0.0, 0.25, 0.1875], [0.125, 0.125]])]
REWARDS = [[a + b for a, b in zip(g, h)] for g, h in zip(TERMS[0][1], TERMS[1][1])]


def z_score(x, mean, spread):
    return (x - mean) / (spread + 1e-4)


def per_term():
    parts = [(w, by_group(groups, z_score)) for w, groups in TERMS]
    sums = [[sum(w * own[g][i] for w, own in parts) for i in range(len(group))] for g, group in enumerate(REWARDS)]
    mean, spread = moments([x for group in sums for x in group])
    return [[(x - mean) / (spread + 1e-6) for x in group] for group in sums]


print(json.dumps({
    "points": POINTS,
    "losses": {b: [loss(b, lp, lp, old, a) for lp, old, a in POINTS] for b in ("none", "ppo", "ecpo", "gbpo")},
    "derivatives": {b: [derivative(b, lp, old, a) for lp, old, a in POINTS] for b in ("none", "ppo", "ecpo", "gbpo")},
    "terms": TERMS,
    "rewards": REWARDS,
    "z_score": by_group(REWARDS, z_score),
    "mean_only": by_group(REWARDS, lambda x, mean, _: x - mean),
    "per_term": per_term(),
}))
