#!/usr/bin/env python3
"""The legality table: what becomes of free decoding under reinforcement learning, by what the reward says of it.

    bench/legality.py --data DATA --base base.safetensors --work FOLDER [--short] [--bin target/release/rewardc]

Goes on where it was stopped. The table goes to standard output.
"""

from runs import REWARDS, Runs, arguments, mean_sd

HERE = REWARDS / "legality"
args = arguments(__doc__, short="one seed")
runs = Runs(args)
base = 100 * runs.judged("base", HERE / "plain.yaml", args.base)["legal"]["mean"]
print(f"Drawn freely from the base, {base:.1f} % stand for an item.\n")
print("| reward | bound | legal % after 40, 80, 120 steps (of 256 users) | legal %, held-out users | lowest on the way | entropy | HR@10, masked | log π |")
print("|---|---|---|---|---|---|---|---|")
for reward, config in [("preference", c) for c in ("plain", "ecpo", "gbpo")] + [
    ("random", "ecpo"), ("random", "gbpo"), ("top", "ecpo"), ("lowest", "ecpo"),
]:
    found, ways, lows, entropies = [], [], [], []
    for seed in [1] if args.short else [1, 2, 3]:
        name = f"{reward}-{config}-{seed}"
        out = runs.train(name, HERE / f"{config}.yaml", HERE / f"{reward}.reward", seed)
        found.append(runs.judged(name, HERE / f"{config}.yaml", out))
        watched = {s["step"]: 100 * s["watched"]["legal"] for s in runs.steps(name) if "watched" in s}
        ways.append([watched[step] for step in (40, 80, 120)])
        lows.append(min(watched.values()))
        entropies.append(runs.steps(name)[-1]["entropy"])
    way = ", ".join(f"{mean_sd(values)[0]:.1f}" for values in zip(*ways))
    legal, spread = mean_sd(100 * f["legal"]["mean"] for f in found)
    hr, _ = mean_sd(f["hr"]["mean"] for f in found)
    log_prob, _ = mean_sd(f["log_prob"]["mean"] for f in found)
    print(f"| {reward} | {config} | {way} | {legal:.1f} ± {spread:.1f} | {mean_sd(lows)[0]:.1f} | {mean_sd(entropies)[0]:.2f} | {hr:.4f} | {log_prob:.2f} |")
