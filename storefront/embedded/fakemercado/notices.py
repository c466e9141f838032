"""Telling the shop: of which payment there is news, signed as they sign it, one by one from a thread of its own."""

from __future__ import annotations

import hashlib
import hmac
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx

RETRY_AFTER_S = (0.0, 1.0, 5.0, 30.0)
Sink = Callable[[str, dict[str, str], dict[str, Any]], int]
"""Takes a notice (address, headers, body) and answers an HTTP status."""


def signed(
    address: str, payment: dict[str, Any], account: str, secret: str
) -> tuple[str, dict[str, str], dict[str, Any]]:
    """A notice as it goes out: the address with what it is about, the headers, and the body."""
    number, request_id, moment = str(payment["id"]), secrets.token_hex(8), str(int(time.time() * 1000))
    manifest = f"id:{number};request-id:{request_id};ts:{moment};"
    proof = hmac.new(secret.encode(), manifest.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Signature": f"ts={moment},v1={proof}", "X-Request-Id": request_id}
    body = {
        "id": int(moment), "type": "payment", "action": "payment.updated", "user_id": int(account),
        "live_mode": False, "data": {"id": number},
    }  # fmt: skip
    joined = "&" if "?" in address else "?"
    return f"{address}{joined}{urlencode({'data.id': number, 'type': 'payment'})}", headers, body


class Notices:
    """Sends what is put in, tries again a few times, and keeps what was sent for whoever asks."""

    def __init__(self, secret: str, sink: Sink | None) -> None:
        self.sent: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self._secret, self._sink = secret, sink
        self._queue: queue.Queue[tuple[str, dict[str, str], dict[str, Any]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="fakemercado-notices", daemon=True)
        if sink is not None:
            self._thread.start()

    def tell(self, address: str, payment: dict[str, Any], account: str) -> None:
        """There is news of a payment."""
        notice = signed(address, payment, account, self._secret)
        self.sent.append(notice)
        if self._sink is not None:
            self._queue.put(notice)

    def close(self) -> None:
        """Send no more."""
        self._queue.put(None)

    def _run(self) -> None:
        while (notice := self._queue.get()) is not None:
            for pause in RETRY_AFTER_S:
                time.sleep(pause)
                if self._delivered(notice):
                    break

    def _delivered(self, notice: tuple[str, dict[str, str], dict[str, Any]]) -> bool:
        try:
            return self._sink is not None and 200 <= self._sink(*notice) < 300
        except httpx.HTTPError:
            return False


def http_sink(address: str, headers: dict[str, str], body: dict[str, Any]) -> int:
    """A notice by POST."""
    return httpx.post(address, headers=headers, json=body, timeout=10).status_code
