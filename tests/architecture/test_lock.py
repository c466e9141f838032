"""What is installed is what was locked: by hash, from wherever the machine's own client is told, and nothing else."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
BINARY = {".png", ".webp", ".jpg", ".ico", ".woff2", ".mo", ".gz"}
REGISTRIES = (
    "py" + "pi.org",
    "pythonhosted" + ".org",
    "npm" + "js.",
    "proxy.golang" + ".org",
    "index" + "-url",
    "extra" + "-index",
)
"""Spelled in two halves, so that this file does not name them."""


def committed() -> list[Path]:
    """Every text file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [path for path in (ROOT / line for line in listed) if path.is_file() and path.suffix not in BINARY]


def pins() -> dict[str, Version]:
    return {canonicalize_name(name): Version(version) for name, version in PIN.findall(LOCK)}


def test_every_pin_has_hashes():
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip())
    for block in blocks:
        assert PIN.match(block), block[:80]
        assert "--hash=sha256:" in block, block[:80]
    assert len(blocks) == len(PIN.findall(LOCK)) >= len(pins())


def test_the_lock_says_nothing_of_where_things_come_from():
    assert "://" not in LOCK
    for line in LOCK.splitlines():
        assert not line.lstrip().startswith(("-i ", "--index", "--extra", "--find", "--trusted", "-e ", "-r ")), line


def test_the_lock_holds_everything_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = pins()
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(line)
        version = locked.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted.name} is not locked"
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted}, locked {version}"


def test_no_committed_file_names_a_registry_or_a_place_on_somebodys_machine():
    places = re.compile(r"(?<![\w.:/-])/(?:home|Users|work|root)/[\w.-]+|\.\./" + "shared" + r"|/tmp/" + "contract")
    for path in committed():
        if path.name == "test_lock.py":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for registry in REGISTRIES:
            excused = path.name == "Makefile" and registry == "index" + "-url"  # the flag that keeps it out
            assert registry not in text or excused, f"{path}: {registry}"
        found = places.findall(text)
        assert not found, f"{path}: {found}"


def test_only_text_and_pictures_are_committed_and_no_secret():
    secret = re.compile(r"sk_live_[A-Za-z0-9]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}")
    for path in committed():
        assert path.stat().st_size < 1_000_000, path
        if path.name != "test_lock.py":
            assert not secret.search(path.read_text(encoding="utf-8", errors="replace")), path
