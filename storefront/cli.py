"""Commands for whoever runs a platform: `flask --app storefront.app <command>`. They print; nothing else here does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext
from flask_migrate import upgrade

from storefront import seeding
from storefront.checkout.invariants import invariants as checkout_faults
from storefront.delivery import partners
from storefront.delivery.invariants import invariants as parcel_faults
from storefront.demo.people import CUSTOMERS, PARTNERS
from storefront.demo.shops import SHOPS
from storefront.giftcards.queries import invariants as card_faults
from storefront.inventory.queries import invariants as inventory_faults
from storefront.kernel.faces import face_url
from storefront.kernel.invariants import invariants as kernel_faults
from storefront.kernel.jobs import REGISTRY, run_tick
from storefront.kernel.tenancy import acting_for, acting_for_partner, directory
from storefront.orders.invariants import invariants as order_faults
from storefront.payments.dispute_queries import invariants as dispute_faults
from storefront.payments.exchanging import invariants as exchange_faults
from storefront.payments.fees import invariants as fee_faults
from storefront.payments.gift_cards import invariants as card_book_faults
from storefront.payments.gift_sales import invariants as gift_faults
from storefront.payments.queries import invariants as payment_faults
from storefront.payments.receiving import invariants as receiving_faults
from storefront.payments.together import invariants as joint_faults
from storefront.promotions.queries import invariants as promotion_faults
from storefront.receipts.queries import faults as receipt_faults
from storefront.reservations.invariants import invariants as booking_faults
from storefront.returns.invariants import invariants as return_faults
from tenants.actions import NewShop, create_operator, open_shop
from tenants.contacts import read_contact
from tenants.people import Credentials

INVARIANTS = (
    inventory_faults,
    booking_faults,
    promotion_faults,
    order_faults,
    payment_faults,
    receiving_faults,
    receipt_faults,
    card_faults,
    card_book_faults,
    return_faults,
    dispute_faults,
    fee_faults,
    parcel_faults,
    joint_faults,
    exchange_faults,
    gift_faults,
    checkout_faults,
)


@click.command("prepare")
@click.option("--cast", type=click.Path(path_type=Path), required=True, help="Where to write who is who in the demo.")
@with_appcontext
def prepare(cast: Path) -> None:
    """Bring the database up to date, and make the demonstration's shops where they are missing."""
    upgrade()
    missing = seeding.missing_shops()
    if missing:
        seeding.seed(click.echo)
    if missing or not cast.exists():
        _write_cast(cast, {})
    elif (written := json.loads(cast.read_text()))["base"] != _base():
        # It was written for another port; the keys in it are still good, and could not be read again.
        _write_cast(cast, {partner["slug"]: partner["api_key"] for partner in written["partners"]})


@click.command("live-demo")
@with_appcontext
def live_demo() -> None:
    """Give the demonstration its pictures, orders and bookings, where they are missing."""
    seeding.bring_to_life(click.echo)


def _base() -> str:
    return face_url("platform", "/").rstrip("/")


def _write_cast(file: Path, keys: dict[str, str]) -> None:
    """Write down the demonstration for scripts. A partner's key can be read only once, so missing ones are made."""
    found = {shop.slug: directory().by_id(shop.id) for shop in map(_known, SHOPS) if shop is not None}
    cast = {
        "base": _base(),
        "dashboard": face_url("app", "/").rstrip("/"),
        "partners_url": face_url("partners", "/").rstrip("/"),
        "mail": face_url("platform", "/dev/outbox"),
        "shops": [
            {"slug": slug, "name": shop.name, "url": shop.base_url, "host": shop.base_url.split("://")[1],
             "status": shop.status}
            for slug, shop in found.items() if shop is not None
        ],
        "staff": [
            {"name": name, "login": seeding.staff_email(name), "password": seeding.PASSWORD, "shop": demo.slug}
            for demo in SHOPS for name in (demo.owner, *demo.staff)
        ],
        "partners": [
            {"slug": slug, "name": name, "shop": home, "rider": rider, "rider_phone": phone, "pin": seeding.PIN,
             "api_key": keys.get(slug) or _new_key(slug)}
            for slug, name, home, rider, phone in PARTNERS
        ],
        "operator": {"name": seeding.OPERATOR[0], "login": seeding.OPERATOR[1], "password": seeding.PASSWORD},
        "customer": {"shop": CUSTOMERS[0].shop, "name": CUSTOMERS[0].name, "email": CUSTOMERS[0].email,
                     "phone": CUSTOMERS[0].phone},
    }  # fmt: skip
    file.touch(mode=0o600)
    file.write_text(json.dumps(cast, indent=2, ensure_ascii=False) + "\n")


def _known(demo: Any) -> Any:
    return directory().by_slug(demo.slug)  # type: ignore[attr-defined]  # the platform's directory also knows slugs


def _new_key(slug: str) -> str:
    partner_id = seeding.partner_id_of(slug)
    if partner_id is None:
        return ""
    with acting_for_partner(partner_id):
        return partners.issue_key("demo")


@click.command("open-shop")
@click.argument("name")
@click.option("--country", default="MX", show_default=True, help="ISO code of the country whose presets it takes.")
@click.option("--contact", required=True, help="The owner's e-mail or telephone.")
@click.password_option(help="The owner's password.")
@with_appcontext
def open_shop_command(name: str, country: str, contact: str, password: str) -> None:
    """Open a draft shop for an owner."""
    opened = open_shop(NewShop(name, country), Credentials(read_contact(contact, country), password))
    click.echo(f"{opened.shop.name} is open as a draft at {opened.shop.base_url}")


@click.command("create-operator")
@click.argument("name")
@click.argument("email")
@click.password_option(help="At least ten characters.")
@with_appcontext
def create_operator_command(name: str, email: str, password: str) -> None:
    """Let somebody run the platform."""
    create_operator(name, email, password)
    click.echo(f"{name} may log in at {face_url('platform', '/consola')}")


@click.command("check-invariants")
@with_appcontext
def check_invariants() -> None:
    """Look for what must never be, in every shop; exits with 1 when something is found."""
    faults = 0
    for shop_id in directory().all_ids():
        shop = directory().by_id(shop_id)
        if shop is None:
            continue
        with acting_for(shop):
            for look in (*INVARIANTS, kernel_faults):
                for fault in look():
                    faults += 1
                    click.echo(f"{shop.slug}: {json.dumps(fault, default=str)}")
    click.echo(f"{faults} faults")
    sys.exit(1 if faults else 0)


@click.command("run-tick")
@click.argument("name")
@with_appcontext
def run_tick_command(name: str) -> None:
    """Run one beat job now, if its time has come. Without a known name, lists them."""
    if name not in REGISTRY.ticks:
        click.echo("\n".join(sorted(REGISTRY.ticks)))
        sys.exit(2)
    click.echo(f"ran for {run_tick(name)}")


def init_cli(app: Flask) -> None:
    """Register the commands."""
    for command in (
        prepare, live_demo, open_shop_command, create_operator_command, check_invariants, run_tick_command,
    ):  # fmt: skip
        app.cli.add_command(command)
