"""The wheel: the published numbers, what is shared without a copy, and what is refused."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

import rewardc
from rewardc.hf import allowed_tokens
from rewardc.tokens import NONE, SidText, SidTokens, doctor, entries
from rewardc.trl import TrlReward

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT.parent / "shared" / "data" / "published" / "reward_vectors.json"

SCHEMA = """schema: toy
keys: {item: item_id}
features:
  sid: {scale: sid, shape: [4, 4]}
  kind: {entity: item, scale: category, names: [ad, film]}
  p_click: {entity: model, scale: probability}
  region: {entity: request, scale: category, names: open}
  logp: {entity: rollout, scale: number, range: [-50, 0]}
"""
REWARD = """language 1
scenario toy.py
version 1
schema "toy.yaml"
for training
preference {
    term click = p_click
    term home weight 0.5 = if region == "north" then 1 else 0
    term film = if kind == "film" then 1 else 0
    term sure weight 0.01 = logp
}
format { require legal = sid in catalog else lowest }
"""
SIDS = np.array([[0, 1], [2, 3], [3, 3]], dtype=np.uint32)


@pytest.fixture
def reward(tmp_path):
    (tmp_path / "toy.yaml").write_text(SCHEMA)
    (tmp_path / "toy.reward").write_text(REWARD)
    return rewardc.load(tmp_path / "toy.reward")


@pytest.fixture
def catalog(reward):
    return reward.catalog(["f", "g", "h"], SIDS, {"kind": ["film", "ad", "film"]})


def bound(reward, catalog, **changes):
    with_defaults = {"request": ["region"], "rollout": ["logp"], "signals": {"p_click": lambda r, i, rows: i / 4}} | changes
    return reward.bind(catalog, **with_defaults)


def step(**changes):
    codes = np.array([[0, 1], [2, 3], [3, 3], [1, 1]], dtype=np.uint32)
    given = {"sids": codes, "group_size": 2, "request": {"region": ["north", "south"]}, "rollout": {"logp": np.zeros(4, np.float32)}}
    return given | changes


def refused(call, *args, **kwargs):
    with pytest.raises(rewardc.RewardError) as error:
        call(*args, **kwargs)
    return error.value


def test_a_step(reward, catalog):
    scorer = bound(reward, catalog)
    scores = scorer.score(**step())
    assert scores["click"][:3].tolist() == [0.0, 0.25, 0.5] and np.isnan(scores["click"][3])
    assert scores["home"][:3].tolist() == [0.5, 0.5, 0.0]
    assert scores["reward"].tolist() == [1.5, 0.75, 1.5, -0.5]
    assert scores["item_idx"].tolist() == [0, 1, 2, -1]
    assert [rewardc.VERDICTS[v] for v in scores["verdict"]] == ["scored", "scored", "scored", "illegal"]
    assert scores["in_statistics"].all() and not scores["partial"]
    counts = scorer.counts()
    assert (counts["rollouts"], counts["scored"], counts["failed/legal"], counts["signals/pairs"]) == (4, 3, 1, 3)
    assert set(scorer.score(**step())) == set(scores)


# The column of which file gives which of the published numbers.
PUBLISHED_COLUMNS = {
    "matched_prefix_len": ("prefix_rule", "matched_prefix_len"),
    "rule": ("rule", "reward"),
    "prefix_rule": ("prefix_rule", "reward"),
    "ndcg_rule": ("ndcg_rule", "reward"),
    "prefix_token_raw": ("prefix_token", "prefix_token_raw"),
    "prefix_token_only_advantage": ("prefix_token", "prefix_token_only_advantage"),
    "prefix_token_advantage": ("prefix_token_final", "prefix_token_advantage"),
    "totalnorm_raw": ("totalnorm", "totalnorm_raw"),
    "totalnorm_advantage": ("totalnorm", "totalnorm_advantage"),
    "errtok_raw": ("errtok", "errtok_raw"),
    "errtok_advantage": ("errtok", "errtok_advantage"),
}


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no shared data")
def test_every_published_vector():
    published, compared = json.loads(PUBLISHED.read_text()), 0
    for name, case in published.items():
        if not name.startswith("example_") or "rollouts" not in case:
            continue
        for key, expected in case.items():
            if key in ("target", "rollouts"):
                continue
            file, column = PUBLISHED_COLUMNS[key]
            scorer = rewardc.load(ROOT / "rewards" / "genrec" / f"{file}.reward").bind(wanted=["sid"])
            codes = np.array(case["rollouts"], dtype=np.uint32)
            scores = scorer.score(sids=codes, group_size=len(codes), wanted=entries([case["target"]], 4))
            np.testing.assert_allclose(scores[column], expected, atol=5.1e-5, err_msg=f"{name}: {key}")
            compared += 1
    assert compared >= 14
    # Example C is told without rollouts: no prefix matches anywhere, so no token is wrong.
    scorer = rewardc.load(ROOT / "rewards" / "genrec" / "errtok.reward").bind(wanted=["sid"])
    codes = np.full((4, 4), 9, np.uint32)
    scores = scorer.score(sids=codes, group_size=4, wanted=entries([[1, 2, 3, 4]], 4))
    assert (scores["errtok_raw"] == 0).all()
    weights = rewardc.load(ROOT / "rewards" / "genrec" / "ndcg_rule.reward").bind(wanted=["sid"])
    hit = np.array([[1, 2, 3, 4], [9] * 4, [9] * 4, [9] * 4], np.uint32)
    got = weights.score(sids=hit, group_size=4, wanted=entries([[1, 2, 3, 4]], 4))["reward"]
    np.testing.assert_allclose(got[1:], published["ndcg_weights_G4"][1:], atol=5.1e-5)


@pytest.mark.parametrize("dtype", [np.uint32, np.int32, np.int64, np.uint16, np.uint64])
def test_sids_of_every_whole_type(reward, catalog, dtype):
    codes = np.array([[0, 1], [2, 3], [3, 3], [-1 if np.iinfo(dtype).min < 0 else 9, 1]]).astype(dtype)
    assert bound(reward, catalog).score(**step(sids=codes))["item_idx"].tolist() == [0, 1, 2, -1]
    if dtype != np.uint32:
        # Columns one behind the other: the same SIDs.
        across = np.asfortranarray(codes)
        assert bound(reward, catalog).score(**step(sids=across))["item_idx"].tolist() == [0, 1, 2, -1]


def test_inputs_are_not_copied(reward, catalog):
    import resource

    n = 1_000_000
    scorer = bound(reward, catalog, signals=None, rollout=["logp", "p_click"], capacity=(1, 1, 0))
    codes, column = np.zeros((n, 2), np.uint32), np.zeros(n, np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Refused for its size only after every input was taken over: nothing of a million rows is copied on the way.
    error = refused(scorer.score, sids=codes, group_size=1, request={"region": []}, rollout={"logp": column, "p_click": column})
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert error.code == "RW0903"
    assert grown < codes.nbytes // 4


def test_what_lacks_is_named_at_once(reward, catalog):
    error = refused(reward.bind, catalog)
    assert error.code == "RW0901"
    assert all(name in error.message for name in ("`region`", "`logp`", "`p_click`"))
    # In the words of Python.
    assert 'request=["region"]' in error.message and 'signals={"p_click": f} or rollout=["p_click"]' in error.message
    assert "SignalFn" not in error.message and "build" not in error.help
    twice = refused(bound, reward, catalog, rollout=["logp", "p_click"])
    assert "predicted, and handed in as well" in twice.message
    assert "did you mean `p_click`" in refused(bound, reward, catalog, signals={"p_clik": len, "p_click": len}).help
    assert "no callable" in refused(bound, reward, catalog, signals={"p_click": 0.5}).message
    deep = reward.catalog(["f"], np.zeros((1, 3), np.uint32), {"kind": ["film"]})
    assert refused(bound, reward, deep).code == "RW0611"
    assert refused(bound, reward, reward.catalog(["f"], np.full((1, 2), 7, np.uint32), {"kind": ["film"]})).code == "RW0611"
    with pytest.raises(IndexError, match="no item 9"):
        catalog.key(9)


@pytest.mark.parametrize(
    "change, code",
    [
        ({"group_size": 3}, "RW0902"),
        ({"sids": np.zeros((4, 3), np.uint32)}, "RW0902"),
        ({"sids": np.asfortranarray(np.zeros((4, 2), np.uint32))}, "RW0902"),
        ({"slates": ([0, 0, 0, 0], [1, 2, 3, 4])}, "RW0902"),
        ({"sids": np.zeros(4, np.uint32)}, "RW0902"),
        ({"sids": np.zeros((4, 2), np.float32)}, "RW0902"),
        ({"sids": np.zeros((8, 2), np.uint32)[::2]}, "RW0902"),
        ({"request": {"region": ["north"]}}, "RW0902"),
        ({"request": {}}, "RW0902"),
        ({"request": {"region": ["a", "b"], "more": [1, 2]}}, "RW0902"),
        ({"rollout": {"logp": np.zeros(3, np.float32)}}, "RW0902"),
        ({"rollout": {"logp": ["a", "b", "c", "d"]}}, "RW0902"),
        ({"rollout": {"logp": np.zeros(8, np.float32)[::2]}}, "RW0902"),
        ({"padding": np.zeros(3, bool)}, "RW0902"),
        ({"group_size": None, "groups": [0, 3]}, "RW0902"),
        ({"group_size": None, "groups": [0, 5, 4]}, "RW0902"),
        ({"group_size": None, "groups": [0, -1, 4]}, "RW0902"),
        ({"items": (np.zeros(4, np.uint32), 17), "sids": None}, "RW0902"),
    ],
)
def test_inputs_that_do_not_fit(reward, catalog, change, code):
    scorer = bound(reward, catalog)
    assert refused(scorer.score, **step(**change)).code == code
    assert scorer.score(**step())["reward"].tolist() == [1.5, 0.75, 1.5, -0.5]


def test_arrays_of_every_kind(reward, catalog):
    scorer = bound(reward, catalog)
    plain = scorer.score(**step())["reward"].tolist()
    logp = np.zeros(4, np.float32)
    logp.flags.writeable = False
    assert scorer.score(**step(rollout={"logp": logp}))["reward"].tolist() == plain
    assert scorer.score(**step(rollout={"logp": [0.0] * 4}))["reward"].tolist() == plain
    assert scorer.score(**step(rollout={"logp": [0.0, None, 0.0, 0.0]}))["verdict"].tolist() == [0, 3, 0, 1]
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    arrow = {"logp": pa.array(np.zeros(4, np.float32))}
    regions = {"region": pa.array(["north", "south"])}
    assert scorer.score(**step(rollout=arrow, request=regions))["reward"].tolist() == plain

    class OnlyDlpack:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **kwargs):
            return self.array.__dlpack__(**kwargs)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    lent = step()["sids"]
    assert scorer.score(**step(sids=OnlyDlpack(lent), rollout={"logp": OnlyDlpack(np.zeros(4, np.float32))}))["reward"].tolist() == plain


def test_sets_and_vectors(tmp_path):
    schema = "schema: toy\nfeatures:\n  sid: {scale: sid, shape: [4]}\n  tags: {entity: rollout, scale: set}\n  e: {entity: rollout, scale: vector(2)}\n"
    (tmp_path / "toy.yaml").write_text(schema)
    head = 'language 1\nscenario toy.sets\nversion 1\nschema "toy.yaml"\nfor training\n'
    body = 'preference { term live = if "live" in tags then 1 else 0  term like = max(cosine(this.e, e) over group except this) ?? 0 }\n'
    (tmp_path / "t.reward").write_text(head + body)
    scorer = rewardc.load(tmp_path / "t.reward").bind(rollout=["tags", "e"])
    sids = np.zeros((3, 1), np.uint32)
    e = np.array([[1, 0], [0, 2], [0, 1]], np.float32)
    given = {"sids": sids, "group_size": 3, "rollout": {"tags": [["live", "new"], [], ["old", "live"]], "e": e}}
    scores = scorer.score(**given)
    assert scores["live"].tolist() == [1, 0, 1] and scores["like"].tolist() == [0, 1, 1]
    given["rollout"] = {"tags": ["live"] * 3, "e": e}
    assert "list of lists" in refused(scorer.score, **given).message


def test_a_catalog_file(reward, catalog, tmp_path):
    catalog.save(tmp_path / "toy.catalog")
    opened = rewardc.open_catalog(tmp_path / "toy.catalog")
    assert len(opened) == 3 and opened.id == catalog.id and opened.behind([2, 3]) == [1] and opened.allowed([]) == [0, 2, 3]
    assert bound(reward, opened).score(**step())["reward"].tolist() == bound(reward, catalog).score(**step())["reward"].tolist()
    (tmp_path / "bad.catalog").write_bytes((tmp_path / "toy.catalog").read_bytes()[:-1])
    assert refused(rewardc.open_catalog, tmp_path / "bad.catalog").code == "RW0611"
    with pytest.raises(OSError):
        catalog.save(tmp_path / "none" / "toy.catalog")


def test_groups_of_none_and_one(reward, catalog):
    scorer = bound(reward, catalog)
    scores = scorer.score(**step(group_size=None, groups=[0, 4, 4]))
    assert len(scores["reward"]) == 4
    empty = scorer.score(sids=np.zeros((0, 2), np.uint32), group_size=2, request={"region": []}, rollout={"logp": np.zeros(0, np.float32)})
    assert len(empty["reward"]) == 0


def test_signal_sources_that_fail(reward, catalog):
    def raises(requests, items, rows):
        raise ValueError("no model")

    for source in (raises, lambda r, i, rows: i[:-1] / 4, lambda r, i, rows: i * np.nan, lambda r, i, rows: "nonsense"):
        assert refused(bound(reward, catalog, signals={"p_click": source}).score, **step()).code == "RW0904"
    one = bound(reward, catalog, signals={"p_click": lambda r, i, rows: np.where(i == 1, np.nan, 0.5)}, fail_above=0.5)
    assert one.score(**step())["verdict"].tolist() == [0, 3, 0, 1]
    again = {}
    again["scorer"] = bound(reward, catalog, signals={"p_click": lambda r, i, rows: again["scorer"].score(**step())})
    assert "at work" in refused(again["scorer"].score, **step()).message


def test_one_scorer_and_two_threads(reward, catalog):
    gate, entered = threading.Event(), threading.Event()

    def slow(requests, items, rows):
        entered.set()
        gate.wait(10)
        return items / 4

    scorer = bound(reward, catalog, signals={"p_click": slow})
    worker = threading.Thread(target=lambda: scorer.score(**step()))
    worker.start()
    entered.wait(10)
    assert "at work" in refused(scorer.score, **step()).message
    gate.set()
    worker.join()


def test_a_file_that_does_not_check(tmp_path):
    (tmp_path / "toy.yaml").write_text(SCHEMA)
    (tmp_path / "bad.reward").write_text(REWARD.replace("p_click", "p_clik"))
    error = refused(rewardc.load, tmp_path / "bad.reward")
    assert error.code == "RW0201" and error.diagnostics[0]["place"][1] == 7
    assert refused(rewardc.load, tmp_path / "none.reward").code == "RW0801"


def test_tokens():
    tokens = SidTokens.offsets([4, 4], 2)
    assert tokens.codes([[2, 6], [5, 9, 1], [6, 2], [2], [99, 6]]).tolist() == [
        [0, 0], [3, 3], [int(NONE), int(NONE)], [0, int(NONE)], [int(NONE), 0],
    ]
    assert tokens.tokens([3, 1]) == [5, 7]

    class Tokenizer:
        all_special_ids = [0, 3]

    assert "special" in doctor(Tokenizer(), tokens)[0]
    assert doctor(object(), tokens, [4, 4]) == []

    class Added:
        all_special_ids = []
        added_tokens_decoder = {3: type("Token", (), {"special": True})(), 4: type("Token", (), {"special": False})()}

    assert doctor(Added(), tokens)[0].startswith("1 SID tokens are registered as special (the first is 3)")
    assert "has 4 tokens for 8 codes" in doctor(object(), tokens, [4, 8])[0]
    offsets, column = entries([np.array([[1, 2], [3, -1]]), None, [3, 3]], 2)
    assert offsets.tolist() == [0, 2, 2, 3] and column["sid"].tolist() == [[1, 2], [3, int(NONE)], [3, 3]]


def test_trl_functions_share_one_evaluation(tmp_path):
    reward = rewardc.load(ROOT / "rewards" / "genrec" / "rule_rank.reward")
    calls = []
    scorer = reward.bind(wanted=["sid"])

    class Counting:
        columns, ranges, channels = scorer.columns, scorer.ranges, scorer.channels

        def score(self, **given):
            calls.append(given)
            return scorer.score(**given)

        def counts(self):
            return scorer.counts()

    binding = TrlReward(Counting(), SidTokens.offsets([256] * 4, 2), 2, wanted="target", parts=["exact", "ndcg_rule"])
    assert [f.__name__ for f in binding.functions] == ["reward", "exact", "ndcg_rule"]
    ids = [binding.tokens.tokens(sid) for sid in ([1, 2, 3, 4], [1, 2, 3, 5], [9, 9, 9, 9], [8, 8, 8, 8])]
    batch = {"prompts": ["a", "a", "b", "b"], "completions": ["", "", "", ""], "completion_ids": ids}
    columns = {"target": [[1, 2, 3, 4], [1, 2, 3, 4], [7, 7, 7, 7], [7, 7, 7, 7]]}
    logged = {}
    results = [f(**batch, **columns, log_metric=logged.__setitem__) for f in binding.functions]
    assert len(calls) == 1 and logged["rewardc/rollouts"] == 4
    assert results[1] == [1.0, 0.0, 0.0, 0.0] and results[0][2:] == [0.0, 0.0]
    with pytest.raises(ValueError, match="cut a group"):
        binding.functions[0](**(batch | {"completion_ids": ids[:3]}), **columns)
    with pytest.raises(ValueError, match="runs of 2"):
        binding.functions[0](**(batch | {"prompts": ["a", "b", "a", "b"], "completion_ids": list(ids)}), **columns)


def test_only_codes_that_lead_to_an_item_may_follow(catalog):
    tokens = SidTokens.offsets([4, 4], 2)
    allowed = allowed_tokens(catalog, tokens, prompt_length=1, end=[1])
    assert allowed(0, [9]) == [2, 4, 5]
    assert allowed(0, [9, 5]) == [9]
    assert allowed(0, [9, 3]) == [1] and allowed(0, [9, 5, 9]) == [1]


def test_words_and_sizes_that_make_no_sense(reward, catalog):
    assert refused(bound, reward, catalog, decode="maskd").code == "RW0902"
    assert refused(bound, reward, catalog, order="beams").code == "RW0902"
    assert refused(bound, reward, catalog, host="train").code == "RW0902"
    assert refused(bound, reward, catalog, capacity=(2**40, 2**40, 1)).code == "RW0903"
