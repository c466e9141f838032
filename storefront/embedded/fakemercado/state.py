"""The stand-in's memory: accounts, tokens, pages and payments by their ids, kept in a file when asked."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

KINDS = ("codes", "tokens", "refreshes", "pages", "payments", "answers")


class ApiError(Exception):
    """An answer in their error shape."""

    def __init__(self, status: int, error: str, message: str = "") -> None:
        super().__init__(message or error)
        self.status = status
        self.body = {"error": error, "message": message or error, "status": status, "cause": []}


def now() -> datetime:
    """The time of day here, UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """An instant as it goes out."""
    return at.isoformat(timespec="milliseconds")


@dataclass
class State:
    """Everything the stand-in remembers, by kind and id. Change it only inside `changing()`, which locks and saves."""

    path: Path | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: int = 1_000_000

    def __post_init__(self) -> None:
        self.kept = {kind: {} for kind in KINDS}
        if self.path and self.path.exists():
            saved = json.loads(self.path.read_text(encoding="utf-8"))
            self.kept, self.last = saved["kept"], saved["last"]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time; then it is saved."""
        with self.lock:
            yield
            if self.path:
                handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
                with os.fdopen(handle, "w", encoding="utf-8") as out:
                    json.dump({"kept": self.kept, "last": self.last}, out)
                Path(name).replace(self.path)

    def number(self) -> int:
        """A number that nothing else here has."""
        self.last += 1
        return self.last

    def tokens_for(self, account: str) -> dict[str, Any]:
        """Tokens for an account, to be renewed once."""
        access, refresh = f"APP_USR-{secrets.token_hex(16)}", f"TG-{secrets.token_hex(16)}"
        self.kept["tokens"][access] = account
        self.kept["refreshes"][refresh] = account
        return {
            "access_token": access, "refresh_token": refresh, "user_id": int(account), "expires_in": 15_552_000,
            "token_type": "Bearer", "scope": "offline_access read write", "live_mode": False,
        }  # fmt: skip

    def of(self, kind: str, found_id: str, account: str) -> dict[str, Any]:
        """An account's own thing. Another's is missing, exactly as one that never was: ApiError 404."""
        found: dict[str, Any] | None = self.kept[kind].get(found_id)
        if found is None or found["_account"] != account:
            raise ApiError(404, "not_found", f"{kind}: {found_id}")
        return found

    def payments_of(self, account: str) -> list[dict[str, Any]]:
        """An account's payments, oldest first."""
        return [one for one in self.kept["payments"].values() if one["_account"] == account]


def public(found: dict[str, Any]) -> dict[str, Any]:
    """The thing without what the stand-in notes for itself (names that begin with an underscore)."""
    return {name: value for name, value in found.items() if not name.startswith("_")}


def amount_of(page: dict[str, Any]) -> str:
    """What a page asks for, as a decimal number in text."""
    return str(sum(Decimal(str(item["unit_price"])) * item["quantity"] for item in page["items"]))
