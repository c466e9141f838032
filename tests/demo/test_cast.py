"""Who is who in the demo, as it is written down for people and scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from storefront import cli, seeding
from storefront.delivery import partners


@pytest.fixture
def written(app: Flask, database: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a demo whose shops are all there."""
    monkeypatch.setattr(cli, "upgrade", lambda: None)
    monkeypatch.setattr(seeding, "missing_shops", list)
    monkeypatch.setattr(seeding, "partner_id_of", lambda _slug: 1)
    monkeypatch.setattr(partners, "issue_key", lambda _label: "pk_made")
    file = tmp_path / "demo.json"
    assert app.test_cli_runner().invoke(cli.prepare, ["--cast", str(file)]).exit_code == 0
    return file


def test_on_another_port_the_addresses_are_written_anew_and_the_keys_kept(app: Flask, written: Path) -> None:
    right = json.loads(written.read_text())
    old = {**right, "base": "http://localhost:8123", "mail": "http://localhost:8123/dev/outbox"}
    old["partners"] = [{**partner, "api_key": f"pk_{partner['slug']}"} for partner in right["partners"]]
    written.write_text(json.dumps(old))

    assert app.test_cli_runner().invoke(cli.prepare, ["--cast", str(written)]).exit_code == 0

    now = json.loads(written.read_text())
    assert (now["base"], now["mail"]) == (right["base"], right["mail"])
    assert [partner["api_key"] for partner in now["partners"]] == [f"pk_{one['slug']}" for one in now["partners"]]


def test_on_the_same_port_nothing_is_written(app: Flask, written: Path) -> None:
    before = written.stat().st_mtime_ns

    assert app.test_cli_runner().invoke(cli.prepare, ["--cast", str(written)]).exit_code == 0

    assert written.stat().st_mtime_ns == before
