"""Slates, state, logs, and a call that is interrupted."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

import rewardc

SCHEMA = """schema: toy
keys: {item: item_id}
spans: {slate: {by: [slate], position: place}, longest: {slate: 10}}
features:
  sid: {scale: sid, shape: [4]}
  kind: {entity: item, scale: category, names: [ad, film]}
  p_click: {entity: model, scale: probability}
"""
REWARD = """language 1
scenario toy.serving
version 1
schema "toy.yaml"
for serving, logs
preference { term click = p_click }
ecosystem {
    cap ads on kind == "ad" { at most 25% of slate  dual up to 1 }
    cap films on kind == "film" { at most 1 of slate  hard }
    term beside weight 0.5 = share(kind == "ad" over slate)
}
format { require legal = sid in catalog else drop }
"""
CONTROLLERS = """controllers: toy
caps:
  ads: {counts: shown, rule: gradient, gain: 0.5}
"""
CLICKS = np.array([0.5, 0.25, 0.75, 0.5], np.float32)
SIDS = np.array([[0], [1], [2], [3]], np.uint32)


@pytest.fixture
def reward(tmp_path):
    (tmp_path / "toy.yaml").write_text(SCHEMA)
    (tmp_path / "toy.reward").write_text(REWARD)
    (tmp_path / "c.yaml").write_text(CONTROLLERS)
    return rewardc.load(tmp_path / "toy.reward")


@pytest.fixture
def catalog(reward):
    return reward.catalog(["a", "b", "c", "d"], SIDS, {"kind": ["ad", "ad", "film", "film"]})


def refused(call, *args, **kwargs):
    with pytest.raises(rewardc.RewardError) as error:
        call(*args, **kwargs)
    return error.value


def test_a_slate_and_the_state_it_moves(reward, catalog, tmp_path):
    scorer = reward.bind(catalog, host="serving", rollout=["p_click"], controllers=tmp_path / "c.yaml")
    (slate,) = scorer.choose(places=3, sids=SIDS, group_size=4, rollout={"p_click": CLICKS})
    # One film at most: both ads, and the better film; two of three are ads, which adds 1/3 to each.
    assert slate["item_idx"].tolist() == [2, 0, 1] and slate["optimal"] and slate["relaxed"] == []
    np.testing.assert_allclose(slate["scores"]["total"], np.array([0.75, 0.5, 0.25]) + 1 / 3, rtol=1e-6)
    assert slate["worth"] == pytest.approx(2.5)
    (moved,) = scorer.end_step(shown=True)
    assert moved["cap"] == "ads" and moved["lambda"] == pytest.approx(0.5 * (2 / 3 - 0.25))
    scorer.save_state(tmp_path / "state.json")
    assert json.loads(reward.load_state(tmp_path / "state.json")) == json.loads(scorer.state)
    again = reward.bind(catalog, host="serving", rollout=["p_click"], state=reward.load_state(tmp_path / "state.json"))
    assert json.loads(again.state)["caps"]["ads"]["lambda"] == pytest.approx(moved["lambda"])
    (moved,) = scorer.end_step({"requests": 5, "caps": {"ads": {"spans": 5, "share": 0.25}}})
    assert moved["share"] == 0.25 and moved["target"] == 0.25
    assert refused(scorer.end_step, {"caps": {"adz": {}}}).code == "RW0907"
    assert refused(scorer.choose, places=0, sids=SIDS, group_size=4, rollout={"p_click": CLICKS}).code == "RW0908"


def test_logged_slates_are_handed_in(reward, catalog):
    scorer = reward.bind(catalog, host="logs", rollout=["p_click"])
    items = (np.array([0, 2, 1, 3], np.uint32), catalog.id)
    given = {"items": items, "groups": [0, 2, 4], "rollout": {"p_click": CLICKS}}
    scores = scorer.score(**given, slates=([0, 0, 1, 1], [1, 2, 2, 1]))
    assert scores["beside"].tolist() == [0.25] * 4
    assert scorer.counts()["share/ads"] == 0.5
    assert refused(scorer.score, **given).code == "RW0607"
    assert refused(scorer.score, **given, slates=([0, 0, 9, 1], [1, 2, 2, 1])).code == "RW0902"
    assert refused(scorer.score, **given, slates=([0, 0, 1, 1], [0, 2, 2, 1])).code == "RW0902"


def test_an_input_that_nobody_asks_for_is_named(reward, catalog):
    scorer = reward.bind(catalog, host="serving", rollout=["p_click"])
    error = refused(scorer.score, sidz=SIDS, sids=SIDS, group_size=4, rollout={"p_click": CLICKS})
    assert "`sidz`" in error.message
    assert "`group_size` cannot be '4'" in refused(scorer.score, sids=SIDS, group_size="4").message


def test_what_a_source_raised_is_the_cause(reward, catalog):
    def broken(requests, items, rows):
        raise ValueError("no model")

    scorer = reward.bind(catalog, host="serving", signals={"p_click": broken})
    error = refused(scorer.score, sids=SIDS, group_size=4)
    assert error.code == "RW0904" and isinstance(error.__cause__, ValueError)

    def interrupted(requests, items, rows):
        raise KeyboardInterrupt

    scorer = reward.bind(catalog, host="serving", signals={"p_click": interrupted})
    with pytest.raises(KeyboardInterrupt):
        scorer.score(sids=SIDS, group_size=4)


def test_ctrl_c_ends_a_long_call(reward, tmp_path):
    heavy = 'preference { term above = count(this.p_click > p_click over group where kind == "ad") }\n'
    (tmp_path / "heavy.reward").write_text(REWARD.split("preference")[0] + heavy)
    reward = rewardc.load(tmp_path / "heavy.reward")
    scorer = reward.bind(host="serving", rollout=["p_click", "kind"], capacity=(1024, 512, 1))
    # A shell in the background hands SIGINT on as ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # Long enough to be interrupted, however quick the machine.
    for groups in (128, 256, 512, 1024):
        n = groups * 512
        given = {"sids": np.zeros((n, 1), np.uint32), "group_size": 512}
        given["rollout"] = {"p_click": np.linspace(0, 1, n, dtype=np.float32), "kind": ["ad"] * n}
        begun = time.monotonic()
        whole = scorer.score(**given)["reward"]
        took = time.monotonic() - begun
        if took > 0.5:
            break
    threading.Timer(took / 10, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        scorer.score(**given)
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < 0.8 * took
    assert (scorer.score(**given)["reward"] == whole).all()
