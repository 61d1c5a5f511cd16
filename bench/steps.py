#!/usr/bin/env python3
"""Where a step of reinforcement learning goes, and whether memory stays flat over many.

    bench/steps.py --data DATA --base base.safetensors --work FOLDER [--bin target/release/rewardc]

The first run is one of the steering table (32 requests × 32 beams); the second is 2,000 small steps of the same
decoder, whose memory the system is asked for four times a second. The tables go to standard output.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

from runs import REWARDS, arguments

HERE = REWARDS / "steering"


def resident(process):
    """Megabytes in memory; none of a process that has ended."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(found[0]) / 1024 if found else None


def trained(args, name, config):
    """The steps of a run as it measured them, and its memory by the step it had come to."""
    out = args.work / f"{name}.safetensors"
    words = [args.bin, "train", "rl", config, "--data", args.data, "--checkpoint", args.base, "--out", out]
    words += ["--reward", HERE / "cap.reward", "--controllers", HERE / "controllers.yaml", "--save-every", "500"]
    seen, lines = [], out.with_suffix(".jsonl")
    # Time and memory are of one process: a run is not gone on with.
    for left in (out, lines):
        left.unlink(missing_ok=True)
    run = subprocess.Popen([str(word) for word in words], stdout=sys.stderr)
    while run.poll() is None:
        time.sleep(0.25)
        megabytes = resident(run.pid)
        if megabytes is not None and lines.exists():
            seen.append((lines.read_bytes().count(b"\n"), megabytes))
    if run.returncode != 0:
        sys.exit(f"the run ended with {run.returncode}")
    return [json.loads(line) for line in lines.read_text().splitlines()], seen


args = arguments(__doc__)
args.work.mkdir(parents=True, exist_ok=True)
steps, _ = trained(args, "parts", HERE / "config.yaml")
print("| part of a step | seconds, median | from, to | share |\n|---|---|---|---|")
whole = statistics.median(sum(step["seconds"].values()) for step in steps)
for part in ("decoder", "rollouts", "reward", "loss"):
    own = [step["seconds"][part] for step in steps]
    middle = statistics.median(own)
    print(f"| {part} | {middle:.4f} | {min(own):.4f}, {max(own):.4f} | {100 * middle / whole:.1f} % |")
steps, memory = trained(args, "memory", HERE / "memory.yaml")
print(f"\n| steps of {len(steps)} | megabytes: least, median, most |\n|---|---|")
for tenth in range(10):
    first, last = len(steps) * tenth // 10, len(steps) * (tenth + 1) // 10
    own = [megabytes for step, megabytes in memory if first < step <= last]
    if own:
        print(f"| {first + 1} to {last} | {min(own):.1f}, {statistics.median(own):.1f}, {max(own):.1f} |")
