#!/usr/bin/env bash
# Resolves the requirements*.in files into pinned requirements*.txt that hold for every Python from 3.11 on.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install -q uv
compile() {
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
    --no-annotate --no-header --no-emit-index-url "$@"
}
compile --fork-strategy fewest requirements-dev.in -o requirements-dev.txt
compile --fork-strategy fewest requirements.in -c requirements-dev.txt -o requirements.txt
compile --fork-strategy fewest gateway/requirements.in -c requirements.txt -o gateway/requirements.txt
compile examples/httpbin/requirements.in -o examples/httpbin/requirements.txt
