"""A node needs the folder `gateway/` and its own requirements, nothing else of Gatehouse."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Imports every module of gateway/ from a folder that has nothing beside it, and tells from where all came.
SCRIPT = """
import importlib, importlib.metadata, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import gateway
for found in pkgutil.walk_packages(gateway.__path__, "gateway."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
import gateway.agent.__main__, gateway.nginx.__main__, gateway.runtime.__main__
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
owners = importlib.metadata.packages_distributions()
print(json.dumps({name: owners.get(name, []) for name in sorted(tops)}))
"""


def test_the_gateway_imports_only_what_its_requirements_name(tmp_path: Path) -> None:
    (tmp_path / "gateway").symlink_to(ROOT / "gateway")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported = json.loads(done.stdout)
    for room in ("django", "portal", "nodes", "apis", "access", "metering", "billing", "rest", "accounts"):
        assert room not in imported
    pinned = {
        match[1].lower().replace("_", "-")
        for line in (ROOT / "gateway" / "requirements.txt").read_text().splitlines()
        if (match := re.match(r"([A-Za-z0-9._-]+)==", line))
    }
    pinned |= {
        "brotli",
        "brotlicffi",
        "cffi",
        "certifi",
    }  # aiohttp and botocore take them where they happen to be
    owners = {owner.lower().replace("_", "-") for names in imported.values() for owner in names}
    assert owners <= pinned, f"gateway/requirements.in does not name {sorted(owners - pinned)}"


def test_starting_a_node_without_settings_names_what_is_missing() -> None:
    for module in ("gateway.agent", "gateway.nginx", "gateway.runtime"):
        done = subprocess.run(
            [sys.executable, "-m", module], cwd=ROOT, env={"PATH": "/usr/bin"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "GATEHOUSE_NODE_DIR is not set" in done.stderr
        assert "Traceback" not in done.stderr
