#!/bin/sh
# Installs TRL and verl, each into a venv of its own, and runs both with rewardc on the CPU.
#
#     examples/python/frameworks.sh SID_INDEX_CSV [VENVS]
#
# SID_INDEX_CSV has the columns item_id, a, b, c. VENVS is kept: a second run installs only rewardc anew.
# Takes about 6 GB a framework. Nothing is fetched but packages: the models are made on the spot.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
index=$1
venvs=${2:-$root/target/frameworks}
mkdir -p "$venvs"

run() { # FRAMEWORK PACKAGES PROGRAM
    venv=$venvs/$1
    if [ ! -e "$venv/installed" ]; then
        python3 -m venv "$venv"
        # shellcheck disable=SC2086
        "$venv/bin/pip" install -q $2 pytest
        touch "$venv/installed"
    fi
    CARGO_TARGET_DIR=$root/target "$venv/bin/pip" install -q "$root/bindings/python"
    "$venv/bin/pip" list 2>/dev/null | grep -E "^(torch|trl|verl|transformers) " | tr -s ' ' | paste -sd ' ' -
    (cd "$venv" && HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false bin/python -W ignore "$root/examples/python/$3" "$index")
    "$venv/bin/python" -m pytest -q "$root/bindings/python/tests/test_adapters.py" | tail -1
}

run trl "torch trl" train_with_trl.py
run verl "torch verl" score_with_verl.py
