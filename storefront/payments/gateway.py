"""The door to Stripe: the one module that imports its library. Direct charges on each shop's own account.

The library's own retries are off: whoever calls holds the key and knows whether asking again is safe. Test
mode may be pointed at another server (our stand-in); a live key never may.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import stripe

from storefront.kernel.money import EXPONENTS, Money, exponent
from storefront.payments.capabilities import BOLETO, CAPABILITIES, CARD_MONTHS, OXXO, PIX, SPEI
from storefront.payments.provider import (
    AccountRef,
    AccountStatus,
    BadSignature,
    BalanceMove,
    CheckoutLine,
    CheckoutRef,
    CheckoutState,
    CheckoutStatus,
    DisputeState,
    DisputeStatus,
    Evidence,
    Fee,
    GatewayEvent,
    GatewayRefused,
    GatewayUnavailable,
    Payment,
    Payout,
    PayoutStatus,
    RefundRef,
    RefundState,
    RefundStatus,
    Voucher,
)

if TYPE_CHECKING:
    from stripe.params import AccountUpdateParamsCapabilities, DisputeUpdateParamsEvidence
    from stripe.params.checkout import (
        SessionCreateParams,
        SessionCreateParamsLineItem,
        SessionCreateParamsPaymentMethodOptions,
    )

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 10
WEBHOOK_TOLERANCE_S = 300
API_VERSION = "2026-10-28.endive"
"""What every request asks for, whatever the account or the library would choose: a new one is read about first."""

MOST_LINES = 100
LIVE_PREFIXES = ("sk_live_", "rk_live_")

STRIPE_EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "JPY": 0, "KMF": 0, "KRW": 0, "MGA": 0, "PYG": 0, "RWF": 0,
    "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
"""Digits after the decimal sign in Stripe's amounts; 2 for every other currency, ISK and UGX too, although
ISO gives them none.
"""

_REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.REQUIRES_ACTION,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELLED,
}


_DISPUTE_STATUS = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY_REVIEW,
    "warning_closed": DisputeStatus.CLOSED,
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "appeal_needs_response": DisputeStatus.NEEDS_RESPONSE,
    "appeal_under_review": DisputeStatus.UNDER_REVIEW,
    "prevented": DisputeStatus.CLOSED,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}

_VOUCHERS = ("oxxo_display_details", "boleto_display_details", "pix_display_qr_code")
"""Where Stripe says what a customer pays with later."""

_THEIR_NAMES = {CARD_MONTHS: "card", SPEI: "customer_balance"}
"""Ways of payment that Stripe calls otherwise on its pages."""

_CAPABILITIES = {SPEI: "mx_bank_transfer_payments"}
"""What Stripe calls the permission for one, where not after its name."""

_TRANSFER = "display_bank_transfer_instructions"
_OF_A_PAYER = "cus_"
"""How the names begin of those whose transfers Stripe keeps together: money of theirs may be no payment yet."""

_WILL_NOT_COME = frozenset({"requires_payment_method", "canceled"})
"""Where a payment stands whose page is complete and whose money never came: its voucher was not paid in time."""


def rescale(amount: int, digits: int, wanted: int) -> int:
    """The same amount with `wanted` instead of `digits` decimal digits. ValueError when it cannot be said
    exactly.
    """
    if wanted >= digits:
        return int(amount * 10 ** (wanted - digits))
    whole, rest = divmod(amount, 10 ** (digits - wanted))
    if rest:
        raise ValueError(f"{amount} with {digits} digits has no exact form with {wanted}")
    return int(whole)


def to_stripe(minor: int, currency: str) -> int:
    """Our minor units as Stripe counts them."""
    return rescale(minor, exponent(currency), STRIPE_EXPONENTS.get(currency, 2))


def from_stripe(amount: int, currency: str) -> tuple[int, str]:
    """Stripe's amount and lower-case code as our minor units and ISO code."""
    code = currency.upper()
    digits = STRIPE_EXPONENTS.get(code, 2)
    return rescale(amount, digits, EXPONENTS.get(code, digits)), code


class StripeGateway:
    """The Gateway kept with Stripe (or, in test mode, with what answers at `api_base`).

    `webhook_secrets` are all that are valid now: the new one and, while it is being rotated, the old one.
    Raises ValueError when a live key meets any address but Stripe's own.
    """

    def __init__(
        self,
        secret_key: str,
        api_base: str | None,
        webhook_secrets: Sequence[str],
        *,
        timeout_s: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
    ) -> None:
        base = (api_base or stripe.DEFAULT_API_BASE).rstrip("/")
        self._live = secret_key.startswith(LIVE_PREFIXES)
        base_is_theirs = base == stripe.DEFAULT_API_BASE
        if self._live and not base_is_theirs:
            raise ValueError("a live Stripe key may only be used with Stripe's own address")
        stripe.enable_telemetry = False
        self._secrets = tuple(webhook_secrets)
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": base, "files": stripe.DEFAULT_UPLOAD_API_BASE if base_is_theirs else base},
            http_client=stripe.RequestsClient(timeout=timeout_s),
            stripe_version=API_VERSION,
            max_network_retries=0,
        )

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self._live

    def create_account(self, shop_name: str, email: str, country: str, key: str) -> AccountRef:
        """See Gateway. The account is the shop's own: it pays Stripe's fees, bears its losses and has the
        full dashboard.
        """
        with _stripe_errors():
            account = self._client.v1.accounts.create(
                {
                    "country": country,
                    "email": email,
                    "business_profile": {"name": shop_name},
                    "controller": {
                        "fees": {"payer": "account"},
                        "losses": {"payments": "stripe"},
                        "stripe_dashboard": {"type": "full"},
                    },
                    "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
                },
                {"idempotency_key": key},
            )
        return AccountRef(account.id)

    def onboarding_link(self, account: str, return_url: str, refresh_url: str) -> str:
        """See Gateway."""
        with _stripe_errors():
            link = self._client.v1.account_links.create(
                {
                    "account": account,
                    "type": "account_onboarding",
                    "return_url": return_url,
                    "refresh_url": refresh_url,
                }
            )
        return link.url

    def account_status(self, account: str) -> AccountStatus:
        """See Gateway."""
        with _stripe_errors():
            found = self._client.v1.accounts.retrieve(account)
        missing = found.requirements.currently_due if found.requirements else None
        can = found.capabilities.to_dict() if found.capabilities else {}
        granted = frozenset(method for method in CAPABILITIES if can.get(_permission(method)) == "active")
        return AccountStatus(bool(found.charges_enabled), bool(found.payouts_enabled), tuple(missing or ()), granted)

    def ask_for(self, account: str, method: str) -> bool:
        """See Gateway."""
        with _stripe_errors():
            found = self._client.v1.accounts.update(account, {"capabilities": _capability(method)})
        can = found.capabilities.to_dict() if found.capabilities else {}
        return bool(can.get(_permission(method)) == "active")

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
        """See Gateway. One method for each page: how long the goods are kept depends on it."""
        params: SessionCreateParams = {
            "mode": "payment",
            "line_items": _line_items(amount, description, lines),
            "success_url": success_url,
            "cancel_url": cancel_url,
            "client_reference_id": key,
            "metadata": dict(metadata),
            "expires_at": int(expires_at.timestamp()),
            "locale": _stripe_locale(locale),
            "allowed_payment_method_types": [_THEIR_NAMES.get(method, method)],
            "payment_intent_data": {"description": description, "metadata": dict(metadata)},
        }
        if options := _method_options(method):
            params["payment_method_options"] = options
        if application_fee_minor:
            fee = to_stripe(application_fee_minor, amount.currency)
            params["payment_intent_data"]["application_fee_amount"] = fee
        if method == SPEI:
            params["customer"] = self._payer(account, key)
        elif customer_email:
            params["customer_email"] = customer_email
        with _stripe_errors():
            session = self._client.v1.checkout.sessions.create(
                params, {"stripe_account": account, "idempotency_key": key}
            )
        return _checkout_ref(session)

    def _payer(self, account: str, key: str) -> str:
        """Somebody of their own for each payment, so that what comes on top of it is nobody else's."""
        with _stripe_errors():
            payer = self._client.v1.customers.create(
                {"metadata": {"attempt": key}}, {"stripe_account": account, "idempotency_key": f"{key}:payer"}
            )
        return payer.id

    def _left_with(self, account: str, payer: str, currency: str) -> tuple[Payment, ...]:
        """What a payer sent that is no payment, named after its latest movement: sent back, it is named otherwise."""
        with _stripe_errors():
            kept = self._client.v1.customers.cash_balance.retrieve(payer, options={"stripe_account": account})
            amount = kept.available.to_dict().get(currency, 0) if kept.available else 0
            if not amount:
                return ()
            moves = self._client.v1.customers.cash_balance_transactions.list(
                payer, {"limit": 1}, {"stripe_account": account}
            )
        minor, code = from_stripe(amount, currency)
        last = moves.data[0]
        at = datetime.fromtimestamp(last.created, UTC)
        return (Payment(f"{payer}:{last.id}", minor, code, None, {}, at),)

    def checkout_state(self, account: str, session_id: str) -> CheckoutState:
        """See Gateway."""
        with _stripe_errors():
            session = self._client.v1.checkout.sessions.retrieve(
                session_id, {"expand": ["payment_intent"]}, {"stripe_account": account}
            )
        intent = session.payment_intent if isinstance(session.payment_intent, stripe.PaymentIntent) else None
        unpaid = session.status == "complete" and session.payment_status == "unpaid"
        minor, currency = from_stripe(session.amount_total or 0, session.currency or "")
        payer, over = _id_of(session.customer), intent is not None and intent.status in {"succeeded", "canceled"}
        return CheckoutState(
            status=CheckoutStatus(session.status or CheckoutStatus.OPEN),
            paid=session.payment_status == "paid",
            amount_minor=minor,
            currency=currency,
            payment_intent=_id_of(session.payment_intent),
            voucher=_voucher(intent) if unpaid and intent else None,
            failed=unpaid and intent is not None and intent.status in _WILL_NOT_COME,
            extra=self._left_with(account, payer, session.currency or "") if payer and over else (),
        )

    def find_checkout(self, account: str, key: str, since: datetime) -> CheckoutRef | None:
        """See Gateway."""
        with _stripe_errors():
            sessions = self._client.v1.checkout.sessions.list(
                {"created": {"gte": int(since.timestamp())}, "limit": 100}, {"stripe_account": account}
            )
            for session in sessions.auto_paging_iter():
                if session.client_reference_id == key:
                    return _checkout_ref(session)
        return None

    def expire_checkout(self, account: str, session_id: str) -> None:
        """See Gateway."""
        with _stripe_errors():
            self._client.v1.checkout.sessions.expire(session_id, options={"stripe_account": account})

    def withdraw(self, account: str, payment_intent: str) -> None:
        """See Gateway."""
        with _stripe_errors():
            self._client.v1.payment_intents.cancel(payment_intent, options={"stripe_account": account})

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
        """See Gateway. What a payer sent on top is no payment, and goes back from what is kept for them."""
        if payment_intent.startswith(_OF_A_PAYER):
            return self._send_back_what_is_left(account, payment_intent, amount_minor, currency, key)
        with _stripe_errors():
            refund = self._client.v1.refunds.create(
                {
                    "payment_intent": payment_intent,
                    "amount": to_stripe(amount_minor, currency),
                    "metadata": dict(metadata),
                    "refund_application_fee": return_fee,
                },
                {"stripe_account": account, "idempotency_key": key},
            )
        return RefundRef(refund.id, _refund_status(refund))

    def _send_back_what_is_left(self, account: str, name: str, amount_minor: int, currency: str, key: str) -> RefundRef:
        with _stripe_errors():
            refund = self._client.v1.refunds.create(
                {
                    "customer": name.partition(":")[0],
                    "origin": "customer_balance",
                    "amount": to_stripe(amount_minor, currency),
                    "currency": currency.lower(),
                },
                {"stripe_account": account, "idempotency_key": key},
            )
        return RefundRef(refund.id, _refund_status(refund))

    def refund_state(self, account: str, refund_id: str) -> RefundState:
        """See Gateway."""
        with _stripe_errors():
            refund = self._client.v1.refunds.retrieve(refund_id, options={"stripe_account": account})
        return _refund_state(refund)

    def refunds_of(self, account: str, payment_intent: str) -> list[RefundState]:
        """See Gateway."""
        with _stripe_errors():
            refunds = self._client.v1.refunds.list(
                {"payment_intent": payment_intent, "limit": 100}, {"stripe_account": account}
            )
            return [_refund_state(refund) for refund in refunds.auto_paging_iter()]

    def payments_between(self, account: str, since: datetime, until: datetime) -> list[Payment]:
        """See Gateway. Refused charges are charges to Stripe, too: only the paid ones are payments."""
        with _stripe_errors():
            charges = self._client.v1.charges.list(
                {
                    "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
                    "limit": 100,
                    "expand": ["data.balance_transaction"],
                },
                {"stripe_account": account},
            )
            return [_payment(charge) for charge in charges.auto_paging_iter() if charge.paid]

    def refunds_between(self, account: str, since: datetime, until: datetime) -> list[RefundState]:
        """See Gateway."""
        with _stripe_errors():
            refunds = self._client.v1.refunds.list(
                {
                    "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
                    "limit": 100,
                    "expand": ["data.balance_transaction"],
                },
                {"stripe_account": account},
            )
            return [_refund_state(refund) for refund in refunds.auto_paging_iter()]

    def fee_of_payment(self, account: str, payment_intent: str) -> Fee | None:
        """See Gateway."""
        with _stripe_errors():
            charges = self._client.v1.charges.list(
                {"payment_intent": payment_intent, "limit": 100, "expand": ["data.balance_transaction"]},
                {"stripe_account": account},
            )
            paid = next((charge for charge in charges.auto_paging_iter() if charge.paid), None)
        return _fee(paid.balance_transaction, paid.currency) if paid else None

    def fee_of_refund(self, account: str, refund_id: str) -> Fee | None:
        """See Gateway."""
        with _stripe_errors():
            refund = self._client.v1.refunds.retrieve(
                refund_id, {"expand": ["balance_transaction"]}, {"stripe_account": account}
            )
        return _fee(refund.balance_transaction, refund.currency)

    def dispute_state(self, account: str, dispute_id: str) -> DisputeState:
        """See Gateway."""
        with _stripe_errors():
            return _dispute(self._client.v1.disputes.retrieve(dispute_id, options={"stripe_account": account}))

    def disputes_between(self, account: str, since: datetime, until: datetime) -> list[DisputeState]:
        """See Gateway."""
        with _stripe_errors():
            disputes = self._client.v1.disputes.list(
                {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}, "limit": 100},
                {"stripe_account": account},
            )
            return [_dispute(dispute) for dispute in disputes.auto_paging_iter()]

    def keep_file(self, account: str, name: str, content: bytes) -> str:
        """See Gateway. The library reads a name and a type off a file's own."""
        file = io.BytesIO(content)
        file.name = name
        with _stripe_errors():
            kept = self._client.v1.files.create(
                {"purpose": "dispute_evidence", "file": file}, {"stripe_account": account}
            )
        return kept.id

    def stage_evidence(self, account: str, dispute_id: str, evidence: Evidence) -> None:
        """See Gateway. Without `submit: false` Stripe would send it to the bank at once."""
        with _stripe_errors():
            self._client.v1.disputes.update(
                dispute_id, {"evidence": _evidence(evidence), "submit": False}, {"stripe_account": account}
            )

    def submit_evidence(self, account: str, dispute_id: str, key: str) -> None:
        """See Gateway."""
        with _stripe_errors():
            self._client.v1.disputes.update(
                dispute_id, {"submit": True}, {"stripe_account": account, "idempotency_key": key}
            )

    def accept_dispute(self, account: str, dispute_id: str, key: str) -> None:
        """See Gateway."""
        with _stripe_errors():
            self._client.v1.disputes.close(dispute_id, options={"stripe_account": account, "idempotency_key": key})

    def payouts(self, account: str) -> list[Payout]:
        """See Gateway."""
        with _stripe_errors():
            found = self._client.v1.payouts.list({"limit": 10}, {"stripe_account": account})
        return [_payout(one) for one in found.data]

    def verify_webhook(self, raw: bytes, signature: str) -> GatewayEvent:
        """See Gateway. Stripe's scheme: each secret is tried, and a signature older than 300 s is refused."""
        for secret in self._secrets:
            try:
                return _gateway_event(self._client.construct_event(raw, signature, secret, WEBHOOK_TOLERANCE_S))
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise BadSignature from error  # signed, and no notice all the same
        raise BadSignature

    def events_since(self, account: str, since: datetime) -> Iterator[GatewayEvent]:
        """See Gateway."""
        with _stripe_errors():
            events = self._client.v1.events.list(
                {"created": {"gte": int(since.timestamp())}, "limit": 100}, {"stripe_account": account}
            )
            for event in events.auto_paging_iter():
                # Stripe leaves `account` out of events that are listed as that account.
                yield _gateway_event(event, account)


@contextmanager
def _stripe_errors() -> Iterator[None]:
    """Sort the vendor's errors by the one question that matters: is the outcome known?"""
    try:
        yield
    except stripe.StripeError as error:
        status = error.http_status or 0
        # 409 is a request with this key still in flight, 429 a full queue: both say "ask again", not "no". A key that
        # was used with other parameters says nothing of what became of that first request.
        if 400 <= status < 500 and status not in (409, 429) and not isinstance(error, stripe.IdempotencyError):
            raise GatewayRefused(_code_of(error), error.user_message or "") from error
        # A 500 is an end as well: the provider remembers it, and will answer it to this key for ever.
        raise GatewayUnavailable(is_spent=status == 500 or isinstance(error, stripe.IdempotencyError)) from error


def _code_of(error: stripe.StripeError) -> str:
    """Stripe's code, or the kind of error where it gives none. The library forgets it for 401 and 403."""
    body = error.json_body
    details = body.get("error") if isinstance(body, dict) else None
    said = details if isinstance(details, dict) else {}
    return str(said.get("code") or said.get("type") or f"http_{error.http_status}")


def _line_items(amount: Money, description: str, lines: Sequence[CheckoutLine]) -> list[SessionCreateParamsLineItem]:
    """What the page shows; always adds up to `amount`, so that what was ordered is what is charged."""
    total = sum(line.quantity * line.unit_minor for line in lines)
    if total != amount.minor or not 0 < len(lines) <= MOST_LINES:
        lines = [CheckoutLine(description, 1, amount.minor)]
    return [
        {
            "quantity": line.quantity,
            "price_data": {
                "currency": amount.currency.lower(),
                "unit_amount": to_stripe(line.unit_minor, amount.currency),
                "product_data": {"name": line.name},
            },
        }
        for line in lines
    ]


def _permission(method: str) -> str:
    return _CAPABILITIES.get(method, f"{method}_payments")


def _capability(method: str) -> AccountUpdateParamsCapabilities:
    wanted: dict[str, AccountUpdateParamsCapabilities] = {
        OXXO: {"oxxo_payments": {"requested": True}},
        BOLETO: {"boleto_payments": {"requested": True}},
        PIX: {"pix_payments": {"requested": True}},
        SPEI: {"mx_bank_transfer_payments": {"requested": True}},
    }
    return wanted.get(method, {"card_payments": {"requested": True}})


def _method_options(method: str) -> SessionCreateParamsPaymentMethodOptions | None:
    """How long what the page gives out is good for; always the same for a method, since a key's repeat must be."""
    can = CAPABILITIES[method]
    if method == CARD_MONTHS:
        return {"card": {"installments": {"enabled": True}}}
    if method == OXXO:
        return {"oxxo": {"expires_after_days": can.voucher_days}}
    if method == BOLETO:
        return {"boleto": {"expires_after_days": can.voucher_days}}
    if method == SPEI:
        return {"customer_balance": {"funding_type": "bank_transfer", "bank_transfer": {"type": "mx_bank_transfer"}}}
    if method == PIX:
        return {"pix": {"expires_after_seconds": int(can.code_for.total_seconds())}}
    return None


def _voucher(intent: stripe.PaymentIntent) -> Voucher | None:
    """What the customer pays with later. The three kinds have other names for the same things."""
    plain: dict[str, Any] = intent.next_action.to_dict() if intent.next_action else {}
    if plain.get(_TRANSFER):
        return _account_to_send_to(intent, plain[_TRANSFER])
    said = next((plain[name] for name in _VOUCHERS if plain.get(name)), None)
    if said is None:
        return None
    until = said.get("expires_at") or said.get("expires_after")
    return Voucher(
        url=str(said.get("hosted_voucher_url") or said.get("hosted_instructions_url") or ""),
        number=str(said.get("number") or said.get("data") or ""),
        expires_at=datetime.fromtimestamp(until, UTC) if until else None,
    )


def _account_to_send_to(intent: stripe.PaymentIntent, said: dict[str, Any]) -> Voucher:
    """The account of a transfer, and what came to it already."""
    spei: dict[str, Any] = next((one["spei"] for one in said.get("financial_addresses", []) if one.get("spei")), {})
    came, _currency = from_stripe(intent.amount - (said.get("amount_remaining") or 0), intent.currency)
    return Voucher(
        url=str(said.get("hosted_instructions_url") or ""),
        number=str(spei.get("clabe") or ""),
        expires_at=None,
        bank=str(spei.get("bank_name") or ""),
        reference=str(said.get("reference") or ""),
        came_minor=came,
    )


def _stripe_locale(locale: str) -> str:
    """Stripe's name for the page's language: Latin American Spanish and Brazilian Portuguese differ."""
    language = locale.replace("-", "_").partition("_")[0]
    return {"es": "es-419", "pt": "pt-BR", "en": "en"}.get(language, "auto")


def _checkout_ref(session: stripe.checkout.Session) -> CheckoutRef:
    expires_at = datetime.fromtimestamp(session.expires_at, UTC)
    payer = _id_of(session.customer)
    return CheckoutRef(session.id, session.url or "", _id_of(session.payment_intent), expires_at, payer)


def _payment(charge: stripe.Charge) -> Payment:
    minor, currency = from_stripe(charge.amount, charge.currency)
    return Payment(
        id=charge.id,
        amount_minor=minor,
        currency=currency,
        payment_intent=_id_of(charge.payment_intent),
        metadata=dict(charge.metadata.to_dict()) if charge.metadata else {},
        created=datetime.fromtimestamp(charge.created, UTC),
        fee=_fee(charge.balance_transaction, charge.currency),
    )


def _fee(settled: str | stripe.BalanceTransaction | None, currency: str) -> Fee | None:
    """What was kept, once it is settled, in the currency of the payment; in another nobody here could say it."""
    if not isinstance(settled, stripe.BalanceTransaction) or settled.currency != currency:
        return None
    ours = sum(one.amount for one in settled.fee_details if one.type == "application_fee")
    platform, _currency = from_stripe(ours, currency)
    provider, _currency = from_stripe(settled.fee - ours, currency)
    return Fee(provider, platform)


def _dispute(dispute: stripe.Dispute) -> DisputeState:
    minor, currency = from_stripe(dispute.amount, dispute.currency)
    until = dispute.evidence_details.due_by
    return DisputeState(
        id=dispute.id,
        status=_DISPUTE_STATUS.get(dispute.status, DisputeStatus.UNDER_REVIEW),
        reason=dispute.reason,
        amount_minor=minor,
        currency=currency,
        payment=str(_id_of(dispute.charge)),
        payment_intent=_id_of(dispute.payment_intent),
        created=datetime.fromtimestamp(dispute.created, UTC),
        due_by=datetime.fromtimestamp(until, UTC) if until else None,
        submitted=dispute.evidence_details.submission_count > 0,
        moves=tuple(_move(one) for one in dispute.balance_transactions),
    )


def _move(one: stripe.BalanceTransaction) -> BalanceMove:
    minor, currency = from_stripe(one.amount, one.currency)
    fee, _currency = from_stripe(one.fee, one.currency)
    return BalanceMove(one.id, minor, fee, currency, datetime.fromtimestamp(one.created, UTC))


def _evidence(said: Evidence) -> DisputeUpdateParamsEvidence:
    """Every field each time: what is not said any more is taken back, too."""
    files = said.files
    return {
        "product_description": said.product,
        "uncategorized_text": said.story,
        "customer_name": said.customer_name,
        "customer_email_address": said.customer_email,
        "shipping_date": said.delivered_on,
        "shipping_address": said.address,
        "shipping_tracking_number": said.tracking,
        "shipping_documentation": files.get("delivery", ""),
        "customer_communication": files.get("messages", ""),
        "receipt": files.get("receipt", ""),
        "uncategorized_file": files.get("other", ""),
    }


def _payout(payout: stripe.Payout) -> Payout:
    minor, currency = from_stripe(payout.amount, payout.currency)
    arrives = datetime.fromtimestamp(payout.arrival_date, UTC)
    return Payout(payout.id, PayoutStatus(payout.status), minor, currency, arrives)


def _refund_status(refund: stripe.Refund) -> RefundStatus:
    return _REFUND_STATUS.get(refund.status or "", RefundStatus.PENDING)


def _refund_state(refund: stripe.Refund) -> RefundState:
    minor, currency = from_stripe(refund.amount, refund.currency)
    return RefundState(
        id=refund.id,
        status=_refund_status(refund),
        amount_minor=minor,
        currency=currency,
        payment_intent=_id_of(refund.payment_intent),
        metadata=dict(refund.metadata.to_dict()) if refund.metadata else {},
        fee=_fee(refund.balance_transaction, refund.currency),
    )


def _gateway_event(event: stripe.Event, account: str | None = None) -> GatewayEvent:
    # StripeObject is no dict: plain data from here on.
    plain: dict[str, Any] = event.to_dict(for_json=True)
    data: dict[str, Any] = plain["data"]["object"]
    return GatewayEvent(
        id=plain["id"],
        type=plain["type"],
        account=plain.get("account") or account,
        object_id=str(data.get("id") or data.get("customer") or ""),  # what a payer has left has no name of its own
        created=datetime.fromtimestamp(plain["created"], UTC),
        live=bool(plain["livemode"]),
        is_of_our_version=plain.get("api_version") == API_VERSION,
        data=data,
    )


def _id_of(reference: str | stripe.StripeObject | None) -> str | None:
    """The id of what Stripe may give as an id or in full."""
    return reference if reference is None or isinstance(reference, str) else str(reference["id"])
