"""verl's reward manager and advantage functions on SIDs, on a CPU: no model, the real DataProto.

    python examples/python/score_with_verl.py SID_INDEX_CSV

SID_INDEX_CSV has the columns item_id, a, b, c. Rollouts are drawn around the targets; the rewards that come
through verl's reward loop are compared with one direct call, and what verl makes of them with numpy.
"""

import asyncio
import csv
import random
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import rewardc
from rewardc.tokens import SidTokens, entries
from rewardc.verl import manager, with_cost

GROUP, REQUESTS, SHAPE = 8, 6, [256, 256, 256]
SCHEMA = f"""schema: verl
spans: {{training: {{slate: first 4 of group, order: beam}}}}
features:
  sid: {{scale: sid, shape: {SHAPE}}}
lists: {{wanted: {{from: row, features: [sid]}}}}
"""
REWARD = """language 1
scenario verl.example
version 1
schema "verl.yaml"
for training
preference {
    term exact  = if sid in wanted.sid then 1 else 0
    term prefix = 0.2 * max(common_prefix(sid, wanted.sid) over targets) ?? 0
}
ecosystem { cap low on max(code over levels) < 128 { at most 20% of slate  penalty 0.5 per item over, after normalizing } }
format { require legal = sid in catalog else lowest }
"""


def rollouts(sids):
    """Hits, near misses, SIDs that no item has, and tokens that are no codes."""
    for target in random.sample(sids, REQUESTS):
        near = [[*target[:2], random.randrange(256)], [target[0], 1, 1], [900, 1, 1]]
        yield target, [random.choice([target, random.choice(sids), *near]) for _ in range(GROUP)]


def main(index):
    import torch
    from tensordict import TensorDict
    from verl import DataProto
    from verl.trainer.ppo.core_algos import compute_gdpo_outcome_advantage, compute_grpo_outcome_advantage

    random.seed(0)
    with open(index, newline="") as file:
        sids = [[int(row[level]) for level in "abc"] for row in csv.DictReader(file)]
    tokens = SidTokens.offsets(SHAPE, first=2)
    groups = list(rollouts(sids))
    token = lambda level, code: 2 + 256 * level + code if code < 256 else 1  # noqa: E731
    ids = torch.tensor([[token(i, c) for i, c in enumerate(sid)] for _, group in groups for sid in group])
    n = len(ids)
    batch = {"prompts": torch.zeros(n, 2, dtype=torch.long), "responses": ids}
    batch["attention_mask"] = torch.ones(n, 5, dtype=torch.long)
    batch["response_mask"] = torch.ones(n, 3)
    rows = {"uid": np.repeat([f"r{i}" for i in range(REQUESTS)], GROUP)}
    rows["place"] = np.tile(np.arange(GROUP), REQUESTS)
    rows["target"] = np.array([target for target, _ in groups for _ in range(GROUP)])
    data = DataProto(batch=TensorDict(batch, batch_size=n), non_tensor_batch=rows, meta_info={})

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "verl.yaml").write_text(SCHEMA)
        (Path(folder) / "verl.reward").write_text(REWARD)
        reward = rewardc.load(Path(folder) / "verl.reward")
    catalog = reward.catalog([f"i{i}" for i in range(len(sids))], np.array(sids, np.uint32))
    bind = lambda: reward.bind(catalog, wanted=["sid"])  # noqa: E731
    Manager = manager(bind, tokens, apart=["cost"], wanted=lambda row: row["target"], order=lambda row: row["place"])
    rollout = SimpleNamespace(n=GROUP, val_kwargs=SimpleNamespace(n=GROUP))
    config = SimpleNamespace(actor_rollout_ref=SimpleNamespace(rollout=rollout), reward=SimpleNamespace(num_workers=1))
    made = Manager(config, tokenizer=None)

    async def loop():
        # As verl's reward loop: a task for each rollout, all at once.
        return await asyncio.gather(*(made.run_single(data[i : i + 1]) for i in range(n)))

    outputs = asyncio.run(loop())
    scores = [output["reward_score"] for output in outputs]
    direct = bind().score(sids=tokens.codes(ids.tolist()), group_size=GROUP, wanted=entries([t for t, _ in groups], 3))
    assert np.array_equal(scores, direct["reward"]), "verl's loop and one direct call differ"
    assert len({tuple(output["reward_extra_info"]) for output in outputs}) == 1
    print(f"{n} rollouts in {REQUESTS} groups through run_single: the rewards of one direct call, bit for bit")

    rewards = Manager.assemble_rm_scores(data, scores)
    mask = data.batch["response_mask"]
    grpo, _ = compute_grpo_outcome_advantage(rewards, mask, rows["uid"])
    own = np.array(scores).reshape(REQUESTS, GROUP)
    spread = own.std(axis=1, ddof=1, keepdims=True)
    np.testing.assert_allclose(grpo[:, 0], ((own - own.mean(axis=1, keepdims=True)) / (spread + 1e-6)).ravel(), atol=1e-5)
    data.batch["advantages"] = grpo
    data.non_tensor_batch["cost"] = np.array([output["reward_extra_info"]["cost"] for output in outputs])
    moved = with_cost(data).batch["advantages"] - grpo
    np.testing.assert_allclose(moved[:, 0], np.nan_to_num(direct["cost"]), atol=1e-6)
    print(f"GRPO advantages as numpy has them; cost added behind: {int((moved[:, 0] != 0).sum())} rollouts pay")

    for name in ("exact", "prefix"):
        data.non_tensor_batch[name] = np.array([output["reward_extra_info"][name] for output in outputs])
    keys = {"gdpo_reward_keys": ["exact", "prefix"]}
    gdpo, _ = compute_gdpo_outcome_advantage(
        rewards, mask, rows["uid"], config=keys, non_tensor_batch=data.non_tensor_batch, batch=data.batch
    )
    assert torch.isfinite(gdpo).all()
    print("GDPO by the parts exact and prefix: finite for every rollout")
    counts = {v: int(sum(o["reward_extra_info"][f"rewardc_{v}"] for o in outputs)) for v in rewardc.VERDICTS}
    print(counts)
    assert counts["scored"] and counts["illegal"]


if __name__ == "__main__":
    main(sys.argv[1])
