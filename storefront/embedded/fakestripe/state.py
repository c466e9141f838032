"""The stand-in's memory: objects by account, answers by idempotency key, its own book of money; kept in a
file when asked.

Amounts are in Stripe's minor units and never negative; what a line of the book does to the balance is said by
its kind.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from storefront.embedded.fakestripe.contract import ApiError

PLATFORM = ""


@dataclass(frozen=True, slots=True)
class BookLine:
    """One movement of money on an account.

    `kind`: charge, refund, refund_failed (money back after a refund failed), fee (the platform's part), fee_returned,
    stripe_fee (its own part), payout, dispute (what a bank took) and dispute_fee, dispute_back and dispute_fee_back.
    `amount` is in Stripe's minor units of `currency` (lower case); `metadata` is the payment's.
    """

    account: str
    kind: str
    amount: int
    currency: str
    payment_intent: str
    object_id: str
    metadata: dict[str, str]


@dataclass
class State:
    """Everything the stand-in remembers. Change it only inside `changing()`, which locks, and saves when it
    leaves.
    """

    path: Path | None = None
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: list[BookLine] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    depth: int = 0

    def __post_init__(self) -> None:
        if self.path and self.path.exists():
            saved = json.loads(self.path.read_text(encoding="utf-8"))
            self.objects, self.owners = saved["objects"], saved["owners"]
            self.answers, self.undelivered = saved["answers"], saved["undelivered"]
            self.lines = [BookLine(**line) for line in saved["lines"]]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time; the outermost saves."""
        with self.lock:
            self.depth += 1
            try:
                yield
            finally:
                self.depth -= 1
                if not self.depth:
                    self._save()

    def add(self, kind: str, prefix: str, owner: str, body: dict[str, Any]) -> dict[str, Any]:
        """Remember a new object of `owner` under an id of its own, and give it back."""
        made = {"id": f"{prefix}_{secrets.token_hex(12)}", "object": kind, **body}
        self.objects[made["id"]] = made
        self.owners[made["id"]] = owner
        return made

    def find(self, kind: str, object_id: str, owner: str, *, param: str = "id") -> dict[str, Any]:
        """The object itself (not a copy). Another account's is missing, exactly as one that never was:
        ApiError 404.
        """
        found = self.objects.get(object_id)
        if found is None or found["object"] != kind or self.owners[object_id] != owner:
            raise ApiError(404, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
        return found

    def owner_of(self, kind: str, object_id: str) -> str | None:
        """Whose the object is, for the pages that know only its unguessable id."""
        found = self.objects.get(object_id)
        return self.owners[object_id] if found and found["object"] == kind else None

    def every(self, kind: str, owner: str | None = None) -> list[dict[str, Any]]:
        """All objects of a kind (of one account), newest first."""
        with self.lock:
            return [
                found
                for object_id, found in reversed(self.objects.items())
                if found["object"] == kind and owner in (None, self.owners[object_id])
            ]

    def snapshot(self, found: dict[str, Any]) -> dict[str, Any]:
        """A copy that later changes do not reach."""
        return copy.deepcopy(found)

    def forget(self) -> None:
        """Start anew."""
        with self.changing():
            for memory in (self.objects, self.owners, self.answers, self.lines, self.undelivered):
                memory.clear()

    def _save(self) -> None:
        if self.path is None:
            return
        saved = {
            "objects": self.objects,
            "owners": self.owners,
            "answers": self.answers,
            "undelivered": self.undelivered,
            "lines": [asdict(line) for line in self.lines],
        }
        # Written beside and moved into place: a kill leaves the old file or the new one, never a half.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(saved, out)
        Path(name).replace(self.path)
