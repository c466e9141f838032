"""Shops' own accounts and the page on which their owners complete them."""

from __future__ import annotations

from typing import Any

from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.desk import Desk, public
from storefront.embedded.fakestripe.state import PLATFORM

LINK_LIFETIME_S = 300
LANDS = {"oxxo": "MX", "boleto": "BR", "pix": "BR", "mx_bank_transfer": "MX"}
"""Where an account must be at home to be paid so."""

DUE = ["business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]


def create_account(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """Open an account that can do nothing until its onboarding is complete."""
    country = params.get("country", "")
    if not (len(country) == 2 and country.isalpha() and country.isupper()):
        raise ApiError(400, f"Country '{country}' is unknown.", code="country_unsupported", param="country")
    if owner != PLATFORM:
        raise ApiError(403, "Only the platform may create accounts.", code="platform_account_required")
    account = desk.state.add(
        "account",
        "acct",
        PLATFORM,
        {
            "business_profile": params.get("business_profile", {}),
            "capabilities": dict.fromkeys(params.get("capabilities", {}), "inactive"),
            "charges_enabled": False,
            "controller": {"type": "application", **params.get("controller", {})},
            "country": country,
            "created": desk.now(),
            "details_submitted": False,
            "email": params.get("email"),
            "metadata": params.get("metadata", {}),
            "payouts_enabled": False,
            "requirements": _requirements(DUE),
            "type": "none",
        },
    )
    return public(account)


def retrieve_account(desk: Desk, owner: str, params: dict[str, Any], account_id: str) -> dict[str, Any]:
    """One account, for the platform or for itself."""
    if owner not in (PLATFORM, account_id):
        raise ApiError(403, "This account may not see that one.", code="account_invalid")
    return public(desk.state.find("account", account_id, PLATFORM, param="account"))


def update_account(desk: Desk, owner: str, params: dict[str, Any], account_id: str) -> dict[str, Any]:
    """Ask for more of what the account may do; the owner of a complete account has it at once."""
    if owner != PLATFORM:
        raise ApiError(403, "Only the platform may change accounts.", code="platform_account_required")
    account = desk.state.find("account", account_id, PLATFORM, param="account")
    for name, wanted in params.get("capabilities", {}).items():
        method = name.removesuffix("_payments")
        if method in LANDS and account["country"] != LANDS[method]:
            raise ApiError(400, f"The country {account['country']} does not support {name}.", param="capabilities")
        if wanted.get("requested"):
            account["capabilities"][name] = "active" if account["charges_enabled"] else "inactive"
    return public(account)


def create_account_link(desk: Desk, owner: str, params: dict[str, Any], base_url: str) -> dict[str, Any]:
    """A page for the owner, good once and for five minutes."""
    if params["type"] != "account_onboarding":
        raise ApiError(400, "The stand-in only knows account_onboarding.", param="type")
    for name in ("return_url", "refresh_url"):
        if not params.get(name, "").startswith(("http://", "https://")):
            raise ApiError(400, "Not a valid URL", code="url_invalid", param=name)
    account = desk.state.find("account", params["account"], PLATFORM, param="account")
    link = desk.state.add(
        "account_link",
        "link",
        PLATFORM,
        {
            "created": desk.now(),
            "expires_at": desk.now() + LINK_LIFETIME_S,
            "_account": account["id"],
            "_return_url": params["return_url"],
            "_refresh_url": params["refresh_url"],
            "_used": False,
        },
    )
    link["url"] = f"{base_url}/setup/{link['id']}"
    # A real link has no id: it is known by its address alone.
    return {name: value for name, value in public(link).items() if name != "id"}


def open_link(desk: Desk, link_id: str) -> dict[str, Any]:
    """What the page behind a link needs. Raises ApiError 404; whether it is still good is in `good`."""
    link = desk.state.find("account_link", link_id, PLATFORM)
    account = desk.state.find("account", link["_account"], PLATFORM)
    return {
        "good": not link["_used"] and link["expires_at"] > desk.now(),
        "account": account["id"],
        "shop_name": account["business_profile"].get("name", ""),
        "return_url": link["_return_url"],
        "refresh_url": link["_refresh_url"],
    }


def use_link(desk: Desk, link_id: str) -> None:
    """The owner answered: the account is complete and the link is spent."""
    link = desk.state.find("account_link", link_id, PLATFORM)
    link["_used"] = True
    complete_account(desk, link["_account"])


def complete_account(desk: Desk, account_id: str) -> dict[str, Any]:
    """Its owner answered everything: the account may charge and be paid out."""
    account = desk.state.find("account", account_id, PLATFORM, param="account")
    if not account["charges_enabled"]:
        account.update(charges_enabled=True, payouts_enabled=True, details_submitted=True)
        account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
        account["requirements"] = _requirements([])
        desk.emit("account.updated", account_id, account)
    return public(account)


def restrict_account(desk: Desk, account_id: str) -> dict[str, Any]:
    """Something is asked again, and until then the account may not charge."""
    account = desk.state.find("account", account_id, PLATFORM, param="account")
    account.update(charges_enabled=False, payouts_enabled=False)
    account["capabilities"] = dict.fromkeys(account["capabilities"], "inactive")
    account["requirements"] = _requirements(["individual.verification.document"])
    desk.emit("account.updated", account_id, account)
    return public(account)


def _requirements(due: list[str]) -> dict[str, Any]:
    return {
        "currently_due": list(due),
        "past_due": list(due),
        "eventually_due": list(due),
        "pending_verification": [],
        "disabled_reason": "requirements.past_due" if due else None,
    }
