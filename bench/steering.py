#!/usr/bin/env python3
"""The steering table: does the behaviour move as the reward file says, and nothing else?

    bench/steering.py --data DATA --base base.safetensors --work FOLDER [--short] [--bin target/release/rewardc]

Every run is a command of rewardc, printed before it starts. A run that was done is not done again, and one that
was stopped goes on: FOLDER holds their checkpoints, metrics and figures. The table goes to standard output.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent / "rewards" / "steering"
CLASSES = [f"class_{i}" for i in range(5)]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True)
parser.add_argument("--base", required=True)
parser.add_argument("--work", required=True, type=pathlib.Path)
parser.add_argument("--bin", default="target/release/rewardc")
parser.add_argument("--config", default=str(HERE / "config.yaml"))
parser.add_argument("--short", action="store_true", help="one seed, one partition: null, cap and swap")
parser.add_argument("--users", default=4000, type=int)
args = parser.parse_args()
args.work.mkdir(parents=True, exist_ok=True)


def run(*words):
    print("$ rewardc", *words, file=sys.stderr)
    done = subprocess.run([args.bin, *map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"`rewardc {words[0]} {words[1]}` ended with {done.returncode}; this command goes on where it stopped")
    return done.stdout


def train(name, reward, seed, settings=(), start=None, controllers=True):
    """A checkpoint of a run, made unless it is there."""
    out = args.work / f"{name}.safetensors"
    words = ["train", "rl", args.config, "--data", args.data, "--checkpoint", start or args.base]
    words += ["--reward", HERE / f"{reward}.reward", "--seed", seed, "--out", out, "--resume"]
    for setting in settings:
        words += ["--set", setting]
    if controllers:
        words += ["--controllers", HERE / "controllers.yaml"]
    if start:
        words += ["--allow-other-reward"]
    if not (args.work / f"{name}.done").exists():
        run(*words)
        (args.work / f"{name}.done").touch()
    return out


def judged(name, checkpoint, salt, at_most=None):
    """Figures of a checkpoint on held-out users, decoded under the catalog's mask alone."""
    path = args.work / f"{name}.salt{salt}{'.held' if at_most else ''}.json"
    if not path.exists():
        words = ["eval", args.config, "--data", args.data, "--checkpoint", checkpoint, "--held-out"]
        words += ["--users", args.users, "--sampled", 4, "--format", "json"]
        words += ["--reward", HERE / "classes.reward", "--set", f"salt={salt}"]
        if at_most:
            words += ["--at-most", at_most]
        text = run(*words)
        path.write_text(text)
    return json.loads(path.read_text())["policy"]


def trained_share(name):
    """The class's share of the training slates, over the last twenty steps."""
    lines = (args.work / f"{name}.jsonl").read_text().splitlines()[-20:]
    shares = [cap["span"] for line in lines for cap in json.loads(line)["caps"].values() if cap["span"] is not None]
    return 100 * statistics.mean(shares) if shares else None


def share(found, place, which="served"):
    return 100 * found["classes"][CLASSES[place]][which]["mean"]


rows = []


def row(kind, name, seed, salt, capped, found, target=None):
    rows.append({
        "kind": kind, "seed": seed, "salt": salt, "class": capped, "target": target,
        "served": [share(found, i) for i in range(5)], "sampled": share(found, capped, "sampled"),
        "trained": trained_share(name) if name else None,
        "hr": found["hr"]["mean"], "ndcg": found["ndcg"], "log_prob": found["log_prob"],
    })


seeds, salts = ([1], [1]) if args.short else ([1, 2, 3], [1, 2, 3])
for salt in salts:
    row("base", None, "-", salt, 0, judged("base", args.base, salt))
    row("base, lists held to the bound", None, "-", salt, 0, judged("base", args.base, salt, "class_0=10%"), 10)
for seed in seeds:
    null = train(f"null-{seed}", "none", seed, controllers=False)
    for salt in salts:
        row("null", f"null-{seed}", seed, salt, 0, judged(f"null-{seed}", null, salt))


def capped(kind, reward, seed, salt, capped_class, settings=(), target=None, name=None, start=None, controllers=True):
    name = name or f"{kind.replace(' ', '-')}-{seed}-{salt}"
    own = [f"salt={salt}", f"placebo={capped_class}", *settings] if reward != "none" else []
    out = train(name, reward, seed, own, start, controllers)
    row(kind, name, seed, salt, capped_class, judged(name, out, salt), target)
    return out


for seed in seeds:
    for salt in salts:
        out = capped("cap", "cap", seed, salt, 0, target=10)
    capped("swap", "cap", seed, 1, 1, target=10)
    if args.short:
        continue
    capped("dose 5", "cap", seed, 1, 0, ["target=5%"], target=5)
    capped("dose 15", "cap", seed, 1, 0, ["target=15%"], target=15)
    capped("floor", "floor", seed, 1, 0, target=30)
    capped("inside", "inside", seed, 1, 0, target=10, controllers=False)
    start = args.work / f"cap-{seed}-1.safetensors"
    capped("reversal", "none", seed, 1, 0, start=start, controllers=False)

print("| run | seed | partition | class | target % | served % of classes 0 … 4 | sampled % | trained % | HR@10 | NDCG@10 | log π |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for r in rows:
    served = " / ".join(f"**{s:.1f}**" if i == r["class"] and r["target"] else f"{s:.1f}" for i, s in enumerate(r["served"]))
    trained = f"{r['trained']:.1f}" if r["trained"] is not None else "–"
    ndcg, log_prob = ("{mean:.4f} [{low:.4f}, {high:.4f}]".format(**r["ndcg"]), "{mean:.3f}".format(**r["log_prob"]))
    print(f"| {r['kind']} | {r['seed']} | {r['salt']} | {r['class']} | {r['target'] or '–'} | {served} | {r['sampled']:.1f} | {trained} | {r['hr']:.4f} | {ndcg} | {log_prob} |")
print()
for kind in dict.fromkeys(r["kind"] for r in rows if r["target"]):
    own = [r["served"][r["class"]] for r in rows if r["kind"] == kind]
    spread = statistics.stdev(own) if len(own) > 1 else 0.0
    ndcg = statistics.mean(r["ndcg"]["mean"] for r in rows if r["kind"] == kind)
    print(f"{kind}: served {statistics.mean(own):.2f} ± {spread:.2f} % of {len(own)} (from {min(own):.1f} to {max(own):.1f}), NDCG@10 {ndcg:.4f}")

# Every other class against its share in the null run of the same seed and partition, rescaled to what is left.
nulls = {(r["seed"], r["salt"]): r["served"] for r in rows if r["kind"] == "null"}
for kind in ("cap", "swap"):
    own = [r for r in rows if r["kind"] == kind]
    off = {}
    for r in own:
        null, k = nulls[(r["seed"], r["salt"])], r["class"]
        for i in range(5):
            if i != k:
                expected = null[i] * (100 - r["served"][k]) / (100 - null[k])
                off.setdefault((r["salt"], i), []).append(r["served"][i] - expected)
    for (salt, i), d in sorted(off.items()):
        error = statistics.stdev(d) / len(d) ** 0.5 if len(d) > 1 else float("nan")
        print(f"{kind}, partition {salt}: class {i} is {statistics.mean(d):+.2f} points off its rescaled null share (standard error {error:.2f})")
