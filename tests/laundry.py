"""One database for many tests: between two of them every table is emptied and every sequence set back, which takes a
tenth of the time of another copy of the template. Whatever washing cannot undo asks for a fresh copy: a changed
schema, somebody still at work in the database, a table that grew big."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg

OFTEN = 150
"""After so many washings, the dead rows they leave cost more than a fresh copy."""
BIG = 1 << 20
"""Bytes of a table from which on emptying it row by row is slower than a fresh copy."""
SWEEP = 100
"""In the midst of a long test no fresh copy can be had: after so many times the dead rows are swept out."""

# Everything that a migration could have made or changed, by the transaction that last wrote it.
_SCHEMA = " UNION ALL ".join(
    f"SELECT '{catalogue}', count(*), max(xmin::text::bigint) FROM {catalogue} WHERE {oid} >= 16384"
    for catalogue, oid in {
        "pg_class": "oid",
        "pg_attribute": "attrelid",
        "pg_constraint": "oid",
        "pg_policy": "oid",
        "pg_proc": "oid",
        "pg_trigger": "oid",
        "pg_index": "indexrelid",
    }.items()
)
_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1"
_SEQUENCES = "SELECT seqrelid::regclass::text, pg_sequence_last_value(seqrelid) FROM pg_sequence"
_BACK = "SELECT setval(seqrelid, coalesce(%s, seqstart), %s) FROM pg_sequence WHERE seqrelid = %s::regclass"
_BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""
_BIGGEST = "SELECT max(pg_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"


@dataclass(frozen=True)
class Contents:
    """What a database held at one moment: the rows of each table that had any, and where its sequences stood."""

    rows: Mapping[str, bytes]
    sequences: Mapping[str, int | None]


@dataclass
class Laundry:
    """One copy of the template, washed after each test that used it."""

    url: str
    washed: int = 0
    laid_again: int = 0
    connection: psycopg.Connection = field(init=False)
    clean: Contents = field(init=False)

    def __post_init__(self) -> None:
        self.connection = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        # Foreign keys and policies are for the application; whoever empties everything needs neither.
        self.connection.execute("SET session_replication_role = replica")
        self.connection.execute("SET lock_timeout = '1s'")
        self._schema = self._read(_SCHEMA)
        self._tables = [str(name) for (name,) in self._read(_TABLES)]
        self._which = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in self._tables)
        self.clean = self.contents()

    def close(self) -> None:
        """Let go of the database, so that it may be dropped."""
        self.connection.close()

    def wash(self) -> bool:
        """Put everything back as it was in the template; False if only a fresh copy can."""
        self.washed += 1
        try:
            if self.washed > OFTEN or self._read(_BUSY)[0][0] or self._read(_SCHEMA) != self._schema:
                return False
            self.lay(self.clean)
            return int(self._read(_BIGGEST)[0][0]) < BIG
        except psycopg.OperationalError:  # a lock that somebody keeps, or the server is a new one
            return False

    def contents(self) -> Contents:
        """What is there now."""
        rows = {}
        for name in self._filled():
            with self.connection.cursor().copy(f"COPY {name} TO STDOUT".encode()) as copy:
                rows[name] = b"".join(bytes(part) for part in copy)
        return Contents(rows, self._sequences())

    def lay(self, contents: Contents) -> None:
        """Replace whatever is there."""
        with self.connection.transaction():
            if filled := self._filled():
                self.connection.execute("; ".join(f"DELETE FROM {name}" for name in filled).encode())
            for name, rows in contents.rows.items():
                with self.connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as copy:
                    copy.write(rows)
        now = self._sequences()
        for name, value in contents.sequences.items():
            if now[name] != value:
                # Not "ALTER SEQUENCE … RESTART", which would change the schema.
                self.connection.execute(_BACK, (value, value is not None, name))

    def lay_again(self, contents: Contents) -> None:
        """Replace whatever is there, again and again within one test."""
        self.lay(contents)
        self.laid_again += 1
        if self.laid_again % SWEEP == 0:
            self.connection.execute("VACUUM")

    def _filled(self) -> list[str]:
        return [str(name) for (name,) in self._read(self._which)]

    def _sequences(self) -> dict[str, int | None]:
        return {str(name): value for name, value in self._read(_SEQUENCES)}

    def _read(self, query: str) -> list[tuple[object, ...]]:
        return self.connection.execute(query.encode(), prepare=True).fetchall()
