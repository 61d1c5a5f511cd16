"""A reward in OpenRLHF, as a file or over HTTP.

    # my_reward.py, named by --reward.remote_url my_reward.py
    reward_func = reward_function(reward.bind(catalog, wanted=["sid"]), SidText(levels=3))

OpenRLHF hands over texts, one rollout a call, with special tokens kept, and one column as ``labels``: JSON with
the keys ``wanted``, ``past`` (lists of SIDs) and ``request`` (an object). Over HTTP:
``serve(reward_func, port=8000)``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from operator import itemgetter
from threading import Lock
from typing import Any

from . import Scorer
from .adapters import refuse_unapplied
from .tokens import SidText
from .groups import Groups

Reward = Callable[..., dict[str, Any]]


def reward_function(scorer: Scorer, text: SidText, *, null: float | None = None) -> Reward:
    """A ``reward_func``. ``rewards`` is what is trained on; ``scores`` the same brought to 0 … 1 by the proven
    range; every column is in ``extra_logs``. ``null`` is what a rollout without a reward gets."""
    if scorer.needs_groups:
        raise ValueError("this reward looks at the group, and OpenRLHF hands over one rollout a call")
    refuse_unapplied(scorer, (), "OpenRLHF's own loop")
    (low, high), lock = scorer.ranges[0], Lock()

    def reward_func(queries: list[str], prompts: list[str], labels: list[str], **kwargs: Any) -> dict[str, Any]:
        if not len(queries) == len(prompts) == len(labels):
            raise ValueError(f"{len(queries)} queries, {len(prompts)} prompts and {len(labels)} labels")
        rewards, logs = [], []
        for query, prompt, label in zip(queries, prompts, labels):
            if not query.startswith(prompt):
                # The history in a prompt would be taken for what was written.
                raise ValueError("a query does not begin with its prompt: what was written cannot be told from it")
            row = json.loads(label) if label else {}
            groups = Groups(
                scorer,
                wanted=itemgetter("wanted") if "wanted" in row else None,
                past=itemgetter("past") if "past" in row else None,
                request={name: partial(requested, name) for name in row.get("request", {})},
                null=null,
            )
            with lock:
                numbers = groups.alone(text.codes([query[len(prompt) :]])[0], row)
            rewards.append(numbers["reward"])
            logs.append(numbers)
        scores = [min(max((r - low) / (high - low), 0.0), 1.0) if high > low else 0.0 for r in rewards]
        means = {name: sum(n[name] for n in logs) / len(logs) for name in logs[0]} if logs else {}
        return {"rewards": tensor(rewards), "scores": tensor(scores), "extra_logs": means}

    return reward_func


def requested(name: str, row: Any) -> Any:
    """A column of the request in a label."""
    return row["request"][name]


def tensor(values: list[float]) -> Any:
    """A torch tensor where torch is there, else the list."""
    if find_spec("torch") is None:
        return values
    return import_module("torch").tensor(values)


def server(reward: Reward, host: str = "127.0.0.1", port: int = 8000) -> ThreadingHTTPServer:
    """An HTTP server that answers ``{"query": […], "prompts": […], "labels": […]}``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                said = reward(asked["query"], asked["prompts"], asked["labels"])
                said = {name: v.tolist() if hasattr(v, "tolist") else v for name, v in said.items()}
                status, body = 200, json.dumps(said)
            except Exception as error:
                status, body = 400, json.dumps({"error": f"{type(error).__name__}: {error}"})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    return ThreadingHTTPServer((host, port), Handler)


def serve(reward: Reward, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Answers until it is stopped."""
    with server(reward, host, port) as running:
        running.serve_forever()
