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
from rewardc.groups import Groups
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


def place(row):
    return row["place"]


def test_verl_scores_whole_groups_that_come_in_any_order(grouped):
    groups = Groups(grouped, wanted=wanted, order=place, patience=5)
    codes = np.array(ROLLOUTS, np.uint32)

    async def run(order):
        asked = [(uid, i) for i in order for uid in "ab"]
        found = await asyncio.gather(*(groups.score(uid, 4, codes[i], {"target": TARGET, "place": i}) for uid, i in asked))
        return dict(zip(asked, found))

    expected = direct(grouped)["reward"].tolist()
    for order in ((0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)):
        found = asyncio.run(run(order))
        for uid in "ab":
            assert [found[uid, i]["reward"] for i in range(4)] == expected, order
        assert len({tuple(numbers) for numbers in found.values()}) == 1
        assert all(isinstance(v, float) for numbers in found.values() for v in numbers.values())


def test_a_group_that_is_cut_fails_whole_and_leaves_nothing_behind(grouped):
    groups = Groups(grouped, wanted=wanted, order=place, patience=0.05)
    codes = np.array(ROLLOUTS, np.uint32)

    async def run():
        cut = [groups.score("a", 4, codes[i], {"target": TARGET, "place": i}) for i in range(2)]
        failed = await asyncio.gather(*cut, return_exceptions=True)
        assert all(isinstance(e, ValueError) and "only 2 of 4 rollouts came" in str(e) for e in failed), failed
        # The same uid again, whole: nothing of the group that was cut is in it.
        whole = (groups.score("a", 4, codes[i], {"target": TARGET, "place": i}) for i in range(4))
        return [numbers["reward"] for numbers in await asyncio.gather(*whole)]

    assert asyncio.run(run()) == direct(grouped)["reward"].tolist()
    assert groups._waiting == {}


def test_a_fault_reaches_everyone_who_waits(grouped):
    groups = Groups(grouped, wanted=lambda row: row["nothing"], order=place, patience=5)

    async def run():
        asked = (groups.score("a", 2, np.array(TARGET, np.uint32), {"place": i}) for i in range(2))
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(error) for error in asyncio.run(run())] == [KeyError, KeyError]


def test_a_group_of_two_requests_is_refused(grouped):
    groups = Groups(grouped, wanted=wanted, order=place)
    rows = [{"target": TARGET, "place": 0}, {"target": [9, 9, 9, 9], "place": 1}]
    with pytest.raises(ValueError, match="`wanted` differs within the group u"):
        groups.together("u", list(np.array(ROLLOUTS[:2], np.uint32)), rows)
    with pytest.raises(ValueError, match="order=lambda"):
        Groups(grouped, wanted=wanted)
    # numpy targets, as data frames and Parquet give them.
    rows = [{"target": np.array(TARGET), "place": i} for i in range(4)]
    found = groups.together("u", list(np.array(ROLLOUTS, np.uint32)), rows)
    assert [n["reward"] for n in found] == direct(grouped)["reward"].tolist()


HEAD = 'language 1\nscenario toy.adapters\nversion 1\nschema "toy.yaml"\nfor training\n'


def toy(tmp_path, text, features=""):
    schema = "schema: toy\nfeatures:\n  sid: {scale: sid, shape: [10]}\n" + features
    (tmp_path / "toy.yaml").write_text(schema)
    (tmp_path / "t.reward").write_text(HEAD + text)
    return rewardc.load(tmp_path / "t.reward")


def test_a_rollout_without_a_reward_is_neutral_in_its_group(tmp_path):
    scorer = toy(
        tmp_path,
        "preference { term sure = if max(code over levels) > 4 then 1 else 0 }\n"
        "format { require even = max(code over levels) != 3 else drop }\nadvantage some = 1 pick 2 of group at random\n",
    ).bind()
    codes = np.array([[9], [3], [1], [8]], np.uint32)
    numbers = Groups(scorer).together("u", list(codes), [{}] * 4)
    own = scorer.score(sids=codes, group_size=4, keys=["u"])
    assert [n["reward"] for n in numbers] == [1.0, pytest.approx(2 / 3), 0.0, 1.0]
    assert [n["rewardc_null"] for n in numbers] == [0.0, 1.0, 0.0, 0.0]
    assert [n["rewardc_dropped"] for n in numbers] == [0.0, 1.0, 0.0, 0.0]
    # Who was not picked has no advantage of it.
    assert [n["some"] for n in numbers] == np.nan_to_num(own["some"]).tolist()
    assert sum(n["some"] for n in numbers) <= 2


def test_alone_a_rollout_without_a_reward_must_be_told_what_it_gets(tmp_path):
    scorer = toy(tmp_path, "preference { term low = 0 - max(code over levels) }\nformat { require even = max(code over levels) != 3 else drop }\n").bind()

    def scored(**more):
        groups = Groups(scorer, **more)

        async def run():
            return [(await groups.score("u", 3, np.array([c], np.uint32), {}))["reward"] for c in (9, 3, 1)]

        return asyncio.run(run())

    with pytest.raises(ValueError, match="null=…"):
        scored()
    assert scored(null=-9.0) == [-9.0, -9.0, -1.0]


@pytest.mark.parametrize(
    "channel", ["advantage extra = 1", "sample weight extra = 2", "token advantage extra = 0.5", "hint extra = 1"]
)
def test_channels_that_a_loop_would_drop_are_refused(tmp_path, channel):
    scorer = toy(tmp_path, "preference { term one = 1 }\n" + channel + "\n").bind()
    tokens = SidTokens.offsets([10], 2)
    with pytest.raises(ValueError, match="no place for extra"):
        TrlReward(scorer, tokens, 2)
    with pytest.raises(ValueError, match="no place for extra"):
        verl.compute_score(scorer, SidText(1))
    with pytest.raises(ValueError, match="no place for extra"):
        openrlhf.reward_function(scorer, SidText(1))
    names = TrlReward(scorer, tokens, 2, apart=["extra"]).parts
    assert ("extra" in names) == (not channel.startswith("token"))


def test_configs_that_cut_groups_are_refused():
    def config(workers, n, validation):
        rollout = SimpleNamespace(n=n, val_kwargs=SimpleNamespace(n=validation))
        return SimpleNamespace(reward=SimpleNamespace(num_workers=workers), actor_rollout_ref=SimpleNamespace(rollout=rollout))

    with pytest.raises(ValueError, match="num_workers is 8"):
        verl.check_config(config(8, 4, 4), None)
    with pytest.raises(ValueError, match="4 rollouts in training and 1 in validation"):
        verl.check_config(config(1, 4, 1), None)
    verl.check_config(config(1, 4, 1), lambda row: 4)
    verl.check_config(config(1, 4, 4), None)


def test_trl_evaluates_with_fewer_generations(grouped):
    binding = TrlReward(grouped, SidTokens.offsets([256] * 4, 2), 4, num_generations_eval=2, wanted="target")
    ids = [binding.tokens.tokens(sid) for sid in ROLLOUTS]
    own = binding.functions[0](completion_ids=ids, prompts=["a"] * 4, target=[TARGET] * 4)
    assert own == direct(grouped)["reward"].tolist()
    # Two prompts of two, and two groups of one prompt that want different items.
    for prompts, targets in ((["a", "a", "b", "b"], [TARGET] * 4), (["a"] * 4, [TARGET, TARGET, [9] * 4, [9] * 4])):
        pairs = binding.functions[0](completion_ids=ids, prompts=prompts, target=targets)
        assert pairs[:2] == direct(grouped, ROLLOUTS[:2])["reward"].tolist()
    with pytest.raises(ValueError, match="num_generations_eval"):
        binding.functions[0](completion_ids=ids, prompts=["a", "b", "a", "b"], target=[TARGET] * 4)


def test_trl_looks_at_what_a_list_holds_and_not_which_it_is(alone):
    binding = TrlReward(alone, SidTokens.offsets([256] * 4, 2), 2, wanted="target")
    ids = [binding.tokens.tokens(sid) for sid in ROLLOUTS[:2]]
    first = binding.functions[0](completion_ids=ids, target=[TARGET] * 2)
    ids[0], ids[1] = ids[1], ids[0]
    assert binding.functions[0](completion_ids=ids, target=[TARGET] * 2) == first[::-1]
    assert binding.functions[0](completion_ids=ids, target=[[9] * 4] * 2) == [0.0, 0.0]


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
    with pytest.raises(ValueError, match="no place for cost"):
        TrlReward(scorer, tokens, 2)
    assert TrlReward(scorer, tokens, 2, apart=["cost"]).weights[0] == 1.0
    with pytest.raises(ValueError, match="looks at the group|no place for cost"):
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
    # The history in a prompt is not what was written.
    with pytest.raises(ValueError, match="does not begin with its prompt"):
        function(queries=["<s> " + text[0]], prompts=[prompt], labels=[label])
    with pytest.raises(ValueError, match="2 queries"):
        function(queries=text[:2], prompts=[prompt], labels=[label])
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
