"""Every statement the application sends in the whole test run, held against the rules a distributed database sets.

Row-level security alone would answer rightly and slowly (a policy is evaluated on every shard); some forms are refused
outright. So each statement names its owner's column, and the forbidden forms fail the test that sent them.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from sqlalchemy import event

from storefront.kernel.db import Base, PartnerOwned, ShopOwned, db

FORBIDDEN = {
    r"\bset_config\s*\(": "set_config never reaches a worker; the scope is set by set_scope()",
    r";\s*\S": "one statement per execute",
    r"^\s*MERGE\b": "MERGE is refused on distributed tables",
    r"ON CONFLICT.*DO UPDATE SET.*\b(now|random|gen_random_uuid|clock_timestamp)\s*\(": "no volatile DO UPDATE",
    r"^\s*UPDATE\b.*\bSET\b.*\b(random|gen_random_uuid|clock_timestamp)\s*\(": "bind it from Python",
    r"pg_(try_)?advisory": "advisory locks are per node; lock rows",
    r"^\s*SET\s+app\.": "a session-level SET would survive into the next transaction",
}


RAW = "/* raw */"
"""How a test that means to bypass the first net marks its SQL."""


def _owner_columns() -> dict[str, str]:
    found = {}
    for mapper in Base.registry.mappers:
        if issubclass(mapper.class_, ShopOwned):
            found[mapper.local_table.name] = "tenant_id"
        elif issubclass(mapper.class_, PartnerOwned):
            found[mapper.local_table.name] = "partner_id"
    return found


def faults_of(statement: str, owners: dict[str, str]) -> list[str]:
    """What is wrong with a statement; empty when nothing is."""
    flat = " ".join(statement.split())
    found = [why for pattern, why in FORBIDDEN.items() if re.search(pattern, flat, re.IGNORECASE)]
    words = set(re.findall(r"[a-z_][a-z0-9_]*", flat.lower()))
    found += [f"{table} without {column}" for table, column in owners.items() if table in words and column not in words]
    return found


def watch(app: Flask) -> None:
    """Fail the test that sends a faulty statement as the application's role."""
    owners = _owner_columns()
    seen: set[str] = set()

    def check(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement in seen or statement.startswith(RAW):
            return
        faults = faults_of(statement, owners)
        assert not faults, f"{faults}: {statement}"
        seen.add(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", check)
