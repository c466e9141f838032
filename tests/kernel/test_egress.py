"""The way out: public addresses over https, checked once and connected to as checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import httpx
import pytest

from storefront.kernel.egress import LARGEST_BYTES, Answer, Egress, EgressFailed, EgressRefused, is_public

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "192.0.0.1", "198.18.0.1", "240.0.0.1", "192.0.2.1",
    "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1"]


class Line(httpx.BaseTransport):
    """Stands for the network: notes where a connection would go and answers as told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.sent: list[tuple[str, str, object]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((request.url.host, request.headers["Host"], request.extensions.get("sni_hostname")))
        return self.answer(request)


def _fine(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(b"hola"))


def ask(
    url: str,
    addresses: list[str],
    answer: Callable[[httpx.Request], httpx.Response] = _fine,
    allowed: frozenset[str] = frozenset(),
) -> tuple[Line, Answer | Exception]:
    """What asking for `url` gives when its name has these addresses."""
    line = Line(answer)
    try:
        with Egress(inner=line, resolver=lambda *_: addresses, allowed_hosts=allowed) as egress:
            return line, egress.request("POST", url, json={"a": 1})
    except (EgressRefused, EgressFailed) as error:
        return line, error


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.fault("R24 evershop #928")
def test_no_way_leads_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    line, result = ask("https://shop.example/hook", ["93.184.216.34", address])
    assert isinstance(result, EgressRefused)
    assert line.sent == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to_as_checked_and_verified_by_name(address: str) -> None:
    line, result = ask("https://shop.example/hook", [address])
    assert isinstance(result, Answer)
    assert result.body == b"hola"
    (where, host, verified) = line.sent[0]
    assert ipaddress.ip_address(where) == ipaddress.ip_address(address)
    assert (host, verified) == ("shop.example", "shop.example")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "https://shop.example:8443/", "https://user:pw@shop.example/", "ftp://shop.example/",
        "https:///x", "file:///etc/passwd", "gopher://shop.example/", "//shop.example",
    ],
)  # fmt: skip
def test_only_plain_https_goes_out(url: str) -> None:
    line, result = ask(url, ["93.184.216.34"])
    assert isinstance(result, EgressRefused | EgressFailed)
    assert line.sent == []


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
@pytest.mark.fault("R24 evershop #928")
def test_other_spellings_of_this_machine_are_seen_through(host: str) -> None:
    line = Line(_fine)
    with Egress(inner=line) as egress, pytest.raises((EgressRefused, EgressFailed)):
        egress.request("GET", f"https://{host}/")
    assert line.sent == []


def test_a_second_answer_of_the_name_server_is_never_asked_for() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    line = Line(_fine)
    with Egress(inner=line, resolver=lambda *_: answers.pop(0)) as egress:
        egress.request("GET", "https://shop.example/")
    assert len(answers) == 1
    assert line.sent[0][0] == "93.184.216.34"


@pytest.mark.fault("R24 evershop #928")
def test_a_redirect_is_not_followed() -> None:
    to_inside = lambda _: httpx.Response(302, headers={"Location": "http://169.254.169.254/"})  # noqa: E731
    line, result = ask("https://shop.example/", ["93.184.216.34"], to_inside)
    assert isinstance(result, EgressRefused)
    assert len(line.sent) == 1


def test_an_endless_or_compressed_answer_is_cut_off() -> None:
    endless = lambda _: httpx.Response(200, content=(b"x" * 65_536 for _ in range(LARGEST_BYTES)))  # noqa: E731
    packed = lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"x"))  # noqa: E731
    assert isinstance(ask("https://shop.example/", ["93.184.216.34"], endless)[1], EgressFailed)
    assert isinstance(ask("https://shop.example/", ["93.184.216.34"], packed)[1], EgressFailed)


def test_a_broken_line_is_said_as_one() -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("slow", request=request)

    assert isinstance(ask("https://shop.example/", ["93.184.216.34"], cut)[1], EgressFailed)


def test_a_development_host_is_let_through_only_when_named() -> None:
    _line, result = ask("http://127.0.0.1:5005/hook", ["127.0.0.1"], allowed=frozenset({"127.0.0.1:5005"}))
    assert isinstance(result, Answer)
    assert isinstance(
        ask("http://127.0.0.1:5006/", ["127.0.0.1"], allowed=frozenset({"127.0.0.1:5005"}))[1], EgressRefused
    )
