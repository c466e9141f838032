"""Markup in everything that people may have written, and what it looks like where a browser would run it.

The columns come from the models, so that a new field is looked at, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Column, Text
from sqlalchemy.dialects.postgresql import JSONB

from storefront.kernel.db import Base, PartnerOwned, ShopOwned

MARKUP = """<script>alert(1)</script><img src=x onerror=alert(1)>"'><svg/onload=alert(1)> [a](javascript:alert(1))"""
ALIVE = re.compile(
    rb"""<script>alert|<img src=x|<svg/onload|href=["']?\s*javascript:|<[^>"']*\sonerror\s*=""", re.IGNORECASE
)
"""The same as a browser would run it."""
OURS = re.compile(
    r"(^|_)(id|ids|code|slug|token|hash|key|keys|secret|kind|type|state|status|method|methods|currency|locale|locales"
    r"|timezone|theme|role|email|phone|contact|once|template|verb|event|job|source|principal|subject|realm|path|url|host"
    r"|domain|ref|axis|before|after|cause|digest|fingerprint|sealed|country|region|provider|account|number|scope|scopes"
    r"|version|channel|debit|credit|why|what|reason|unit|about|dhash|colour|entity|body_html)$"
)
"""Columns that programs write: what lies there is chosen from a list, made by us or checked by its shape. A letter's
HTML is made by us from texts that are looked at where it is made."""
TYPED = {"recipient", "street", "locality", "reference", "neighbourhood", "name", "title", "label", "note", "sublabel"}
"""What people type inside of JSON."""


def written(table: Any) -> Iterator[Column[Any]]:
    """The columns of a table whose text somebody may have typed."""
    for column in table.columns:
        typed = isinstance(column.type, Text) and type(column.type).__name__ in {"Text", "TEXT"}
        if typed and not OURS.search(column.name) and not column.foreign_keys and not column.primary_key:
            yield column


def marked(value: Any) -> Any:
    """JSON with markup in what people typed."""
    if isinstance(value, dict):
        return {k: MARKUP if k in TYPED and isinstance(v, str) else marked(v) for k, v in value.items()}
    return [marked(each) for each in value] if isinstance(value, list) else value


def write_markup(connection: psycopg.Connection) -> list[str]:
    """Put markup into every such column of every row; which columns took it."""
    took = []
    owned = [mapper.local_table for mapper in Base.registry.mappers
             if issubclass(mapper.class_, (ShopOwned, PartnerOwned))]  # fmt: skip
    for table in sorted({*owned, Base.metadata.tables["tenants"]}, key=str):
        for column in written(table):
            try:
                with connection.transaction():
                    done = connection.execute(
                        f'UPDATE {table} SET "{column.name}" = "{column.name}" || %s'.encode(), (MARKUP,)
                    )
            except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation):
                continue
            if done.rowcount:
                took.append(f"{table}.{column.name}")
        for column in table.columns:
            if isinstance(column.type, JSONB):
                _mark_json(connection, str(table), column.name)
    return took


def _mark_json(connection: psycopg.Connection, table: str, column: str) -> None:
    rows = connection.execute(f"SELECT ctid::text, {column} FROM {table}".encode()).fetchall()
    for place, value in rows:
        if value is not None and marked(value) != value:
            change = f'UPDATE {table} SET "{column}" = %s WHERE ctid = %s::tid'.encode()
            connection.execute(change, (Jsonb(marked(value)), place))
