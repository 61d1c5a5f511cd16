"""A tiny GPT-2 learns SIDs under a .reward file, by TRL's own GRPOTrainer on a CPU.

    python examples/python/train_with_trl.py SID_INDEX_CSV [STEPS]

SID_INDEX_CSV has the columns item_id, a, b, c. The reward is rewards/genrec/rule_rank.reward with a
schema of three levels. Every logged completion is judged a second time by `by_hand`, which knows
nothing of rewardc; a difference ends the run.
"""

import csv
import json
import math
import random
import shutil
import sys
import tempfile
from pathlib import Path

import rewardc
from rewardc.tokens import SidTokens, doctor
from rewardc.trl import TrlReward

GROUP, SHAPE = 8, [256, 256, 256]
REWARDS = Path(__file__).parents[2] / "rewards" / "genrec"


def by_hand(group, target):
    """MiniOneRec's `ranking` reward of one group: a hit earns 1; once there is one, misses pay by place."""
    weights = [1 / math.log2(place + 2) for place in range(len(group))]
    hit = [sid == target for sid in group]
    # A completion that is no SID is no candidate: it has no reward, and no place among the others' sums.
    sound = [all(code < 256 for code in sid) for sid in group]
    total = sum(w for w, s in zip(weights, sound) if s)
    miss = [-w / total if any(hit) else 0.0 for w in weights]
    return [None if not s else 1.0 if h else m for s, h, m in zip(sound, hit, miss)]


def main(index, steps):
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
    from transformers.trainer_callback import PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    with open(index, newline="") as file:
        sids = [[int(row[level]) for level in "abc"] for row in csv.DictReader(file)]
    random.seed(0)
    words = {"<pad>": 0, "<eos>": 1} | {f"<{c}_{v}>": 2 + 256 * i + v for i, c in enumerate("abc") for v in range(256)}
    fast = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=fast, pad_token="<pad>", eos_token="<eos>")
    tokens = SidTokens.of(tokenizer, SHAPE)
    assert doctor(tokenizer, tokens) == []

    with tempfile.TemporaryDirectory() as folder:
        for name in ("rule_rank.reward", "matching.reward"):
            shutil.copy(REWARDS / name, folder)
        schema = (REWARDS / "schema.yaml").read_text().replace("[256, 256, 256, 256]", str(SHAPE))
        # In-file tests are of four levels; without them the file is the same reward.
        text = (Path(folder) / "rule_rank.reward").read_text().split('test "')[0]
        (Path(folder) / "rule_rank.reward").write_text(text)
        (Path(folder) / "schema.yaml").write_text(schema)
        reward = rewardc.load(Path(folder) / "rule_rank.reward")

        binding = TrlReward(reward.bind(wanted=["sid"]), tokens, GROUP, wanted="target", parts=["exact", "ndcg_rule"])
        judged = []

        def checked(*, completion_ids, prompts=None, **columns):
            rewards = binding.functions[0](completion_ids=completion_ids, prompts=prompts, **columns)
            groups = [completion_ids[i : i + GROUP] for i in range(0, len(completion_ids), GROUP)]
            for g, group in enumerate(groups):
                target = columns["target"][g * GROUP]
                expected = by_hand([[int(c) for c in sid] for sid in tokens.codes(group)], target)
                for own, other in zip(rewards[g * GROUP :], expected):
                    assert own == other or abs(own - other) < 1e-6, (own, other)
                    judged.append(own)
            return rewards

        checked.__name__ = "rule_rank"
        name = lambda sid: " ".join(f"<{c}_{v}>" for c, v in zip("abc", sid))  # noqa: E731
        # The next item is the last one again: easy enough for some groups to hit.
        picked = [random.choice(sids[:4]) for _ in range(64)]
        rows = Dataset.from_list([{"prompt": name(sid), "target": sid} for sid in picked])
        config = GRPOConfig(
            output_dir=folder, per_device_train_batch_size=2 * GROUP, num_generations=GROUP, max_completion_length=3,
            max_steps=steps, logging_steps=1, report_to=[], use_cpu=True, bf16=False, reward_weights=binding.weights,
            learning_rate=1e-3, disable_tqdm=True, seed=0,
        )
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=len(words), n_positions=16, n_embd=64, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=1)
        )
        # A first look at the four items, so that GRPO has hits to learn from.
        import torch

        batch = torch.tensor([tokenizer.convert_tokens_to_ids((name(s) + " " + name(s)).split()) for s in sids[:4]])
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(150):
            optimizer.zero_grad()
            model(batch, labels=batch).loss.backward()
            optimizer.step()
        trainer = GRPOTrainer(
            model=model, reward_funcs=[checked, *binding.functions[1:]], args=config, train_dataset=rows, processing_class=tokenizer
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        shown = [
            {k: round(float(v), 4) for k, v in entry.items() if k.startswith(("rewards/", "reward_", "rewardc/scored")) and v is not None}
            for entry in trainer.state.log_history if "reward" in entry
        ]
    for entry in shown[:2] + shown[-1:]:
        print(json.dumps(entry))
    keys = shown[0].keys()
    assert {"rewards/rule_rank/mean", "rewards/exact/mean", "rewards/ndcg_rule/mean"} <= keys, keys
    assert any(judged), "no group had a hit: nothing was compared but zeros"
    print(f"{len(judged)} completions judged twice, alike; {sum(r == 1 for r in judged)} hits")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
