"""Runs of rewardc for the tables of docs/results: done once, and gone on with where they were stopped."""

import argparse
import hashlib
import json
import pathlib
import statistics
import subprocess
import sys

REWARDS = pathlib.Path(__file__).resolve().parent.parent / "rewards"


def arguments(doc, base=True, users=4000, **more):
    """What every table asks for; `more` are switches with their help."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the data files")
    if base:
        parser.add_argument("--base", required=True, help="the checkpoint that every run begins with")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="where runs and figures are kept")
    parser.add_argument("--bin", default="target/release/rewardc")
    parser.add_argument("--users", default=users, type=int, help="held-out users that are looked at, evenly spread")
    for name, what in more.items():
        parser.add_argument(f"--{name}", action="store_true", help=what)
    return parser.parse_args()


class Runs:
    def __init__(self, args, beams=10):
        self.args, self.beams = args, beams
        args.work.mkdir(parents=True, exist_ok=True)
        # What was made from other files is no part of this table.
        made_of, kept = identity(args), args.work / "made-of"
        if kept.exists() and kept.read_text() != made_of:
            sys.exit(f"{args.work} holds runs of another base, config, reward or size: name another folder")
        kept.write_text(made_of)

    def command(self, *words):
        """Its standard output; a command that fails, or is stopped, ends the table: the next call goes on."""
        print("$ rewardc", *words, file=sys.stderr)
        done = subprocess.run([self.args.bin, *map(str, words)], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"`rewardc {words[0]} {words[1]}` ended with {done.returncode}; call again to go on")
        return done.stdout

    def train(self, name, config, reward, seed, settings=(), start=None, controllers=None):
        """The checkpoint of a run."""
        out, done = self.args.work / f"{name}.safetensors", self.args.work / f"{name}.done"
        words = ["train", "rl", config, "--data", self.args.data, "--checkpoint", start or self.args.base]
        words += ["--reward", reward, "--seed", seed, "--out", out, "--resume"]
        words += [word for setting in settings for word in ("--set", setting)]
        words += ["--controllers", controllers] if controllers else []
        words += ["--allow-other-reward"] if start else []
        if not done.exists():
            self.command(*words)
            done.touch()
        return out

    def judged(self, name, config, checkpoint, *more):
        """Figures on held-out users: the first ten of a search of so many beams, under the catalog's mask alone."""
        path = self.args.work / f"{name}.json"
        if not path.exists():
            words = ["eval", config, "--data", self.args.data, "--checkpoint", checkpoint, "--held-out"]
            words += ["--users", self.args.users, "--sampled", 4, "--beams", self.beams, "--format", "json"]
            path.write_text(self.command(*words, *more))
        return json.loads(path.read_text())["policy"]

    def steps(self, name):
        """What a run measured, step by step."""
        return [json.loads(line) for line in (self.args.work / f"{name}.jsonl").read_text().splitlines()]


def identity(args):
    """A hash of the base, of every file that a run is told by, and of how it was asked for."""
    found = hashlib.sha256(pathlib.Path(args.base).read_bytes() if "base" in args else b"")
    for path in sorted(REWARDS.rglob("*")):
        if path.is_file():
            found.update(path.read_bytes())
    asked = sorted((name, str(value)) for name, value in vars(args).items() if name not in ("base", "work", "bin"))
    found.update(repr(asked).encode())
    return found.hexdigest()


def mean_sd(values):
    values = list(values)
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return statistics.mean(values), spread
