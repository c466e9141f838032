"""The Invoicer kept with our stand-in (`embedded.fakeinvoice`): plain JSON through the guarded way out."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.egress import Egress, EgressFailed, EgressRefused
from storefront.receipts.einvoice import (
    Answer,
    BadCredentials,
    Capabilities,
    Credentials,
    InvoicerUnavailable,
    Sent,
    Verdict,
)


class PlayInvoicer:
    """Speaks to what listens at `base`; no tax office hears of it."""

    code = "play"
    name = "Facturas de prueba"
    capabilities = Capabilities(
        countries=frozenset(COUNTRIES), cancel_within=timedelta(hours=72), needs_buyer_document=True
    )

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._allowed = frozenset({urlsplit(self._base).netloc})

    def check(self, credentials: Credentials) -> None:
        """Ask who we are."""
        self._ask("GET", "/account", credentials)

    def stamp(self, credentials: Credentials, sent: Sent) -> Answer:
        """Send a document under its key."""
        body = {**asdict(sent), "issued_at": sent.issued_at.isoformat()}
        return _read(self._ask("POST", "/documents", credentials, body))

    def find(self, credentials: Credentials, key: str) -> Answer | None:
        """Ask by key."""
        said = self._ask("GET", f"/documents/{quote(key, safe='')}", credentials)
        return _read(said) if said else None

    def cancel(self, credentials: Credentials, number: str) -> Answer:
        """Cancel by the provider's number."""
        return _read(self._ask("POST", f"/cancellations/{quote(number, safe='')}", credentials, {}))

    def _ask(self, verb: str, path: str, credentials: Credentials, body: Any = None) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {credentials.user}:{credentials.secret}", "Content-Type": "application/json",
        }  # fmt: skip
        content = None if body is None else json.dumps(body)
        try:
            with Egress(allowed_hosts=self._allowed) as out:
                answer = out.request(verb, f"{self._base}{path}", headers=headers, content=content)
        except (EgressFailed, EgressRefused) as error:
            raise InvoicerUnavailable from error
        if answer.status in {401, 403}:
            raise BadCredentials
        if answer.status == 404:
            return {}
        try:
            said = json.loads(answer.body) if answer.status == 200 else None
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise InvoicerUnavailable
        return said


def _read(said: dict[str, Any]) -> Answer:
    try:
        return Answer(
            Verdict(said["verdict"]), str(said.get("number", "")), str(said.get("code", "")),
            str(said.get("told", ""))[:300], b64decode(said.get("xml", "")), b64decode(said.get("pdf", "")),
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise InvoicerUnavailable from error
