"""The adapters without their frameworks: shapes as the frameworks hand them over."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import rewardc
from rewardc import openrlhf, verl
from rewardc.hf import SidLogits
from rewardc.tokens import NONE, SidText, SidTokens
from rewardc.trl import TrlReward

GENREC = Path(__file__).parents[3] / "rewards" / "genrec"
TARGET = [1, 2, 3, 4]
ROLLOUTS = [[1, 2, 3, 4], [1, 2, 9, 9], [9, 9, 9, 9], [1, 2, 3, 5]]


@pytest.fixture
def grouped():
    return rewardc.load(GENREC / "rule_rank.reward").bind(wanted=["sid"])


@pytest.fixture
def alone():
    return rewardc.load(GENREC / "prefix_rule.reward").bind(wanted=["sid"])


def direct(scorer, rollouts=ROLLOUTS):
    codes = np.array(rollouts, np.uint32)
    return scorer.score(sids=codes, group_size=len(rollouts), wanted=([0, 1], {"sid": np.array([TARGET], np.uint32)}))


def wanted(row):
    return row["target"]


def test_verl_scores_whole_groups_that_come_one_by_one(grouped):
    groups = verl.Groups(grouped, wanted=wanted, patience=5)
    codes = np.array(ROLLOUTS, np.uint32)

    async def run():
        # Two groups, mixed, the second in another order.
        asked = [("a", i) for i in range(4)] + [("b", i) for i in (2, 0, 3, 1)]
        order = [asked[i] for i in (0, 4, 1, 5, 2, 6, 3, 7)]
        found = await asyncio.gather(*(groups.score(uid, 4, codes[i], {"target": TARGET}) for uid, i in order))
        return {place: numbers for place, numbers in zip(order, found)}

    found = asyncio.run(run())
    expected = direct(grouped)["reward"]
    assert [found["a", i]["reward"] for i in range(4)] == expected.tolist()
    shuffled = direct(grouped, [ROLLOUTS[i] for i in (2, 0, 3, 1)])["reward"]
    assert [found["b", i]["reward"] for i in (2, 0, 3, 1)] == shuffled.tolist()
    keys = {tuple(numbers) for numbers in found.values()}
    assert len(keys) == 1 and all(isinstance(v, float) for numbers in found.values() for v in numbers.values())


def test_a_group_that_is_cut_is_refused(grouped):
    groups = verl.Groups(grouped, wanted=wanted, patience=0.05)
    with pytest.raises(ValueError, match="only 1 of 4 rollouts came"):
        asyncio.run(groups.score("a", 4, np.array(TARGET, np.uint32), {"target": TARGET}))


def test_a_fault_reaches_everyone_who_waits(grouped):
    groups = verl.Groups(grouped, wanted=lambda row: row["nothing"], patience=5)

    async def run():
        asked = (groups.score("a", 2, np.array(TARGET, np.uint32), {}) for _ in range(2))
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(error) for error in asyncio.run(run())] == [KeyError, KeyError]


def test_a_rollout_without_a_reward_is_neutral_in_its_group(tmp_path):
    schema = "schema: toy\nfeatures:\n  sid: {scale: sid, shape: [10]}\n  p: {entity: rollout, scale: probability}\n"
    (tmp_path / "toy.yaml").write_text(schema)
    head = 'language 1\nscenario toy.neutral\nversion 1\nschema "toy.yaml"\nfor training\n'
    (tmp_path / "t.reward").write_text(head + "preference { term sure = if level_one > 4 then 1 else 0  let level_one = max(code over levels) }\n"
        "format { require even = max(code over levels) != 3 else drop }\nadvantage some = 1 pick 3 of group at random\n")
    scorer = rewardc.load(tmp_path / "t.reward").bind()
    numbers = verl.Groups(scorer).together(list(np.array([[9], [3], [1]], np.uint32)), [{}] * 3)
    assert [n["reward"] for n in numbers] == [1.0, 0.5, 0.0]
    assert [n["rewardc_null"] for n in numbers] == [0.0, 1.0, 0.0]
    assert [n["rewardc_dropped"] for n in numbers] == [0.0, 1.0, 0.0]


def test_verl_by_text(alone, grouped):
    score = verl.compute_score(alone, SidText(4), wanted=lambda row: row["ground_truth"])
    expected = direct(alone)["reward"]
    for sid, number in zip(ROLLOUTS, expected):
        text = "".join(f"<{level}_{code}>" for level, code in zip("abcd", sid))
        said = score(data_source="d", solution_str=text, ground_truth=TARGET, extra_info={"num_turns": 1})
        assert said["score"] == number and said["rewardc_scored"] == 1.0
    # Stripped special tokens: nothing is left to judge, and that is said rather than scored.
    with pytest.raises(ValueError, match="no reward"):
        score(data_source="d", solution_str="", ground_truth=TARGET)
    kept = verl.compute_score(alone, SidText(4), wanted=lambda row: row["ground_truth"], null=-1.0)
    assert kept(data_source="d", solution_str="", ground_truth=TARGET)["score"] == -1.0
    with pytest.raises(ValueError, match="looks at the group"):
        verl.compute_score(grouped, SidText(4))


def test_cost_is_added_behind_normalization():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    data = SimpleNamespace(
        batch={"advantages": torch.zeros(2, 3), "response_mask": mask},
        non_tensor_batch={"cost": np.array([-0.5, 0.0]), "legality": np.array([1.0, 0.0])},
    )
    assert verl.with_cost(data, "legality").batch["advantages"].tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]


def test_a_cost_that_nobody_adds_is_refused(tmp_path):
    schema = "schema: toy\nfeatures:\n  sid: {scale: sid, shape: [10]}\n  ad: {entity: rollout, scale: bool}\n"
    (tmp_path / "toy.yaml").write_text(schema)
    (tmp_path / "t.reward").write_text(
        'language 1\nscenario toy.cost\nversion 1\nschema "toy.yaml"\nfor training\npreference { term one = 1 }\n'
        "ecosystem { cap ads on ad { at most 10% of group  dual up to 1 } }\n"
    )
    scorer = rewardc.load(tmp_path / "t.reward").bind(rollout=["ad"])
    tokens = SidTokens.offsets([10], 2)
    with pytest.raises(ValueError, match="with_cost"):
        TrlReward(scorer, tokens, 2)
    assert TrlReward(scorer, tokens, 2, cost="apart").weights[0] == 1.0
    with pytest.raises(ValueError, match="no place for it"):
        openrlhf.reward_function(scorer, SidText(1))


def test_openrlhf_as_a_function_and_over_http(alone, grouped):
    function = openrlhf.reward_function(alone, SidText(4))
    label = json.dumps({"wanted": [TARGET]})
    prompt, expected = "<a_9><b_9> next:", direct(alone)["reward"]
    text = [prompt + "".join(f"<{level}_{code}>" for level, code in zip("abcd", sid)) for sid in ROLLOUTS]
    for query, number in zip(text, expected):
        said = function(queries=[query], prompts=[prompt], labels=[label])
        assert list(said["rewards"]) == [number] and 0 <= float(said["scores"][0]) <= 1
        assert said["extra_logs"]["reward"] == number
    with pytest.raises(ValueError, match="looks at the group"):
        openrlhf.reward_function(grouped, SidText(4))
    running = openrlhf.server(function, port=0)
    worker = threading.Thread(target=running.serve_forever, daemon=True)
    worker.start()
    url = f"http://127.0.0.1:{running.server_address[1]}"

    def post(body):
        with urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(body).encode())) as reply:
            return json.loads(reply.read())

    try:
        assert post({"query": text, "prompts": [prompt] * 4, "labels": [label] * 4})["rewards"] == expected.tolist()
        with pytest.raises(urllib.error.HTTPError) as error:
            post({"query": ["x"]})
        assert "KeyError" in json.loads(error.value.read())["error"]
    finally:
        running.shutdown()
        running.server_close()


def test_text_that_is_no_sid():
    text = SidText(3)
    none = int(NONE)
    codes = text.codes(["<a_1> <b_22><c_3><a_4>", "<b_1><a_2><c_3>", "", "<a_1>x<c_2>", "<a_99999999999>"])
    assert codes.tolist() == [[1, 22, 3], [none, none, 3], [none] * 3, [1, none, none], [none] * 3]


def test_a_mask_of_placeholders_is_refused(tmp_path):
    catalog = SimpleNamespace(allowed=lambda prefix: [1, 3] if prefix == [] else [])
    masks = SidLogits(catalog, SidTokens.offsets([4, 4], 2), 1, end=[0])
    assert masks.after([7]) == [3, 5] and masks.after([7, 3]) == [0] and masks.after([7, 3, 8]) == [0]
    assert masks.dead_ends == 1
    with pytest.raises(ValueError, match="placeholders"):
        masks.after([7, -1])


def test_logits_are_masked_and_nothing_else_changes():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    catalog = SimpleNamespace(allowed=lambda prefix: [1, 3] if prefix == [] else [2])
    masks = SidLogits(catalog, SidTokens.offsets([4, 4], 2), 1, end=[0])
    scores = torch.arange(20, dtype=torch.float32).reshape(2, 10)
    masked = masks(torch.tensor([[7], [8]]), scores)
    kept = torch.isfinite(masked)
    assert kept.nonzero().tolist() == [[0, 3], [0, 5], [1, 3], [1, 5]]
    assert (masked[kept] == scores[kept]).all()
