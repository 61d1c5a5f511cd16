#!/usr/bin/env python3
"""Two real classes held to half of what the base serves of them: what it costs, and whether the dear one is dear.

    bench/real_class.py --data DATA --base base.safetensors --work FOLDER [--short] [--bin target/release/rewardc]

Goes on where it was stopped. The table goes to standard output.
"""

from runs import REWARDS, Runs, arguments, mean_sd

HERE = REWARDS / "scientific"
CONFIG = HERE / "config.yaml"
args = arguments(__doc__, users=5000, short="one seed")  # all of them
runs = Runs(args, beams=32)  # as wide as in training: another width finds other lists
seeds = [1] if args.short else [1, 2, 3]


def judged(name, checkpoint, shelf, *more):
    return runs.judged(f"{name}.{shelf}", CONFIG, checkpoint, "--reward", HERE / f"{shelf}.reward", *more)


def line(shelf, kind, found):
    served, spread = mean_sd(100 * f["classes"]["shelf"]["served"]["mean"] for f in found)
    cells = [f"{served:.1f} ± {spread:.1f}"]
    for figure, digits in (("hr", 4), ("ndcg", 4), ("log_prob", 3)):
        mean, spread = mean_sd(f[figure]["mean"] for f in found)
        cells.append(f"{mean:.{digits}f} ± {spread:.{digits}f}")
    print(f"| {shelf} | {kind} | {' | '.join(cells)} |")


nulls = [runs.train(f"null-{seed}", CONFIG, HERE / "none.reward", seed) for seed in seeds]
print("| shelf | policy | served % | HR@10 | NDCG@10 | log π |\n|---|---|---|---|---|---|")
for shelf in ("additive", "tapes"):
    base = judged("base", args.base, shelf)
    half = 50 * base["classes"]["shelf"]["served"]["mean"]
    line(shelf, "base", [base])
    line(shelf, "null", [judged(f"null-{s}", out, shelf) for s, out in zip(seeds, nulls)])
    capped = []
    for seed in seeds:
        name = f"{shelf}-{seed}"
        own = [f"target={half:.1f}%"]
        out = runs.train(name, CONFIG, HERE / f"{shelf}.reward", seed, own, controllers=HERE / "controllers.yaml")
        capped.append(judged(name, out, shelf))
    line(shelf, f"capped at {half:.1f} %", capped)
    # The frontier: the null runs' lists, held to as many of the shelf's items as the bound allows.
    held = [judged(f"null-{s}.held", out, shelf, "--at-most", f"shelf={half:.1f}%") for s, out in zip(seeds, nulls)]
    line(shelf, f"null, lists held to {half:.1f} %", held)
