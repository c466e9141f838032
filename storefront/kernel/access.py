"""Who may call a view. Every view carries a policy; one without a policy keeps the application from starting.

The kernel knows kinds of visitors only by name. The domains that know customers, staff, riders, partners and operators
register a checker for their kind; `public` needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from storefront.kernel.audit import Actor

PUBLIC = "public"

Checker = Callable[[str | None], ResponseReturnValue | None]
"""Lets the request pass by returning None, sends the person elsewhere by returning a response (a log-in page), or
refuses by raising a Refusal."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Policy:
    """The kind of visitor a view is for, and the permission they need."""

    kind: str
    permission: str | None = None


_checkers: dict[str, Checker] = {}


def access(kind: str, permission: str | None = None) -> Callable[[F], F]:
    """Declare who may call a view function, a method of a MethodView, or (on the class) all of its methods."""

    def declare_policy(view: F) -> F:
        view.__access__ = Policy(kind, permission)  # type: ignore[attr-defined]  # read back by policy_of()
        return view

    return declare_policy


def register_checker(kind: str, checker: Checker) -> None:
    """Let `checker` decide for views of `kind`; called with the permission the view asks for, or None."""
    _checkers[kind] = checker


def current_actor() -> Actor:
    """Who is behind this request: whoever the policy let in, somebody logged in on a public page, or a visitor."""
    known: Actor | None = g.get("actor")
    return known or getattr(current_user, "actor", None) or Actor("visitor", None, "")


def declare(app: Flask, endpoint: str, kind: str, permission: str | None = None) -> None:
    """Give a policy to a view we did not write (a library's own page), by its endpoint."""
    app.extensions.setdefault("access", {})[endpoint] = Policy(kind, permission)


def policy_of(app: Flask, endpoint: str, method: str) -> Policy | None:
    """The policy of one endpoint for one HTTP method; None when nobody declared it."""
    declared: Policy | None = app.extensions.get("access", {}).get(endpoint)
    if declared is not None:
        return declared
    view = app.view_functions[endpoint]
    found: Policy | None = getattr(view, "__access__", None)
    if found is not None:
        return found
    view_class = getattr(view, "view_class", None)
    name = "get" if method == "HEAD" else method.lower()
    handler = getattr(view_class, name, None)
    found = getattr(handler, "__access__", None)
    return found if found is not None else getattr(view_class, "__access__", None)


def current_policy() -> Policy | None:
    """The policy of the view this request matched; None for no match and for static files."""
    if request.endpoint is None or _is_static(request.endpoint):
        return None
    return policy_of(current_app, request.endpoint, request.method)


def _is_static(endpoint: str) -> bool:
    return endpoint == "static" or endpoint.endswith(".static")


def _check_access() -> ResponseReturnValue | None:
    if request.endpoint is None or _is_static(request.endpoint):
        return None
    rule = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return None  # Flask answers itself
    policy = current_policy()
    if policy is None:
        raise RuntimeError(f"the view {request.endpoint} has no access policy")
    if policy.kind == PUBLIC:
        return None
    checker = _checkers.get(policy.kind)
    if checker is None:
        raise RuntimeError(f"nobody checks access for {policy.kind!r}")
    return checker(policy.permission)


def enforce(app: Flask) -> None:
    """Check the policy of every matched view before it runs. Register after the scope of the request is known."""
    app.before_request(_check_access)


def assert_every_view_has_policy(app: Flask) -> None:
    """Refuse to start (RuntimeError naming them) when a route has no policy or nobody checks its kind."""
    faults = []
    for rule in app.url_map.iter_rules():
        if _is_static(rule.endpoint):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            policy = policy_of(app, rule.endpoint, method)
            if policy is None:
                faults.append(f"{method} {rule.endpoint}: no policy")
            elif policy.kind != PUBLIC and policy.kind not in _checkers:
                faults.append(f"{method} {rule.endpoint}: nobody checks {policy.kind!r}")
    if faults:
        raise RuntimeError("views without an access policy: " + "; ".join(faults))
