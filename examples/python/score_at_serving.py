"""The same reward in a server of one's own: python examples/python/score_at_serving.py

Candidates are scored, a slate of three is chosen under the hard cap, and what was shown moves the price of ads.
"""

import tempfile
from pathlib import Path

import numpy as np

import rewardc

SCHEMA = """schema: tiny
features:
  sid: {scale: sid, shape: [4, 4]}
  is_ad: {entity: item, scale: bool}
  p_click: {entity: model, scale: probability}
  mood: {entity: given, scale: number, range: [-1, 1]}
"""
REWARD = """language 1
scenario tiny.feed
version 1
schema "tiny.yaml"
for serving
preference { term click = p_click  term mood_fits weight 0.1 = mood }
ecosystem {
    cap ads on is_ad { at most 20% of slate  dual up to 1 }
    cap front on is_ad { at most 0 of first 1  hard }
}
format { require legal = sid in catalog else drop }
"""
CONTROLLERS = """controllers: tiny
caps:
  ads: {counts: shown, rule: gradient, gain: 0.4, stale: {after: 100 steps, then: hold}}
"""
KEYS = ["film", "song", "car advert", "game", "shoe advert"]


def head(requests, items, rows):
    """The escape hatch: any callable predicts a feature of distinct (request, item) pairs."""
    return [0.9 if "advert" in KEYS[item] else 0.4 for item in items]


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "tiny.yaml").write_text(SCHEMA)
    (folder / "tiny.reward").write_text(REWARD)
    (folder / "tiny.controllers.yaml").write_text(CONTROLLERS)
    reward = rewardc.load(folder / "tiny.reward")
    sids = np.array([[0, 1], [1, 0], [2, 3], [3, 0], [3, 1]], np.uint32)
    catalog = reward.catalog(KEYS, sids, {"is_ad": np.array(["advert" in key for key in KEYS])})
    # The other one: mood is a number that the server worked out itself.
    scorer = reward.bind(
        catalog, host="serving", rollout=["mood"], signals={"p_click": head}, controllers=folder / "tiny.controllers.yaml"
    )

pages = []
for page in range(4):
    # What the decoder wrote for one user; the last SID stands for no item.
    written = np.array([[0, 1], [1, 0], [2, 3], [3, 0], [3, 1], [2, 2]], np.uint32)
    mood = np.array([0.5, -0.5, 0.0, 0.25, 0.0, 0.0], np.float32)
    (slate,) = scorer.choose(places=3, sids=written, group_size=6, rollout={"mood": mood}, seed=7, step=page)
    pages.append([KEYS[item] for item in slate["item_idx"]])
    print(f"page {page}: {', '.join(pages[-1])} ({'optimal' if slate['optimal'] else 'best found'}, worth {slate['worth']:.2f})")
    # Nothing else moves the state; scorer.save_state(path) keeps it.
    for moved in scorer.end_step(shown=True):
        print(f"        {100 * moved['share']:.0f} % shown were {moved['cap']}, which now cost {moved['lambda']:.2f}")
assert pages[0] == ["film", "car advert", "shoe advert"] and pages[3] == ["film", "game", "song"]
