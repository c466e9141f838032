"""The door to Mercado Pago: Checkout Pro on each shop's own account, with the tokens its owner gave us.

Spoken to through the guarded way out, since there is no library of theirs here. A payment is believed only when it was
asked for with the shop's token. One page may be paid more than once there: the payments of an attempt are therefore
looked up by our key (`external_reference`), whichever page they came from, and what is beyond the first is `extra`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from storefront.kernel import clock
from storefront.kernel.egress import Egress, EgressFailed, EgressRefused
from storefront.kernel.money import Money, exponent
from storefront.kernel.tenancy import current_shop
from storefront.payments.capabilities import CAPABILITIES, MERCADO_PAGO
from storefront.payments.provider import (
    BadSignature,
    CheckoutLine,
    CheckoutRef,
    CheckoutState,
    CheckoutStatus,
    GatewayRefused,
    GatewayUnavailable,
    Payment,
    RefundRef,
    RefundState,
    RefundStatus,
    Tokens,
    Voucher,
)

API_BASE = "https://api.mercadopago.com"
AUTH_BASE = "https://auth.mercadopago.com"
PER_PAGE = 50
MOST_PAGES = 40
MOST_LINES = 100

CAME = frozenset({"approved", "refunded", "charged_back", "in_mediation"})
"""States of a payment whose money was with the shop at some time."""

WAITS = frozenset({"pending", "in_process"})

_REFUND_STATUS = {
    "approved": RefundStatus.SUCCEEDED,
    "in_process": RefundStatus.PENDING,
    "rejected": RefundStatus.FAILED,
    "cancelled": RefundStatus.CANCELLED,
}
_NUMBER = re.compile(r'"\\u0000([0-9.]+)"')


@dataclass(frozen=True, slots=True)
class Notice:
    """News whose signature was verified: of which payment, for whose account, under which number of its own."""

    id: str
    payment_id: str


class MercadoPago:
    """The Provider kept with Mercado Pago (or, for the demo and tests, with what answers at `api_base`).

    `tokens` gives the token for a shop's account; `notices_url` is where news of every shop comes in.
    """

    code = MERCADO_PAGO

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        webhook_secrets: Sequence[str],
        notices_url: str,
        tokens: Callable[[MercadoPago, str], str],
        api_base: str | None = None,
    ) -> None:
        self._client_id, self._client_secret = client_id, client_secret
        self._secrets = tuple(secret for secret in webhook_secrets if secret.strip())
        self._notices_url = notices_url
        self._tokens = tokens
        self._base = (api_base or API_BASE).rstrip("/")
        self._auth = (api_base or AUTH_BASE).rstrip("/")
        self._allowed = frozenset({urlsplit(self._base).netloc} if api_base else ())

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return not self._allowed

    # --- the owner's consent --------------------------------------------------------------------------------------

    def consent_page(self, state: str, return_url: str) -> str:
        """Where the owner lets us act for the account; the answer comes to `return_url` with the same `state`."""
        asked = {
            "client_id": self._client_id, "response_type": "code", "platform_id": "mp", "state": state,
            "redirect_uri": return_url,
        }  # fmt: skip
        return f"{self._auth}/authorization?{urlencode(asked)}"

    def connect(self, code: str, return_url: str) -> Tokens:
        """Tokens for what the owner consented to. Raises GatewayUnavailable, GatewayRefused."""
        return self._tokens_for(grant_type="authorization_code", code=code, redirect_uri=return_url)

    def renew(self, refresh: str) -> Tokens:
        """New tokens for an old one, which is spent. Raises GatewayUnavailable, GatewayRefused."""
        return self._tokens_for(grant_type="refresh_token", refresh_token=refresh)

    def _tokens_for(self, **asked: str) -> Tokens:
        body = {"client_id": self._client_id, "client_secret": self._client_secret, **asked}
        said = self._ask("POST", "/oauth/token", token=None, body=body)
        ends = clock.now() + timedelta(seconds=int(said["expires_in"]))
        return Tokens(str(said["user_id"]), str(said["access_token"]), str(said["refresh_token"]), ends)

    # --- payment pages --------------------------------------------------------------------------------------------

    def open_checkout(  # noqa: PLR0913 - one payment page needs all of it, by keyword
        self,
        *,
        account: str,
        key: str,
        method: str,
        amount: Money,
        description: str,
        lines: Sequence[CheckoutLine],
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, str],
        expires_at: datetime,
        application_fee_minor: int,
        locale: str,
        customer_email: str | None,
    ) -> CheckoutRef:
        """See Provider. A payment in cash may come until some days after the page is closed."""
        paid_by = expires_at + timedelta(days=CAPABILITIES[method].voucher_days)
        body: dict[str, Any] = {
            "items": _items(amount, description, lines),
            "external_reference": key,
            "metadata": dict(metadata),
            "back_urls": {"success": success_url, "pending": success_url, "failure": cancel_url},
            "auto_return": "approved",
            "notification_url": f"{self._notices_url}?{urlencode({'tienda': current_shop().id})}",
            "expires": True,
            "expiration_date_to": _stamp(expires_at),
            "date_of_expiration": _stamp(paid_by),
        }
        if application_fee_minor:
            body["marketplace_fee"] = _number(application_fee_minor, amount.currency)
        if customer_email:
            body["payer"] = {"email": customer_email}
        return _page(self._as(account, "POST", "/checkout/preferences", body=body, key=key))

    def checkout_state(self, account: str, session_id: str) -> CheckoutState:
        """See Provider. What was paid counts, on whichever page of the same key."""
        page = self._as(account, "GET", f"/checkout/preferences/{session_id}")
        payments = self._search(account, {"external_reference": str(page["external_reference"])})
        payments.sort(key=lambda one: str(one["date_created"]))
        came = [one for one in payments if one["status"] in CAME]
        waiting = [one for one in payments if one["status"] in WAITS]
        one = next(iter(came or waiting), None)
        minor, currency = _amount(one) if one else (0, current_shop().currency)
        status = CheckoutStatus.EXPIRED if _instant(page["expiration_date_to"]) <= clock.now() else CheckoutStatus.OPEN
        return CheckoutState(
            status=CheckoutStatus.COMPLETE if not came and waiting else status,
            paid=bool(came),
            amount_minor=minor,
            currency=currency,
            payment_intent=str(one["id"]) if one else None,
            voucher=_voucher(waiting[-1]) if waiting and not came else None,
            extra=tuple(_payment(more) for more in came[1:] if more["status"] == "approved"),
        )

    def find_checkout(self, account: str, key: str, since: datetime) -> CheckoutRef | None:
        """See Provider."""
        said = self._as(account, "GET", "/checkout/preferences/search", params={"external_reference": key})
        found = next((one for one in said["elements"] if one["external_reference"] == key), None)
        return _page(self._as(account, "GET", f"/checkout/preferences/{found['id']}")) if found else None

    def expire_checkout(self, account: str, session_id: str) -> None:
        """See Provider."""
        body = {"expires": True, "expiration_date_to": _stamp(clock.now())}
        self._as(account, "PUT", f"/checkout/preferences/{session_id}", body=body)

    def withdraw(self, account: str, payment_intent: str) -> None:
        """See Provider."""
        self._as(account, "PUT", f"/v1/payments/{payment_intent}", body={"status": "cancelled"})

    def reference_of(self, account: str, payment_id: str) -> str:
        """Our key of the attempt that a payment is for, or "". Raises GatewayRefused for a stranger's payment."""
        said = self._as(account, "GET", f"/v1/payments/{payment_id}")
        return str(said.get("external_reference") or "")

    # --- money back -----------------------------------------------------------------------------------------------

    def refund(  # noqa: PLR0913 - one refund needs all of it, by keyword
        self,
        *,
        account: str,
        payment_intent: str,
        amount_minor: int,
        currency: str,
        key: str,
        metadata: Mapping[str, str],
        return_fee: bool = False,
    ) -> RefundRef:
        """See Provider. The platform's part goes back with the money by itself; a refund there knows no metadata."""
        body = {"amount": _number(amount_minor, currency)}
        said = self._as(account, "POST", f"/v1/payments/{payment_intent}/refunds", body=body, key=key)
        return RefundRef(f"{payment_intent}/{said['id']}", _refund_status(said))

    def refund_state(self, account: str, refund_id: str) -> RefundState:
        """See Provider. Our name for a refund holds its payment's, too: it cannot be asked for without."""
        payment_id, _, own = refund_id.partition("/")
        payment = self._as(account, "GET", f"/v1/payments/{payment_id}")
        said = self._as(account, "GET", f"/v1/payments/{payment_id}/refunds/{own}")
        return _refund(said, payment)

    def refunds_of(self, account: str, payment_intent: str) -> list[RefundState]:
        """See Provider."""
        payment = self._as(account, "GET", f"/v1/payments/{payment_intent}")
        said = self._as(account, "GET", f"/v1/payments/{payment_intent}/refunds")
        return [_refund(one, payment) for one in reversed(list(said))]

    # --- a day's lists --------------------------------------------------------------------------------------------

    def payments_between(self, account: str, since: datetime, until: datetime) -> list[Payment]:
        """See Provider."""
        found = self._search(account, _between("date_approved", since, until))
        return [_payment(one) for one in found if one["status"] in CAME and _within(one["date_approved"], since, until)]

    def refunds_between(self, account: str, since: datetime, until: datetime) -> list[RefundState]:
        """See Provider. A refund changes its payment, so the payments changed since then are looked through."""
        found = self._search(account, _between("date_last_updated", since, clock.now()))
        return [
            _refund(refund, one)
            for one in found
            for refund in one.get("refunds") or ()
            if _within(refund["date_created"], since, until)
        ]

    def _search(self, account: str, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(MOST_PAGES):
            more = {"sort": "date_created", "criteria": "asc", "limit": str(PER_PAGE), "offset": str(page * PER_PAGE)}
            said = self._as(account, "GET", "/v1/payments/search", params={**wanted, **more})
            found += said["results"]
            if len(said["results"]) < PER_PAGE:
                return found
        raise GatewayUnavailable  # half a list would read as money that is missing

    # --- news -----------------------------------------------------------------------------------------------------

    def verify_notice(self, payment_id: str, request_id: str, signature: str) -> Notice:
        """Read news by what is signed of it: the payment's id in its address, and its request's. Raises BadSignature.

        How old it is does not matter: it only says what to ask about.
        """
        parts = dict(part.strip().partition("=")[::2] for part in signature.split(","))
        moment, given = parts.get("ts", ""), parts.get("v1", "")
        signed = "".join(
            f"{name}:{value};" for name, value in (("id", payment_id.lower()), ("request-id", request_id)) if value
        )
        for secret in self._secrets:
            right = hmac.new(secret.encode(), f"{signed}ts:{moment};".encode(), hashlib.sha256).hexdigest()
            if payment_id and moment and hmac.compare_digest(right, given):
                return Notice(f"{payment_id}:{request_id}:{moment}", payment_id)
        raise BadSignature

    # --- the wire -------------------------------------------------------------------------------------------------

    def _as(
        self,
        account: str,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        key: str = "",
    ) -> Any:
        return self._ask(verb, path, token=self._tokens(self, account), params=params, body=body, key=key)

    def _ask(
        self,
        verb: str,
        path: str,
        *,
        token: str | None,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        key: str = "",
    ) -> Any:
        headers = {"Content-Type": "application/json", "X-Render-In-Process-Refunds": "true"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["X-Idempotency-Key"] = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
        content = _NUMBER.sub(r"\1", json.dumps(body)) if body is not None else None
        try:
            with Egress(allowed_hosts=self._allowed) as out:
                answer = out.request(verb, f"{self._base}{path}", headers=headers, params=params, content=content)
        except (EgressFailed, EgressRefused) as error:
            raise GatewayUnavailable from error
        return _read(answer.status, answer.body)


def _read(status: int, body: bytes) -> Any:
    """Sort answers by the one question that matters: is the outcome known?"""
    try:
        said = json.loads(body or b"null", parse_float=Decimal)
    except ValueError:
        said = None
    if 200 <= status < 300 and said is not None:
        return said
    # 409 and 423 are a request with this key still in flight, 429 a full queue: both say "ask again", not "no".
    if 400 <= status < 500 and status not in (409, 423, 429):
        told = said if isinstance(said, dict) else {}
        raise GatewayRefused(str(told.get("error") or f"http_{status}"), str(told.get("message") or ""))
    raise GatewayUnavailable


def _number(minor: int, currency: str) -> str:
    """An amount as the wire wants it, a bare number; marked, so that it is told from text until it is written."""
    return f"\x00{Decimal(minor).scaleb(-exponent(currency)):f}"


def _minor(said: Any, currency: str) -> int:
    """Their amount in our minor units. ValueError when it cannot be said exactly."""
    minor = Decimal(str(said)).scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{said} {currency} has no exact form")
    return int(minor)


def _amount(payment: Mapping[str, Any]) -> tuple[int, str]:
    currency = str(payment["currency_id"])
    return _minor(payment["transaction_amount"], currency), currency


def _items(amount: Money, description: str, lines: Sequence[CheckoutLine]) -> list[dict[str, Any]]:
    """What the page shows; always adds up to `amount`, so that what was ordered is what is charged."""
    total = sum(line.quantity * line.unit_minor for line in lines)
    if total != amount.minor or not 0 < len(lines) <= MOST_LINES:
        lines = [CheckoutLine(description, 1, amount.minor)]
    return [
        {
            "title": line.name,
            "quantity": line.quantity,
            "currency_id": amount.currency,
            "unit_price": _number(line.unit_minor, amount.currency),
        }
        for line in lines
    ]


def _page(said: Mapping[str, Any]) -> CheckoutRef:
    return CheckoutRef(str(said["id"]), str(said["init_point"]), None, _instant(said["expiration_date_to"]))


def _voucher(payment: Mapping[str, Any]) -> Voucher | None:
    """What is paid in cash later; None while a card is looked at, which the customer can do nothing about."""
    details = payment.get("transaction_details") or {}
    url = str(details.get("external_resource_url") or "")
    until = payment.get("date_of_expiration")
    if not url:
        return None
    number = str(details.get("payment_method_reference_id") or "")
    return Voucher(url, number, _instant(until) if until else None)


def _payment(said: Mapping[str, Any]) -> Payment:
    minor, currency = _amount(said)
    key = str(said.get("external_reference") or "")
    return Payment(
        id=str(said["id"]),
        amount_minor=minor,
        currency=currency,
        payment_intent=str(said["id"]),
        metadata={"attempt": key} if key else {},
        created=_instant(said["date_approved"] or said["date_created"]),
    )


def _refund_status(said: Mapping[str, Any]) -> RefundStatus:
    return _REFUND_STATUS.get(str(said.get("status")), RefundStatus.PENDING)


def _refund(said: Mapping[str, Any], payment: Mapping[str, Any]) -> RefundState:
    currency = str(payment["currency_id"])
    return RefundState(
        id=f"{payment['id']}/{said['id']}",
        status=_refund_status(said),
        amount_minor=_minor(said["amount"], currency),
        currency=currency,
        payment_intent=str(payment["id"]),
        metadata={},
    )


def _between(which: str, since: datetime, until: datetime) -> dict[str, str]:
    return {"range": which, "begin_date": _stamp(since), "end_date": _stamp(until)}


def _within(said: str, since: datetime, until: datetime) -> bool:
    return since <= _instant(said) < until


def _stamp(at: datetime) -> str:
    """An instant as Mercado Pago writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _instant(said: Any) -> datetime:
    """An instant that Mercado Pago wrote, in UTC."""
    return datetime.fromisoformat(str(said)).astimezone(UTC)


__all__ = ["MercadoPago", "Notice"]
