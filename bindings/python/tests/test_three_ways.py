"""The same rows through `rewardc score` and through Python: the same bits.

What a schema says of files — joins, repeats, slates, histories — is put together here a second time, with numpy.
"""

import csv
import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import rewardc

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"
BINARY = Path(os.environ.get("REWARDC_BIN", ROOT / "target" / "debug" / "rewardc"))
pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="no shared data"),
    pytest.mark.skipif(not BINARY.exists(), reason="the command line is not built: cargo build"),
]


def score(reward, data, out, *more):
    said = subprocess.run([BINARY, "score", reward, "--data", data, "--out", out, *more], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return pq.read_table(out)


def same_bits(scorer, table, scores, order):
    """Row `order[i]` of the files is row i of the step."""
    verdicts = np.array([rewardc.VERDICTS.index(v) for v in table["verdict"].to_pylist()])
    assert (scores["verdict"] == verdicts[order]).all()
    for name in scorer.columns:
        column = table[name]
        if pa.types.is_nested(column.type):
            levels = scores[name].shape[1]
            theirs = np.array([row or [np.nan] * levels for row in column.to_pylist()], np.float64)[order]
        else:
            theirs = column.to_numpy().astype(np.float64)[order]
        own = scores[name]
        assert (np.isnan(own) == np.isnan(theirs)).all(), name
        known = ~np.isnan(own)
        assert (own[known].view(np.int64) == theirs[known].view(np.int64)).all(), name


def test_a_real_log(tmp_path):
    pure = DATA / "kuairand_pure"
    feed = ROOT / "rewards" / "kuairand" / "feed.reward"
    table = score(feed, pure, tmp_path / "scores.parquet")
    log = pq.read_table(pure / "log_standard_0425_0504.parquet").to_pydict()
    with open(pure / "video_features_basic_pure.csv", newline="") as file:
        videos = {row["video_id"]: row for row in csv.DictReader(file)}
    n = len(log["user_id"])
    user, time = np.array(log["user_id"]), np.array(log["time_ms"])
    seen, repeated = set(), np.zeros(n, bool)
    for row, key in enumerate(zip(log["user_id"], log["video_id"], log["time_ms"])):
        repeated[row] = key in seen
        seen.add(key)
    # Requests are users of a day; their rows need not adjoin in the file, and do here.
    requests: dict = defaultdict(list)
    for row, key in enumerate(zip(log["user_id"], log["date"])):
        requests[key].append(row)
    order = np.array([row for rows in requests.values() for row in rows])
    days: dict = {}
    batches = [days.setdefault(log["date"][row], len(days)) for row in order]
    slate, place = np.full(n, -1), np.ones(n, int)
    slates = 0
    for rows in requests.values():
        rows = sorted((r for r in rows if not repeated[r]), key=lambda r: time[r])
        for at, row in enumerate(rows):
            slate[row], place[row] = slates + at // 10, at % 10 + 1
        slates += -(-len(rows) // 10)
    # What each user did before each row, the last 200.
    by_user = defaultdict(list)
    for row in np.argsort(time, kind="stable"):
        if not repeated[row]:
            by_user[user[row]].append(row)
    times = {u: time[rows] for u, rows in by_user.items()}
    past = []
    for row in order:
        until = int(np.searchsorted(times.get(user[row], time[:0]), time[row], side="left"))
        past.append(by_user[user[row]][max(0, until - 200) : until])

    video = [videos[str(v)] for v in log["video_id"]]
    whole = [float(v["video_duration"] or 0) or own for v, own in zip(video, log["duration_ms"])]
    duration, play = np.array(whole, np.float64), np.array(log["play_time_ms"], np.int64)
    flags = ["is_like", "is_follow", "is_comment", "is_forward", "is_hate"]
    reward = rewardc.load(feed)
    rollout = {name: np.array(log[name], bool)[order] for name in flags}
    rollout |= {"duration": duration[order], "play_time": play[order]}
    rollout["author_id"] = [video[row]["author_id"] for row in order]
    rollout["upload_type"] = [video[row]["upload_type"] or None for row in order]
    needs = {name for name, owner, _, _ in reward.needs("logs") if owner != "past"}
    assert needs == set(rollout), needs
    sizes = [len(rows) for rows in requests.values()]
    entries = np.array([e for rows in past for e in rows])
    scorer = reward.bind(
        host="logs", rollout=list(rollout), past=["play_time", "duration"], capacity=(len(sizes), max(sizes), 200)
    )
    scores = scorer.score(
        groups=np.cumsum([0, *sizes]),
        rollout=rollout,
        padding=repeated[order],
        slates=(slate[order], place[order]),
        batches=batches,
        past=(np.cumsum([0] + [len(rows) for rows in past]), {"play_time": play[entries], "duration": duration[entries]}),
        lists_by_rollout=True,
    )
    assert n > 100_000 and scorer.counts()["scored"] > 100_000
    same_bits(scorer, table, scores, order)


TABLES = {
    "minionerec_industrial/sid_index.csv": "abc",
    "collisiongenrec_scientific/sid_index_rkmeans_native.csv": "abcd",
    "genrec_instruments/sid_index.csv": "abcd",
}
SCHEMA = """schema: generated
sources:
  rollouts: {file: rollouts.ndjson, entity: rollout}
  items: {file: items.csv, entity: item, key: item_id, join: must match}
keys: {request: request_id, item: item_id, padding: pad}
catalog: {file: items.csv, item: item_id, sid: sid, resolve: by plays}
spans: {request: [request_id], training: {slate: first 4 of group, order: beam}, longest: {group: 16}}
lists:
  past: {from: row, features: [sid]}
  wanted: {from: row, features: [sid]}
features:
  sid: {scale: sid, shape: SHAPE}
  plays: {entity: item, scale: count}
  author: {entity: item, scale: id}
  p_click: {entity: model, scale: probability}
  logp: {entity: rollout, scale: number, range: [-30, 0]}
"""
REWARD = """language 1
scenario three.ways
version 1
schema "generated.yaml"
for training
preference {
    term click weight 2 = logit(clamp(p_click, 1%, 99%))
    term near = max(common_prefix(sid, wanted.sid) over targets) ?? 0
    term plays_log weight 0.1 = log1p(plays)
    gate sure = logp > -20
}
ecosystem {
    cap one_author { at most 1 of slate per author  penalty 0.5 per item over, after normalizing }
    term spread weight 0.3 = rank(p_click over group) / 16
}
format {
    require legal = sid in catalog else lowest
    require unseen = sid not in past.sid else drop
    require first = sid is first in group else -3
}
token advantage depth = if code == (max(wanted.code over targets) ?? 999) then 1 else 0
advantage legality = 1 pick 3 of group at random
"""


@pytest.mark.parametrize("table", TABLES)
def test_generated_rollouts_on_public_sids(tmp_path, table):
    levels, random = TABLES[table], np.random.default_rng(7)
    with open(DATA / table, newline="") as file:
        items = [(row["item_id"], [int(row[level]) for level in levels]) for row in csv.DictReader(file)]
    n, requests, group = len(items), 300, 16
    sids = np.array([sid for _, sid in items], np.uint32)
    plays, author = random.integers(0, 10_000, n), [f"a{i}" for i in random.integers(0, 40, n)]
    # Rollouts: items, near misses, codes that no codebook has, repeats; histories and targets of items.
    codes = sids[random.integers(0, n, requests * group)].copy()
    spoilt = random.random(len(codes))
    codes[spoilt < 0.15, -1] = random.integers(0, 256, (spoilt < 0.15).sum())
    codes[spoilt > 0.97, 0] = 999
    again = np.flatnonzero((spoilt > 0.3) & (spoilt < 0.45) & (np.arange(len(codes)) % group > 0))
    codes[again] = codes[again - 1]
    padding = random.random(len(codes)) < 0.05
    click = random.random(len(codes)).astype(np.float32)
    click[random.random(len(codes)) < 0.02] = np.nan
    logp = (-30 * random.random(len(codes))).astype(np.float32)

    def lists(most):
        sizes = random.integers(0, most, requests)
        offsets = np.cumsum([0, *sizes])
        return offsets, sids[random.integers(0, n, offsets[-1])]

    past, wanted = lists(6), lists(3)
    # Some users have seen what is written for them now.
    for request in range(0, requests, 3):
        if past[0][request] < past[0][request + 1]:
            past[1][past[0][request]] = codes[request * group]

    (tmp_path / "generated.yaml").write_text(SCHEMA.replace("SHAPE", str([256] * len(levels))))
    (tmp_path / "r.reward").write_text(REWARD)
    with open(tmp_path / "items.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "sid", "plays", "author"])
        writer.writerows([key, "|".join(map(str, sid)), p, a] for (key, sid), p, a in zip(items, plays.tolist(), author))
    with open(tmp_path / "rollouts.ndjson", "w") as file:
        for row in range(len(codes)):
            r = row // group
            line = {"request_id": f"r{r}", "sid": codes[row].tolist(), "logp": float(logp[row]), "pad": bool(padding[row])}
            line["p_click"] = None if np.isnan(click[row]) else float(click[row])
            for name, (offsets, entries) in {"past.sid": past, "wanted.sid": wanted}.items():
                line[name] = entries[offsets[r] : offsets[r + 1]].tolist()
            file.write(json.dumps(line) + "\n")
    scored = score(tmp_path / "r.reward", tmp_path, tmp_path / "s.parquet", "--host", "training", "--seed", "5")

    reward = rewardc.load(tmp_path / "r.reward")
    catalog = reward.catalog([key for key, _ in items], sids, {"plays": plays, "author": author})
    scorer = reward.bind(catalog, rollout=["p_click", "logp"], past=["sid"], wanted=["sid"], capacity=(requests, group, 9))
    scores = scorer.score(
        sids=codes, group_size=group, keys=[f"r{r}" for r in range(requests)], rollout={"p_click": click, "logp": logp},
        past=(past[0], {"sid": past[1]}), wanted=(wanted[0], {"sid": wanted[1]}), padding=padding, seed=5,
    )
    same_bits(scorer, scored, scores, np.arange(len(codes)))
    found = ["" if i < 0 else catalog.key(int(i)) for i in scores["item_idx"]]
    assert found == [item or "" for item in scored["item"].to_pylist()]
    counts = scorer.counts()
    assert min(counts["scored"], counts["failed/legal"], counts["failed/unseen"], counts["failed/first"]) > 50, counts
    assert counts["unscorable/padding"] > 50 and counts["unscorable/absent_value"] + counts["unscorable/not_a_number"] > 50
