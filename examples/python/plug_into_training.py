"""A reward in a training loop of one's own: python examples/python/plug_into_training.py

The rollouts and the model behind p_click are stand-ins of a few lines; the calls between them are the whole
interface.
"""

import tempfile
from pathlib import Path

import numpy as np

import rewardc

SCHEMA = """schema: tiny
spans: {training: {slate: first 2 of group, order: beam}}
features:
  sid: {scale: sid, shape: [4, 4]}
  p_click: {entity: model, scale: probability}
  region: {entity: request, scale: category, names: open}
  logp: {entity: rollout, scale: number, range: [-50, 0]}
"""
REWARD = """language 1
scenario tiny.feed
version 1
schema "tiny.yaml"
for training
preference {
    term click = p_click
    term home weight 0.1 = if region == "north" then 1 else 0
    term sure weight 0.01 = logp
}
format { require legal = sid in catalog else lowest }
"""


def head(requests, items, rows):
    """The escape hatch: any callable predicts a feature of distinct (request, item) pairs."""
    return np.where(items == 0, 0.8, 0.2)


with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "tiny.yaml").write_text(SCHEMA)
    (Path(folder) / "tiny.reward").write_text(REWARD)
    reward = rewardc.load(Path(folder) / "tiny.reward")
catalog = reward.catalog(["film", "song", "game"], np.array([[0, 1], [2, 3], [3, 3]], np.uint32))
# The other one: logp is a column that the decoder worked out itself.
scorer = reward.bind(catalog, request=["region"], rollout=["logp"], signals={"p_click": head})

for step in range(2):
    # What a decoder wrote: two requests with three rollouts each; the last SID stands for no item.
    sids = np.array([[0, 1], [2, 3], [3, 3], [2, 3], [0, 1], [1, 1]], np.uint32)
    logp = np.array([-1.0, -2.0, -3.0, -1.5, -2.5, -3.5], np.float32)
    scores = scorer.score(
        sids=sids, group_size=3, keys=["u1", "u2"], request={"region": ["north", "south"]}, rollout={"logp": logp}, seed=7, step=step
    )
    for row, verdict in enumerate(scores["verdict"]):
        print(f"step {step} rollout {row}: {rewardc.VERDICTS[verdict]:10} reward {scores['reward'][row]:.3f}")
print({name: n for name, n in scorer.counts().items() if n})
assert scores["verdict"].tolist() == [0, 0, 0, 0, 0, 1]
