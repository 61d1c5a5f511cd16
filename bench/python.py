"""What a call from Python costs above the same call in Rust: PYTHON=venv/bin/python bench/run

One request with 512 candidates; the host measures its own part of each call, so both are of one run.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import rewardc

SCHEMA = """schema: speed
keys: {item: item_id}
features:
  sid: {scale: sid, shape: [64, 64, 64]}
  kind: {entity: item, scale: category, names: [ad, film]}
  region: {entity: request, scale: category, names: open}
  p_click: {entity: model, scale: probability}
  p_like: {entity: model, scale: probability}
"""
REWARD = """language 1
scenario speed.python
version 1
schema "speed.yaml"
for training
preference { term click = p_click  term like weight 2 = p_like  term home = if region == "north" then 1 else 0 }
ecosystem { cap ads on kind == "ad" { at most 10% of group  dual up to 1 } }
format { require legal = sid in catalog else lowest  require unseen = sid not in past.sid else lowest }
"""
N, ITEMS, ROUNDS = 512, 10_000, 400

with tempfile.TemporaryDirectory() as folder:
    schema = SCHEMA.replace("features:", "lists: {past: {from: row, features: [sid]}}\nfeatures:")
    (Path(folder) / "speed.yaml").write_text(schema)
    (Path(folder) / "speed.reward").write_text(REWARD)
    reward = rewardc.load(Path(folder) / "speed.reward")
random = np.random.default_rng(0)
sids = np.stack([np.arange(ITEMS) // 4096, np.arange(ITEMS) // 64 % 64, np.arange(ITEMS) % 64], axis=1).astype(np.uint32)
catalog = reward.catalog([f"v{i}" for i in range(ITEMS)], sids, {"kind": ["ad" if i % 11 == 0 else "film" for i in range(ITEMS)]})
scorer = reward.bind(catalog, request=["region"], rollout=["p_click", "p_like"], past=["sid"], capacity=(1, N, 50))
given = {
    "sids": sids[random.integers(0, ITEMS, N)],
    "group_size": N,
    "request": {"region": ["north"]},
    "rollout": {name: random.random(N).astype(np.float32) for name in ("p_click", "p_like")},
    "past": ([0, 50], {"sid": sids[:50]}),
}
total, above = [], []
for _ in range(ROUNDS):
    begun = time.perf_counter()
    scorer.score(**given)
    total.append(time.perf_counter() - begun)
    above.append(total[-1] - scorer.seconds)


def shown(seconds):
    low, middle, high = (1e6 * np.quantile(seconds, q) for q in (0, 0.5, 0.99))
    return f"{low:7.1f} / {middle:7.1f} / {high:7.1f} us"


print(f"one request with {N} candidates, {len(scorer.columns)} columns, {ROUNDS} rounds; min / median / 99 %")
print(f"a call from Python            {shown(total)}")
print(f"  of it above the Rust call   {shown(above)}")
