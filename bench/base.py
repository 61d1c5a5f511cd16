#!/usr/bin/env python3
"""The base three times over: how good it is, and how it came to be so.

    bench/base.py --data DATA --work FOLDER [--bin target/release/rewardc] [--short] [--scientific]

Goes on where it was stopped; a run that was stopped in between has no time. The tables go to standard output.
"""

import json
import time

from runs import REWARDS, Runs, arguments, mean_sd

FIGURES = [("hr_sid", "HR@10 by SID"), ("hr", "HR@10"), ("ndcg", "NDCG@10")]

args = arguments(__doc__, base=False, short="one seed", scientific="the base of the real classes instead")
config = REWARDS / ("scientific" if args.scientific else "steering") / "config.yaml"
runs = Runs(args)
curves, times, found = {}, {}, {}
for seed in [1] if args.short else [1, 2, 3]:
    out, took = args.work / f"base-{seed}.safetensors", args.work / f"base-{seed}.seconds"
    if not took.exists():
        fresh, begun = not out.exists(), time.monotonic()
        runs.command("train", "pretrain", config, "--data", args.data, "--seed", seed, "--out", out, "--resume")
        took.write_text(f"{time.monotonic() - begun:.0f}" if fresh else "-")
    times[seed] = took.read_text()
    figures = args.work / f"base-{seed}.json"
    if not figures.exists():
        words = ["eval", config, "--data", args.data, "--checkpoint", out, "--baselines", "--sampled", 4]
        figures.write_text(runs.command(*words, "--format", "json"))
    found[seed] = json.loads(figures.read_text())
    curves[seed] = [s for s in runs.steps(f"base-{seed}") if s["validation"]]


def cells(figures):
    return [f"{figures[name]['mean']:.4f} [{figures[name]['low']:.4f}, {figures[name]['high']:.4f}]" for name, _ in FIGURES]


print(f"| all users | {' | '.join(title for _, title in FIGURES)} | seconds |")
print("|---|" + "---|" * (len(FIGURES) + 1))
for seed, figures in found.items():
    print(f"| seed {seed} | {' | '.join(cells(figures['policy']))} | {times[seed]} |")
spreads = [mean_sd(f["policy"][name]["mean"] for f in found.values()) for name, _ in FIGURES]
print(f"| mean ± sd | {' | '.join(f'{mean:.4f} ± {sd:.4f}' for mean, sd in spreads)} | |")
for name in ("last item", "popularity"):
    print(f"| {name} | {' | '.join(cells(next(iter(found.values()))[name]))} | |")
print("\n| step | training loss | HR@10, 1,000 held-out users' validation items | NDCG@10 |\n|---|---|---|---|")
for points in zip(*curves.values()):
    loss, _ = mean_sd(p["loss"] for p in points)
    each = [mean_sd(p["validation"][name] for p in points) for name in ("hr", "ndcg")]
    print(f"| {points[0]['step']} | {loss:.2f} | {' | '.join(f'{mean:.4f} ± {sd:.4f}' for mean, sd in each)} |")
