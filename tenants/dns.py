"""Asking the world's name servers for a TXT record. The one place that does; tests put their own answer in."""

from __future__ import annotations

from typing import Protocol

import dns.exception
import dns.rdatatype
import dns.resolver

PATIENCE_S = 3.0
MOST_RECORDS = 50


class NoAnswer(RuntimeError):
    """The name servers did not answer in time, or not sensibly: nothing is known."""


class TxtResolver(Protocol):
    """Finds the texts published under a name."""

    def texts(self, name: str) -> list[str]:
        """Every TXT record of `name`; none when there is no such name. Raises NoAnswer when nobody could say."""


class PublicDns:
    """The resolver of the operating system, asked at most three seconds."""

    def texts(self, name: str) -> list[str]:
        """Every TXT record of `name`."""
        resolver = dns.resolver.Resolver()
        resolver.lifetime = PATIENCE_S
        try:
            answer = resolver.resolve(name, dns.rdatatype.TXT, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise NoAnswer from error
        records = list(answer)[:MOST_RECORDS]
        return [b"".join(record.strings).decode("utf-8", "replace") for record in records]


_chosen: list[TxtResolver] = []


def use_resolver(resolver: TxtResolver | None) -> None:
    """Ask this one from now on; None goes back to the operating system's."""
    _chosen[:] = [resolver] if resolver else []


def resolver() -> TxtResolver:
    """Whom to ask."""
    return _chosen[0] if _chosen else PublicDns()
