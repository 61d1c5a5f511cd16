#!/usr/bin/env python3
"""The steering table: does the behaviour move as the reward file says, and nothing else?

    bench/steering.py --data DATA --base base.safetensors --work FOLDER [--short] [--bin target/release/rewardc]

Every run is a command of rewardc, printed before it starts. A run that was done is not done again, and one that
was stopped goes on: FOLDER holds their checkpoints, metrics and figures. The table goes to standard output. With
--short, the exit says whether the capped classes are within 5 points of a tenth.
"""

import statistics
import sys

from runs import REWARDS, Runs, arguments, mean_sd

HERE = REWARDS / "steering"
CLASSES = [f"class_{i}" for i in range(5)]
args = arguments(__doc__, short="one seed, one partition, on a small scale (short.yaml): null, cap and swap, within bounds")
CONFIG = HERE / ("short.yaml" if args.short else "config.yaml")
runs = Runs(args, beams=24 if args.short else 32)  # as wide as in training
rows = []


def judged(name, checkpoint, salt, *more):
    looked_at = ["--reward", HERE / "classes.reward", "--set", f"salt={salt}", *more]
    return runs.judged(f"{name}.salt{salt}{'.held' if more else ''}", CONFIG, checkpoint, *looked_at)


def share(found, place, which="served"):
    return 100 * found["classes"][CLASSES[place]][which]["mean"]


def trained(name):
    """The class's share of the training slates, over the last twenty steps."""
    caps = [cap for step in runs.steps(name)[-20:] for cap in step["caps"].values()]
    shares = [cap["span"] for cap in caps if cap["span"] is not None]
    return 100 * statistics.mean(shares) if shares else None


def row(kind, name, seed, salt, place, found, target=None):
    rows.append({
        "kind": kind, "seed": seed, "salt": salt, "class": place, "target": target,
        "served": [share(found, i) for i in range(5)], "sampled": share(found, place, "sampled"),
        "trained": trained(name) if name else None,
        "hr": found["hr"]["mean"], "ndcg": found["ndcg"], "log_prob": found["log_prob"],
    })


def run(kind, reward, seed, salt, place, target=None, settings=(), start=None, controlled=True):
    name = f"{kind.replace(' ', '-')}-{seed}-{salt}"
    own = [f"salt={salt}", f"placebo={place}", *settings] if reward != "none" else []
    controllers = HERE / "controllers.yaml" if controlled else None
    out = runs.train(name, CONFIG, HERE / f"{reward}.reward", seed, own, start, controllers)
    row(kind, name, seed, salt, place, judged(name, out, salt), target)


seeds, salts = ([1], [1]) if args.short else ([1, 2, 3], [1, 2, 3])
for salt in salts:
    row("base", None, "-", salt, 0, judged("base", args.base, salt))
    held = judged("base", args.base, salt, "--at-most", "class_0=10%")
    row("base, lists held to the bound", None, "-", salt, 0, held, 10)
for seed in seeds:
    null = runs.train(f"null-{seed}", CONFIG, HERE / "none.reward", seed)
    for salt in salts:
        row("null", f"null-{seed}", seed, salt, 0, judged(f"null-{seed}", null, salt))
for seed in seeds:
    for salt in salts:
        run("cap", "cap", seed, salt, 0, 10)
    run("swap", "cap", seed, 1, 1, 10)
    if args.short:
        continue
    run("dose 5", "cap", seed, 1, 0, 5, ["target=5%"])
    run("dose 15", "cap", seed, 1, 0, 15, ["target=15%"])
    run("floor", "floor", seed, 1, 0, 30)
    run("inside", "inside", seed, 1, 0, 10, controlled=False)
    run("reversal", "none", seed, 1, 0, start=args.work / f"cap-{seed}-1.safetensors", controlled=False)

heads = ["run", "seed", "partition", "class", "target %", "served % of classes 0 … 4", "sampled %", "trained %", "HR@10", "NDCG@10", "log π"]
print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
for r in rows:
    bold = lambda i, s: f"**{s:.1f}**" if i == r["class"] and r["target"] else f"{s:.1f}"
    served = " / ".join(bold(i, s) for i, s in enumerate(r["served"]))
    in_training = f"{r['trained']:.1f}" if r["trained"] is not None else "–"
    ndcg = "{mean:.4f} [{low:.4f}, {high:.4f}]".format(**r["ndcg"])
    log_prob = "{mean:.3f} [{low:.3f}, {high:.3f}]".format(**r["log_prob"])
    cells = [r["kind"], r["seed"], r["salt"], r["class"], r["target"] or "–", served, f"{r['sampled']:.1f}", in_training]
    cells += [f"{r['hr']:.4f}", ndcg, log_prob]
    print(f"| {' | '.join(map(str, cells))} |")
print()
for kind in dict.fromkeys(r["kind"] for r in rows):
    own = [r for r in rows if r["kind"] == kind]
    mean, spread = mean_sd(r["served"][r["class"]] for r in own)
    low, high = (f(r["served"][r["class"]] for r in own) for f in (min, max))
    ndcg, _ = mean_sd(r["ndcg"]["mean"] for r in own)
    log_prob, _ = mean_sd(r["log_prob"]["mean"] for r in own)
    print(f"- {kind}: served {mean:.2f} ± {spread:.2f} % in {len(own)} (from {low:.1f} to {high:.1f}), NDCG@10 {ndcg:.4f}, log π {log_prob:.3f}")
print()
# Every other class against its share in the null run of the same seed and partition, rescaled to what is left.
nulls = {(r["seed"], r["salt"]): r["served"] for r in rows if r["kind"] == "null"}
off = {}
for r in rows:
    if r["kind"] in ("cap", "swap"):
        null, k = nulls[(r["seed"], r["salt"])], r["class"]
        for i in set(range(5)) - {k}:
            expected = null[i] * (100 - r["served"][k]) / (100 - null[k])
            off.setdefault((r["kind"], r["salt"], i), []).append(r["served"][i] - expected)
for (kind, salt, i), points in sorted(off.items()):
    mean, spread = mean_sd(points)
    print(f"- {kind}, partition {salt}: class {i} is {mean:+.2f} points off (standard error {spread / len(points) ** 0.5:.2f})")

if not args.short:
    of = lambda kind: [r["served"][r["class"]] for r in rows if r["kind"] == kind]
    first = lambda kind: [r["served"][0] for r in rows if r["kind"] == kind and r["salt"] == 1]
    doses = [statistics.mean(first(kind)) for kind in ("dose 5", "cap", "dose 15", "null")]
    ndcg = lambda kind: statistics.mean(r["ndcg"]["mean"] for r in rows if r["kind"] == kind)
    width = statistics.mean(r["ndcg"]["high"] - r["ndcg"]["low"] for r in rows if r["kind"] == "cap") / 2
    farthest = max(off.values(), key=lambda points: abs(mean_sd(points)[0]))
    asked = [
        ("cap: the mean within 10 ± 1 %", f"{statistics.mean(of('cap')):.2f}", abs(statistics.mean(of("cap")) - 10) <= 1),
        ("cap: each within ± 2", f"{min(of('cap')):.1f} to {max(of('cap')):.1f}", all(abs(s - 10) <= 2 for s in of("cap"))),
        ("swap: each within ± 2", f"{min(of('swap')):.1f} to {max(of('swap')):.1f}", all(abs(s - 10) <= 2 for s in of("swap"))),
        ("5, 10, 15 %, none (partition 1): monotone", ", ".join(f"{d:.1f}" for d in doses), doses == sorted(doses)),
        ("at least 30 %, each less 1", f"{min(of('floor')):.1f} to {max(of('floor')):.1f}", min(of("floor")) >= 29),
        ("the cap taken out: back up", f"{min(of('reversal')):.1f} to {max(of('reversal')):.1f}", min(of("reversal")) > max(of("cap"))),
        ("other classes within 2.5 points", f"{abs(mean_sd(farthest)[0]):.2f} at most", abs(mean_sd(farthest)[0]) <= 2.5),
        ("NDCG@10 no lower than the frontier by its interval", f"{ndcg('cap'):.4f}, {ndcg('base, lists held to the bound'):.4f} ± {width:.4f}",
         ndcg("cap") > ndcg("base, lists held to the bound") - width),
    ]
    print("\n| asked | found | holds |\n|---|---|---|")
    for what, found, holds in asked:
        print(f"| {what} | {found} | {'yes' if holds else '**no**'} |")

if args.short:
    served = {r["kind"]: r["served"][r["class"]] for r in rows}
    wrong = [f"{kind} serves {served[kind]:.1f} %" for kind in ("cap", "swap") if abs(served[kind] - 10) > 5]
    wrong += [f"null serves {served['null']:.1f} %"] if served["null"] < 15 else []
    sys.exit("out of bounds: " + ", ".join(wrong) if wrong else 0)
