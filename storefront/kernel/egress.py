"""The one way out to addresses that somebody else chose (webhooks, custom domains).

Only https, no redirects. The name is resolved once, every address it has is checked, and the connection goes to a
checked address while the certificate is still verified against the name: a second answer of a hostile name server
is never asked for.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Refusal

TIMEOUT_S = 5.0
LARGEST_BYTES = 1_000_000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="egress-dns")


class EgressRefused(Refusal):
    """The address is one we do not connect to: not https, not public, or answering with a redirect."""

    message = _l("No podemos conectarnos a esa dirección. Debe ser pública y empezar con https://.")
    status = 422


class EgressFailed(Refusal):
    """The other side did not answer in time, answered too much, or could not be reached."""

    message = _l("La otra dirección no respondió. Inténtalo de nuevo en unos minutos.")
    status = 502


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` holds at most LARGEST_BYTES."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, looking through every way to wrap IPv4 into IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address.teredo is not None or any(address in net for net in _NAT64):
            return False
        if int(address) >> 32 == 0:  # ::a.b.c.d, the deprecated IPv4-compatible form
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def system_resolver(host: str, port: int) -> list[str]:
    """Every address the operating system knows for `host`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _resolve(resolver: Resolver, host: str, port: int) -> list[str]:
    try:
        return _resolvers.submit(resolver, host, port).result(timeout=TIMEOUT_S)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise EgressFailed from error


class GuardedTransport(httpx.BaseTransport):
    """Checks and pins each request's address, then hands it to `inner`. `allowed_hosts` skips the checks for hosts of
    a development set-up (a name or name:port); it stays empty in production."""

    def __init__(
        self, inner: httpx.BaseTransport, *, resolver: Resolver, allowed_hosts: frozenset[str] = frozenset()
    ) -> None:
        self._inner = inner
        self._resolver = resolver
        self._allowed = allowed_hosts

    def _is_allowed(self, url: httpx.URL) -> bool:
        return url.host in self._allowed or f"{url.host}:{url.port}" in self._allowed

    def _pinned(self, url: httpx.URL) -> str:
        if url.scheme != "https" or url.port not in {None, 443} or url.userinfo or not url.host:
            raise EgressRefused
        addresses = _resolve(self._resolver, url.host, 443)
        if not addresses:
            raise EgressFailed
        try:
            checked = [ipaddress.ip_address(text.split("%", 1)[0]) for text in addresses]
        except ValueError as error:
            raise EgressRefused from error
        if not all(is_public(address) for address in checked):
            raise EgressRefused
        return str(checked[0])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` to the address its host was checked to have."""
        if self._is_allowed(request.url):
            return self._inner.handle_request(request)
        address = self._pinned(request.url)
        request.extensions["sni_hostname"] = request.url.host
        request.url = request.url.copy_with(host=address)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class Egress:
    """A client for one or more requests. Use as a context manager."""

    def __init__(
        self,
        *,
        allowed_hosts: frozenset[str] = frozenset(),
        resolver: Resolver = system_resolver,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        transport = inner or httpx.HTTPTransport(trust_env=False, retries=0)
        self._client = httpx.Client(
            transport=GuardedTransport(transport, resolver=resolver, allowed_hosts=allowed_hosts),
            follow_redirects=False,
            timeout=httpx.Timeout(TIMEOUT_S),
            trust_env=False,
            headers={"User-Agent": "Portales", "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Egress:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """Send one request (`headers`, `content`, `json`, `params` as in httpx).

        Raises EgressRefused for an address that is not public https and for redirects, EgressFailed for everything
        that goes wrong on the way, more than five seconds in all, or more than a megabyte of answer.
        """
        deadline = time.monotonic() + TIMEOUT_S
        try:
            with self._client.stream(method, url, **options) as response:
                if response.is_redirect:
                    raise EgressRefused
                body = _read(response, deadline)
                return Answer(response.status_code, dict(response.headers), body)
        except httpx.InvalidURL as error:
            raise EgressRefused from error
        except httpx.HTTPError as error:
            raise EgressFailed from error


def _read(response: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    # Raw bytes: a compressed answer could unfold into gigabytes before its size is seen.
    for chunk in response.iter_raw(65_536):
        body += chunk
        if len(body) > LARGEST_BYTES or time.monotonic() > deadline:
            raise EgressFailed
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise EgressFailed
    return bytes(body)
