"""The floors of the building: each package imports only downwards, and the contracts are about all of them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def lint(where: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on the packages below a folder."""
    return subprocess.run([LINT, "--no-cache"], cwd=where, capture_output=True, text=True, check=False, timeout=200)


def test_every_contract_is_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout[-3_000:]
    assert "0 broken" in done.stdout
    assert f"{len(CONTRACTS)} kept" in done.stdout


def test_the_floors_name_every_package():
    [layers] = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
    named = {name.strip() for layer in layers for name in layer.split("|")}
    packages = {f"storefront.{path.parent.name}" for path in (ROOT / "storefront").glob("*/__init__.py")}
    modules = {
        f"storefront.{path.stem}"
        for path in (ROOT / "storefront").glob("*.py")
        if path.stem != "__init__" and re.search(r"^from storefront|^import storefront", path.read_text(), re.MULTILINE)
    }
    assert packages | modules | {"tenants"} <= named, sorted((packages | modules) - named)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house with the floors and the contracts of ours."""
    floors = {"kernel": "", "catalogue": "", "orders": ""}
    for floor, text in floors.items():
        (tmp_path / "storefront" / floor).mkdir(parents=True)
        (tmp_path / "storefront" / floor / "__init__.py").write_text(text)
        for module in ("models", "actions", "views"):
            (tmp_path / "storefront" / floor / f"{module}.py").write_text("")
    (tmp_path / "storefront" / "__init__.py").write_text("")
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = storefront\ninclude_external_packages = true\n"
        "[importlinter:contract:1]\nname = floors\ntype = layers\nlayers =\n"
        "  storefront.orders\n  storefront.catalogue\n  storefront.kernel\n"
        "[importlinter:contract:2]\nname = rules\ntype = forbidden\nsource_modules =\n  storefront.*.models\n"
        "  storefront.*.actions\nforbidden_modules =\n  stripe\n  wtforms\nallow_indirect_imports = true\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("kernel/models.py", "from storefront.orders import models"),
        ("catalogue/actions.py", "import storefront.orders.models"),
        ("orders/actions.py", "import stripe"),
        ("kernel/models.py", "from wtforms import Form"),
    ],
)
def test_an_import_upwards_is_caught(house: Path, module: str, line: str):
    assert lint(house).returncode == 0
    (house / "storefront" / module).write_text(line + "\n")
    assert lint(house).returncode == 1
