"""What the payments domain may ask of a card provider, and the three ways in which the provider may fail.

Only types live here, so that actions and jobs never import the vendor's library; `gateway.py` keeps these
promises with Stripe. Amounts are our own minor units (whole pesos for CLP), currencies ISO 4217 codes in
capitals, times aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money

SHORTEST_CHECKOUT = timedelta(minutes=30)
"""The provider refuses a checkout that would expire sooner. Ask for more, so that a retry minutes later still
fits.
"""

LONGEST_CHECKOUT = timedelta(hours=24)
"""The provider refuses a checkout that would stay open longer."""


class GatewayUnavailable(Refusal):
    """No answer, or one that says nothing: what happened is unknown.

    Ask again with the SAME key, or look with `find_checkout` or `refunds_of`. A new key could charge twice, unless the
    key `is_spent`: bound for ever to a failure, so that asking again says nothing new. What was looked for then and is
    not there was not made.
    """

    status = 503
    message = _l(
        "El servicio de pagos con tarjeta no responde. Inténtalo de nuevo en unos minutos: no se cobra dos veces."
    )

    def __init__(self, *, is_spent: bool = False) -> None:
        super().__init__()
        self.is_spent = is_spent


class GatewayRefused(Refusal):
    """The provider understood and said no; nothing happened there. `code` and `detail` are the provider's,
    for the log only.
    """

    status = 422
    message = _l("El servicio de pagos con tarjeta no aceptó la operación.")

    def __init__(self, code: str, detail: str) -> None:
        super().__init__()
        self._code = code
        self.detail = detail

    @property
    def code(self) -> str:
        """The provider's own code, such as `resource_missing`."""
        return self._code


class BadSignature(Refusal):
    """The notice was not signed with a secret of ours, or too long ago. Answer 400 and store nothing."""

    status = 400
    message = _l("No pudimos comprobar de dónde viene este aviso.")


class CheckoutStatus(StrEnum):
    """Where the provider's payment page stands."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class RefundStatus(StrEnum):
    """Where the provider's refund stands; only `succeeded` means that the money is on its way back."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """A shop's own account at the provider."""

    id: str


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What the shop's account may do now. `requirements` are its names of what is still missing; `granted` are the
    methods of ours (`capabilities.asked_for`) that the provider lets it take."""

    charges_enabled: bool
    payouts_enabled: bool
    requirements: tuple[str, ...]
    granted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    """One line shown on the payment page; `unit_minor` is the gross price of one."""

    name: str
    quantity: int
    unit_minor: int


@dataclass(frozen=True, slots=True)
class CheckoutRef:
    """An opened payment page. `payment_intent` is usually known only once somebody has tried to pay; `payer` is the
    provider's name for whose transfers are kept together."""

    id: str
    url: str
    payment_intent: str | None
    expires_at: datetime
    payer: str | None = None


@dataclass(frozen=True, slots=True)
class Voucher:
    """What a customer pays with later: the provider's page for it, the number to type, and until when it is good.

    An account to transfer to has a `bank` and a `reference`, is good until it is withdrawn, and may have had a part of
    the money already (`came_minor`).
    """

    url: str
    number: str
    expires_at: datetime | None
    bank: str = ""
    reference: str = ""
    came_minor: int = 0


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """What the provider knows of a payment page now. Only `paid` counts as money; complete and unpaid is
    possible: then a `voucher` waits for its money, or the money `failed` to come and never will. `extra` is money that
    came on the page once more and is nobody's.
    """

    status: CheckoutStatus
    paid: bool
    amount_minor: int
    currency: str
    payment_intent: str | None
    voucher: Voucher | None = None
    failed: bool = False
    extra: tuple[Payment, ...] = ()


@dataclass(frozen=True, slots=True)
class Fee:
    """What the provider keeps of a payment for itself and for the platform; below zero: what it gives back."""

    provider_minor: int
    platform_minor: int

    @property
    def total_minor(self) -> int:
        """Both together."""
        return self.provider_minor + self.platform_minor


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that the provider took for a shop. `metadata` is what its payment page was opened with; the `fee` is
    unknown until the provider has settled it."""

    id: str
    amount_minor: int
    currency: str
    payment_intent: str | None
    metadata: Mapping[str, str]
    created: datetime
    fee: Fee | None = None


@dataclass(frozen=True, slots=True)
class RefundRef:
    """A refund at the provider."""

    id: str
    status: RefundStatus


@dataclass(frozen=True, slots=True)
class RefundState:
    """What the provider knows of a refund now."""

    id: str
    status: RefundStatus
    amount_minor: int
    currency: str
    payment_intent: str | None
    metadata: Mapping[str, str]
    fee: Fee | None = None


class PayoutStatus(StrEnum):
    """Where money stands that the provider sends to the shop's bank."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "canceled"


@dataclass(frozen=True, slots=True)
class Payout:
    """Money sent to the shop's bank; `arrives` is the day it is or was to be there."""

    id: str
    status: PayoutStatus
    amount_minor: int
    currency: str
    arrives: datetime


class DisputeStatus(StrEnum):
    """Where the provider's dispute stands. An inquiry takes no money yet; closed is one that led to nothing."""

    INQUIRY = "inquiry"
    INQUIRY_REVIEW = "inquiry_review"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class BalanceMove:
    """What the provider took from the shop's balance (below zero) or gave back, and its fee for that (below zero when
    the fee came back)."""

    id: str
    amount_minor: int
    fee_minor: int
    currency: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DisputeState:
    """What the provider knows of a dispute now. `due_by` is until when it takes evidence, if it takes any; `submitted`
    says that it has been sent to the bank. `payment` is the provider's name of what is disputed."""

    id: str
    status: DisputeStatus
    reason: str
    amount_minor: int
    currency: str
    payment: str
    payment_intent: str | None
    created: datetime
    due_by: datetime | None
    submitted: bool
    moves: tuple[BalanceMove, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a shop says to the bank: in words, and with files by the provider's names for them (`keep_file`).

    `delivery` proves that it arrived, `messages` is what the customer wrote, `other` is anything else.
    """

    product: str = ""
    story: str = ""
    customer_name: str = ""
    customer_email: str = ""
    delivered_on: str = ""
    address: str = ""
    tracking: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """A notice whose signature was verified.

    A notice arrives late, twice and out of order: use `object_id` to fetch the present state, and `id` to
    count it once. `account` is the shop's account (None for the platform's own). `live` is False for
    test-mode notices, which a live platform receives too and must ignore (compare with `Gateway.live`).
    `data` is the object as it was at `created`, in another form than ours unless it `is_of_our_version`.
    """

    id: str
    type: str
    account: str | None
    object_id: str
    created: datetime
    live: bool
    data: Mapping[str, Any]
    is_of_our_version: bool = True


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets us speak for a shop's account: `access` until `expires_at`, `refresh` once, for the next."""

    account: str
    access: str
    refresh: str
    expires_at: datetime


class Tokened(Protocol):
    """A provider that gives tokens for a shop's account instead of keeping it under ours."""

    @property
    def code(self) -> str:
        """Its name in our rows."""

    def renew(self, refresh: str) -> Tokens:
        """New tokens for an old one, which is spent. Raises GatewayUnavailable, GatewayRefused."""


class Provider(Protocol):
    """Whoever takes money for a shop. Every method goes over the network: call it between two transactions, never
    inside one.

    All raise GatewayUnavailable or GatewayRefused. `account` is the shop's account: what
    belongs to another account does not exist. `key` names the operation for ever: the same key never acts
    twice, and must come with the same arguments.
    """

    @property
    def live(self) -> bool:
        """Whether real money moves."""

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
        """Open a payment page that charges exactly `amount`, on the shop's account, by `method` and no other.

        `lines` are shown when they add up to `amount`; otherwise `description` stands for all of it.
        `expires_at` lies between SHORTEST_CHECKOUT and LONGEST_CHECKOUT from now; store it with the key,
        since a retry must repeat it. `{CHECKOUT_SESSION_ID}` in `success_url` becomes the page's id.
        `application_fee_minor` is the platform's part.
        """

    def checkout_state(self, account: str, session_id: str) -> CheckoutState:
        """What became of the payment page."""

    def find_checkout(self, account: str, key: str, since: datetime) -> CheckoutRef | None:
        """The payment page opened with `key` at or after `since`, if there is one: the answer to an unknown
        outcome.
        """

    def expire_checkout(self, account: str, session_id: str) -> None:
        """Close the payment page. GatewayRefused when it is not open any more: ask `checkout_state` why."""

    def withdraw(self, account: str, payment_intent: str) -> None:
        """Make a voucher worthless, as far as the provider can. GatewayRefused when its money came already."""

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
        """Send back part or all of a payment; with `return_fee`, the platform's part of it in proportion."""

    def refund_state(self, account: str, refund_id: str) -> RefundState:
        """What became of the refund."""

    def refunds_of(self, account: str, payment_intent: str) -> list[RefundState]:
        """Every refund of a payment, those made outside our pages too; newest first."""

    def payments_between(self, account: str, since: datetime, until: datetime) -> list[Payment]:
        """Everything the provider took on the account from `since` on and before `until`, however it came about."""

    def refunds_between(self, account: str, since: datetime, until: datetime) -> list[RefundState]:
        """Every refund made on the account from `since` on and before `until`, those made outside our pages too."""


class Gateway(Provider, Protocol):
    """The card provider: it keeps accounts for shops, and signs its notices."""

    def create_account(self, shop_name: str, email: str, country: str, key: str) -> AccountRef:
        """Open an account for a shop in `country` (ISO 3166-1 alpha-2). It cannot charge until its owner has
        answered the provider.
        """

    def onboarding_link(self, account: str, return_url: str, refresh_url: str) -> str:
        """The short-lived page where the owner answers the provider; a stale one leads to `refresh_url`."""

    def account_status(self, account: str) -> AccountStatus:
        """What the account may do now."""

    def ask_for(self, account: str, method: str) -> bool:
        """Ask that the account may take a method of ours; whether it may already. Asking again changes nothing."""

    def fee_of_payment(self, account: str, payment_intent: str) -> Fee | None:
        """What the provider kept of a payment; None as long as it does not say."""

    def fee_of_refund(self, account: str, refund_id: str) -> Fee | None:
        """What it gave back of its fees with a refund; None as long as it does not say."""

    def dispute_state(self, account: str, dispute_id: str) -> DisputeState:
        """How a dispute stands."""

    def disputes_between(self, account: str, since: datetime, until: datetime) -> list[DisputeState]:
        """Every dispute that was opened on the account from `since` on and before `until`."""

    def keep_file(self, account: str, name: str, content: bytes) -> str:
        """Hand over a file for a dispute; the provider's name for it. PDF, JPEG or PNG."""

    def stage_evidence(self, account: str, dispute_id: str, evidence: Evidence) -> None:
        """Keep what the shop says with the dispute, without sending it to the bank. Doing it again replaces it."""

    def submit_evidence(self, account: str, dispute_id: str, key: str) -> None:
        """Send what was kept to the bank, once and for all. GatewayRefused when that is not possible any more."""

    def accept_dispute(self, account: str, dispute_id: str, key: str) -> None:
        """Give the dispute up: it is lost. GatewayRefused when it is over already."""

    def payouts(self, account: str) -> list[Payout]:
        """The last ten that the provider sent to the shop's bank, newest first."""

    def verify_webhook(self, raw: bytes, signature: str) -> GatewayEvent:
        """Read a notice. `raw` is the body as received, to the byte; `signature` its header. Raises
        BadSignature.
        """

    def events_since(self, account: str, since: datetime) -> Iterator[GatewayEvent]:
        """What happened on the account from `since` on, newest first: for notices that never arrived. Kept 30
        days.
        """
