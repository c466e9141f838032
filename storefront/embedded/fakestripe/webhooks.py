"""Telling the shop what happened: signed notices from one background thread, tried again until answered with
a 2xx.

Order and timing are promised by nobody, here as at Stripe; `Mischief` makes that visible on demand.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from storefront.embedded.fakestripe.state import State

RETRY_AFTER_S = (1.0, 5.0, 30.0, 120.0, 600.0)
TICK_S = 0.5

Sink = Callable[[bytes, str], int]
"""Takes a notice (body, signature header) and answers an HTTP status."""


@dataclass
class Mischief:
    """How notices misbehave. All off by default.

    `delay_s`: every notice so much late. `jitter_s`: each by chance up to so much, which mixes their order.
    `copies`: each so many times. `drop`: the share (0 to 1) that is never sent. `hold`: none is sent before
    `release`.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    copies: int = 1
    drop: float = 0.0
    hold: bool = False


def signature_header(body: bytes, secret: str, at: float | None = None) -> str:
    """Stripe's scheme: an HMAC-SHA256 over the time in seconds, a dot and the body."""
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def notice_body(state: State, event_id: str) -> bytes:
    """The event as it goes out: with the account it belongs to, which a listing leaves out."""
    with state.lock:
        event = state.snapshot(state.objects[event_id])
        account = state.owners[event_id]
    if account:
        event["account"] = account
    return json.dumps(event, indent=2).encode()


class Deliveries:
    """The queue of notices and the thread that empties it. Without a sink nothing is sent; the events can
    still be listed.
    """

    def __init__(self, state: State, secret: str, sink: Sink | None, *, seed: int = 0) -> None:
        self.mischief = Mischief()
        self.tick: Callable[[], None] = lambda: None
        self._state = state
        self._secret = secret
        self._sink = sink
        self._chance = random.Random(seed)  # noqa: S311 - repeatable mischief, no secret
        self._queue: list[tuple[float, int, int, str]] = []
        self._held: list[str] = []
        self._count = 0
        self._sending = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin sending, first what an earlier run left unsent."""
        if self._sink is None or self._thread is not None:
            return
        for event_id in list(self._state.undelivered):
            self._push(event_id)
        self._thread = threading.Thread(target=self._run, name="fakestripe-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop sending."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=2)

    def enqueue(self, event_id: str) -> None:
        """Send this event, as far as the mischief lets it."""
        if self._sink is None:
            return
        self._state.undelivered.append(event_id)
        with self._changed:
            if self.mischief.hold:
                self._held.append(event_id)
                return
        self._schedule(event_id)

    def release(self, *, backwards: bool = False) -> int:
        """Send what was held, the last first when `backwards`, and hold no more. How many there were."""
        with self._changed:
            held, self._held = self._held, []
            self.mischief.hold = False
        for event_id in reversed(held) if backwards else held:
            self._schedule(event_id)
        return len(held)

    def resend(self, event_id: str) -> None:
        """Send once more, as Stripe's dashboard can."""
        self._push(event_id)

    def drain(self, timeout_s: float = 5.0) -> bool:
        """Wait until nothing is left to send (what is held does not count). False when time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._sending, timeout_s)

    def _schedule(self, event_id: str) -> None:
        mischief = self.mischief
        if self._chance.random() < mischief.drop:
            self._settled(event_id)
            return
        for _ in range(mischief.copies):
            self._push(event_id, mischief.delay_s + self._chance.random() * mischief.jitter_s)

    def _push(self, event_id: str, delay_s: float = 0.0, attempt: int = 0) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._queue, (time.monotonic() + delay_s, self._count, attempt, event_id))
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                due = self._queue[0][0] - time.monotonic() if self._queue else TICK_S
                if due > 0:
                    self._changed.wait(min(due, TICK_S))
                job = None
                if self._queue and self._queue[0][0] <= time.monotonic():
                    job = heapq.heappop(self._queue)
                    self._sending += 1
            if job is None:
                self.tick()
                continue
            try:
                self._send(job[3], job[2])
            finally:
                with self._changed:
                    self._sending -= 1
                    self._changed.notify_all()

    def _send(self, event_id: str, attempt: int) -> None:
        with self._state.lock:
            forgotten = event_id not in self._state.objects
        if forgotten or self._sink is None:
            return
        body = notice_body(self._state, event_id)
        try:
            status = self._sink(body, signature_header(body, self._secret))
        except Exception:  # noqa: BLE001 - whatever a receiver does, the thread lives on and tries again
            status = 0
        if 200 <= status < 300:
            self._settled(event_id)
        elif attempt < len(RETRY_AFTER_S):
            self._push(event_id, RETRY_AFTER_S[attempt], attempt + 1)

    def _settled(self, event_id: str) -> None:
        with self._state.changing():
            if event_id in self._state.undelivered:
                self._state.undelivered.remove(event_id)


def http_sink(url: str, timeout_s: float = 10.0) -> Sink:
    """Notices by POST to `url`."""

    def send(body: bytes, signature: str) -> int:
        headers: dict[str, Any] = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature,
        }
        return httpx.post(url, content=body, headers=headers, timeout=timeout_s).status_code

    return send
