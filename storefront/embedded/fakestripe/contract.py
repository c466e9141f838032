"""What a request may say: Stripe's form encoding read back, and checked against the library's own types.

Those TypedDicts are generated from Stripe's description of its API, so an unknown, misspelt or removed
parameter is refused here as it would be there. They let any value of an enumeration pass; the verbs check
the few that matter.
"""

from __future__ import annotations

import importlib
import re
import typing
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any

import stripe._request_options as request_options
import typing_extensions
from pydantic import ConfigDict, TypeAdapter, ValidationError

PAGING = frozenset({"created", "limit", "starting_after"})
OPERATIONS: dict[str, tuple[str, str, frozenset[str]]] = {
    "accounts.create": (
        "_account_create_params",
        "AccountCreateParams",
        frozenset({"business_profile", "capabilities", "controller", "country", "email", "metadata"}),
    ),
    "accounts.retrieve": ("_account_retrieve_params", "AccountRetrieveParams", frozenset()),
    "accounts.update": ("_account_update_params", "AccountUpdateParams", frozenset({"capabilities"})),
    "account_links.create": (
        "_account_link_create_params",
        "AccountLinkCreateParams",
        frozenset({"account", "type", "return_url", "refresh_url"}),
    ),
    "sessions.create": (
        "checkout._session_create_params",
        "SessionCreateParams",
        frozenset(
            {
                "mode",
                "line_items",
                "success_url",
                "cancel_url",
                "client_reference_id",
                "metadata",
                "expires_at",
            }
            | {"locale", "allowed_payment_method_types", "payment_intent_data", "customer_email"}
            | {"payment_method_options", "customer"}
        ),
    ),
    "sessions.retrieve": ("checkout._session_retrieve_params", "SessionRetrieveParams", frozenset({"expand"})),
    "sessions.expire": ("checkout._session_expire_params", "SessionExpireParams", frozenset()),
    "sessions.list": (
        "checkout._session_list_params",
        "SessionListParams",
        PAGING | {"payment_intent", "status"},
    ),
    "payment_intents.retrieve": (
        "_payment_intent_retrieve_params",
        "PaymentIntentRetrieveParams",
        frozenset(),
    ),
    "payment_intents.cancel": ("_payment_intent_cancel_params", "PaymentIntentCancelParams", frozenset()),
    "charges.list": ("_charge_list_params", "ChargeListParams", PAGING | {"payment_intent", "expand"}),
    "disputes.list": ("_dispute_list_params", "DisputeListParams", PAGING | {"payment_intent", "charge"}),
    "disputes.retrieve": ("_dispute_retrieve_params", "DisputeRetrieveParams", frozenset()),
    "disputes.update": ("_dispute_update_params", "DisputeUpdateParams", frozenset({"evidence", "submit"})),
    "disputes.close": ("_dispute_close_params", "DisputeCloseParams", frozenset()),
    "customers.create": ("_customer_create_params", "CustomerCreateParams", frozenset({"metadata"})),
    "cash_balance.retrieve": (
        "_customer_cash_balance_retrieve_params",
        "CustomerCashBalanceRetrieveParams",
        frozenset(),
    ),
    "cash_balance_transactions.list": (
        "_customer_cash_balance_transaction_list_params",
        "CustomerCashBalanceTransactionListParams",
        PAGING - {"created"},
    ),
    "files.create": ("_file_create_params", "FileCreateParams", frozenset({"purpose", "file"})),
    "payouts.list": ("_payout_list_params", "PayoutListParams", PAGING),
    "refunds.create": (
        "_refund_create_params",
        "RefundCreateParams",
        frozenset({"payment_intent", "charge", "amount", "metadata", "reason", "refund_application_fee"})
        | {"customer", "currency", "origin"},
    ),
    "refunds.retrieve": ("_refund_retrieve_params", "RefundRetrieveParams", frozenset({"expand"})),
    "refunds.list": ("_refund_list_params", "RefundListParams", PAGING | {"payment_intent", "charge", "expand"}),
    "events.retrieve": ("_event_retrieve_params", "EventRetrieveParams", frozenset()),
    "events.list": ("_event_list_params", "EventListParams", PAGING | {"type", "types"}),
}
"""Each operation that we answer: where the library describes its parameters, and those of them that the
stand-in acts on.

A parameter that Stripe knows and the stand-in would ignore is refused too: silence would be a lie about what
was tested.
"""

REMOVED = {"payment_method_types": "payment_method_types_no_longer_supported"}
_OPTIONS = frozenset(request_options.RequestOptions.__annotations__)
_KEY_PART = re.compile(r"[^\[\]]+")
_CODES = {
    "extra_forbidden": ("parameter_unknown", "Received unknown parameter: {0}"),
    "missing": ("parameter_missing", "Missing required param: {0}."),
    "int_parsing": ("parameter_invalid_integer", "Invalid integer: {1}"),
    "int_type": ("parameter_invalid_integer", "Invalid integer: {1}"),
}


class ApiError(Exception):
    """An answer in Stripe's error shape. `stored` says whether an idempotency key remembers it.

    Refused parameters are not remembered, since nothing had begun; what fails on the state of things is.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        stored: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.stored = stored
        details = {"code": code, "message": message, "param": param, "type": kind}
        self.body = {"error": {name: value for name, value in details.items() if value is not None}}


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn `line_items[0][quantity]=2` back into nested dicts and lists."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        path = _KEY_PART.findall(name)
        node = tree
        for part in path[:-1]:
            step = node.setdefault(part, {})
            if not isinstance(step, dict):
                raise ApiError(400, f"Invalid parameter: {name}", param=name)
            node = step
        node[path[-1] if path else name] = value
    return {name: _listed(name, value) for name, value in tree.items()}


def _listed(name: str, node: Any) -> Any:
    """Dicts whose keys are 0, 1, 2 … are lists, except in metadata, where any key is a name."""
    if not isinstance(node, dict) or name == "metadata":
        return node
    inner = {key: _listed(key, value) for key, value in node.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def check(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with numbers and booleans read, or ApiError 400 naming the first that Stripe would
    refuse.
    """
    for name in params:
        if name in REMOVED:
            raise ApiError(400, f"The parameter {name} is no longer supported.", code=REMOVED[name], param=name)
        if name in _OPTIONS:
            # The library's types carry the request options too; on the wire those are headers.
            raise ApiError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    try:
        checked: dict[str, Any] = _adapter(operation).validate_python(params)
    except ValidationError as error:
        first = error.errors()[0]
        steps = [str(step) for step in first["loc"]]
        param = steps[0] + "".join(f"[{step}]" for step in steps[1:])
        code, sentence = _CODES.get(first["type"], ("parameter_invalid", "Invalid {0}"))
        raise ApiError(400, sentence.format(param, first["input"]), code=code, param=param) from error
    refuse_beyond(OPERATIONS[operation][2], checked)
    return checked


def refuse_beyond(supported: Iterable[str], given: Iterable[str], within: str = "") -> None:
    """ApiError for the first parameter that Stripe would act on and the stand-in would not."""
    for name in sorted(set(given) - set(supported)):
        param = f"{within}[{name}]" if within else name
        raise ApiError(400, f"The stand-in does not act on {param}.", code="stand_in_unsupported", param=param)


@cache
def _adapter(operation: str) -> TypeAdapter[Any]:
    """Pydantic over the library's TypedDict, told to forbid what it does not know."""
    module_name, type_name, _ = OPERATIONS[operation]
    module = importlib.import_module(f"stripe.params.{module_name}")
    # The library imports this name for type checkers only; pydantic needs something there.
    vars(request_options)["StripeContext"] = str
    names = {
        **vars(typing),
        **vars(typing_extensions),
        **vars(module),
        "StripeContext": str,
        "Decimal": Decimal,
    }
    for described in vars(module).values():
        if typing_extensions.is_typeddict(described):
            described.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    adapter = TypeAdapter(vars(module)[type_name])
    adapter.rebuild(_types_namespace=names)
    return adapter
