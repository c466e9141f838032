"""Who answers what: four plain tables that say how the rooms of this building hang together.

Which page stands on which face, which job follows from which event, who fills the holes that lower floors leave in
their pages, and whose rows speak of a person. Beat jobs register themselves where they are written
(`kernel.jobs.periodic`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Flask

import storefront.cart.jobs
import storefront.customers.jobs
import storefront.inventory.jobs
import storefront.reservations.jobs
from storefront import events
from storefront.cart import personal_data as cart_data
from storefront.cart import views as cart
from storefront.catalogue import views as catalogue
from storefront.changes import jobs as change_jobs
from storefront.changes import personal_data as change_data
from storefront.changes import views as changes
from storefront.checkout import views as checkout
from storefront.customers import personal_data
from storefront.customers import views as customers
from storefront.delivery import jobs as delivery_jobs
from storefront.delivery import partner_api, rider
from storefront.delivery import personal_data as delivery_data
from storefront.delivery import views as delivery
from storefront.drafts import personal_data as draft_data
from storefront.giftcards import personal_data as gift_card_data
from storefront.giftcards import views as gift_cards
from storefront.inventory.bundles import contents
from storefront.inventory.queries import shelf
from storefront.kernel import facts, mail, mail_outbox, metrics, style_page
from storefront.kernel.faces import APP, PARTNERS, PLATFORM, SHOP
from storefront.kernel.jobs import ShopJob
from storefront.kernel.media import media_blueprint_for
from storefront.orders import account as account_orders
from storefront.orders import jobs as order_jobs
from storefront.orders import personal_data as order_data
from storefront.orders import views as orders
from storefront.payments import gift_views, link_views, webhooks
from storefront.payments import jobs as payment_jobs
from storefront.payments import personal_data as payment_data
from storefront.payments import together_views as together
from storefront.payments import views as payments
from storefront.personalisation import jobs as taste_jobs
from storefront.personalisation import personal_data as taste_data
from storefront.personalisation import views as tastes
from storefront.promotions import personal_data as promotion_data
from storefront.receipts import jobs as receipt_jobs
from storefront.receipts import personal_data as receipt_data
from storefront.receipts import views as receipts
from storefront.reservations import personal_data as booking_data
from storefront.reservations import views as reservations
from storefront.returns import jobs as return_jobs
from storefront.returns import personal_data as return_data
from storefront.returns import views as returns
from tenants import accounts, joining, landing, preview, signup
from tenants import jobs as house_jobs
from tenants.dashboard import accounts as desk_accounts
from tenants.dashboard import bank as desk_bank
from tenants.dashboard import bundles as desk_bundles
from tenants.dashboard import catalogue as desk_catalogue
from tenants.dashboard import changes as desk_changes
from tenants.dashboard import closing as desk_closing
from tenants.dashboard import counter as desk_counter
from tenants.dashboard import counter_bookings as desk_counter_bookings
from tenants.dashboard import customers as desk_customers
from tenants.dashboard import delivery as desk_delivery
from tenants.dashboard import deposits as desk_deposits
from tenants.dashboard import differences as desk_differences
from tenants.dashboard import disputes as desk_disputes
from tenants.dashboard import drafts as desk_drafts
from tenants.dashboard import einvoices as desk_einvoices
from tenants.dashboard import exchanges as desk_exchanges
from tenants.dashboard import gift_cards as desk_gift_cards
from tenants.dashboard import gift_sales as desk_gift_sales
from tenants.dashboard import home as desk_home
from tenants.dashboard import hosts as desk_hosts
from tenants.dashboard import inventory as desk_inventory
from tenants.dashboard import links as desk_links
from tenants.dashboard import orders as desk_orders
from tenants.dashboard import parcels as desk_parcels
from tenants.dashboard import parts as desk_parts
from tenants.dashboard import payments as desk_payments
from tenants.dashboard import promotions as desk_promotions
from tenants.dashboard import receipts as desk_receipts
from tenants.dashboard import refunds as desk_refunds
from tenants.dashboard import reservations as desk_reservations
from tenants.dashboard import returns as desk_returns
from tenants.dashboard import settings as desk_settings
from tenants.dashboard import staff as desk_staff
from tenants.dashboard import together as desk_together
from tenants.dashboard import trail as desk_trail
from tenants.platform import views as console

BLUEPRINTS: Mapping[str, Sequence[Blueprint]] = {
    SHOP: (
        catalogue.blueprint,
        cart.blueprint,
        checkout.blueprint,
        orders.blueprint,
        changes.blueprint,
        returns.blueprint,
        payments.blueprint,
        together.blueprint,
        gift_views.blueprint,
        link_views.blueprint,
        reservations.blueprint,
        receipts.blueprint,
        delivery.blueprint,
        gift_cards.blueprint,
        customers.blueprint,
        tastes.blueprint,
        preview.blueprint,
        media_blueprint_for("media_shop"),
    ),
    APP: (
        accounts.blueprint,
        joining.blueprint,
        desk_home.blueprint,
        desk_orders.blueprint,
        desk_changes.blueprint,
        desk_parts.blueprint,
        desk_parcels.blueprint,
        desk_together.blueprint,
        desk_payments.blueprint,
        desk_bank.blueprint,
        desk_refunds.blueprint,
        desk_returns.blueprint,
        desk_exchanges.blueprint,
        desk_differences.blueprint,
        desk_disputes.blueprint,
        desk_receipts.blueprint,
        desk_einvoices.blueprint,
        desk_accounts.blueprint,
        desk_reservations.blueprint,
        desk_catalogue.blueprint,
        desk_inventory.blueprint,
        desk_bundles.blueprint,
        desk_counter.blueprint,
        desk_counter_bookings.blueprint,
        desk_links.blueprint,
        desk_drafts.blueprint,
        desk_promotions.blueprint,
        desk_deposits.blueprint,
        desk_gift_cards.blueprint,
        desk_gift_sales.blueprint,
        desk_delivery.blueprint,
        desk_customers.blueprint,
        desk_settings.blueprint,
        desk_staff.blueprint,
        desk_hosts.blueprint,
        desk_closing.blueprint,
        desk_trail.blueprint,
        media_blueprint_for("media_app", kind="staff"),
    ),
    PARTNERS: (rider.blueprint,),
    PLATFORM: (
        landing.blueprint,
        signup.blueprint,
        console.blueprint,
        webhooks.blueprint,
        metrics.blueprint,
    ),
}
"""Which page stands on which face. The partner API brings its own documented blueprint (`mount`)."""

EVENT_JOBS: Mapping[type, Sequence[ShopJob]] = {
    facts.MailQueued: (mail.deliver,),
    facts.WebhookReceived: (payment_jobs.apply_webhook,),
    events.ShopOpened: (house_jobs.welcome,),
    events.LoginCodeAsked: (storefront.customers.jobs.send_code,),
    events.CustomerSignedIn: (account_orders.welcome_customer,),
    events.OrderPlaced: (order_jobs.send_placed, order_jobs.tell_shop, account_orders.remember_place),
    events.OrderConfirmed: (
        order_jobs.send_confirmed,
        payment_jobs.book_sale,
        delivery_jobs.create_shipment,
        taste_jobs.remember_purchase,
    ),
    events.OrderReady: (order_jobs.send_ready, delivery_jobs.make_ready),
    events.BookingMoved: (order_jobs.send_moved,),
    events.OrderCancelled: (
        order_jobs.send_cancelled,
        payment_jobs.settle_cancelled,
        delivery_jobs.cancel_shipment,
        receipt_jobs.follow_cancellation,
        change_jobs.end_with_order,
    ),
    events.OrderExpired: (order_jobs.send_expired, payment_jobs.give_back, change_jobs.end_with_order),
    events.ChangeProposed: (change_jobs.send_proposed,),
    events.ChangeAnswered: (change_jobs.tell_shop,),
    events.OrderChanged: (change_jobs.send_changed, change_jobs.close_pages),
    events.PaymentSucceeded: (payment_jobs.keep_or_return, delivery_jobs.follow_payment),
    events.PaymentPageLeft: (payment_jobs.close_left_page,),
    events.ReturnAsked: (return_jobs.tell_shop,),
    events.ReturnAnswered: (return_jobs.tell_answer,),
    events.ReturnSettled: (return_jobs.tell_settled,),
    events.ProofSubmitted: (payment_jobs.tell_shop_proof,),
    events.ProofRejected: (payment_jobs.tell_rejected,),
    events.RefundRequested: (payment_jobs.send_back, receipt_jobs.follow_refund),
    events.RefundSettled: (payment_jobs.tell_refunded,),
    events.DisputeOpened: (payment_jobs.tell_shop_dispute,),
    events.AccountsAsked: (receipt_jobs.make_accounts,),
    events.DocumentAsked: (receipt_jobs.send_document,),
    events.ShipmentReady: (delivery_jobs.find_courier,),
    events.OfferEnded: (delivery_jobs.find_courier,),
    events.ParcelTouched: (delivery_jobs.tell_partner,),
    events.ShipmentPickedUp: (delivery_jobs.follow_order, delivery_jobs.tell_on_its_way),
    events.ShipmentDelivered: (delivery_jobs.follow_order, delivery_jobs.tell_delivered),
    events.ShipmentFailed: (delivery_jobs.follow_order,),
}
"""What follows from what: one row of the outbox for each job, in the transaction that makes the event true."""

SLOTS: Mapping[str, Callable[..., Any]] = {
    "home.ranking": tastes.ranking,
    "category.ranking": tastes.ranking,
    "home.booking_search": reservations.search_on_home,
    "shop.why": tastes.why,
    "product.availability": shelf,
    "product.contents": contents,
    "product.booking": reservations.booking_picker,
    "product.related": tastes.beside,
    "product.viewed": tastes.viewed,
    "order.change": changes.change_block,
    "order.return": returns.return_block,
    "order.payment": payments.payment_block,
    "order.refunds": payments.refunds_block,
    "desk.together": desk_together.together_block,
    "order.delivery": delivery.order_delivery,
    "order.receipt": receipts.receipt_block,
    "order.keep_details": customers.keep_details,
    "account.orders": account_orders.account_orders,
    "account.keep_order": account_orders.keep_order,
    "account.signed_in": tastes.signed_in,
    "account.signed_out": tastes.signed_out,
    "account.others_ended": tastes.others_ended,
}
"""Who fills the holes that the pages of lower floors leave for higher ones."""

PERSONAL_DATA: Mapping[str, Any] = {
    "reservations": booking_data,
    "promotions": promotion_data,
    "giftcards": gift_card_data,
    "cart": cart_data,
    "orders": order_data,
    "payments": payment_data,
    "receipts": receipt_data,
    "delivery": delivery_data,
    "changes": change_data,
    "returns": return_data,
    "drafts": draft_data,
    "personalisation": taste_data,
}
"""Whose rows speak of a person, lower floors first: each exports them and erases them."""

TIDYING = (storefront.cart.jobs, storefront.inventory.jobs, storefront.reservations.jobs)
"""Modules that hold beat jobs and are imported for nothing else."""


def mount(app: Flask, *, in_production: bool) -> None:
    """Everything of the four tables, onto an application."""
    for face, blueprints in BLUEPRINTS.items():
        for blueprint in blueprints:
            app.register_blueprint(blueprint, subdomain=face)
    if not in_production:
        app.register_blueprint(mail_outbox.blueprint, subdomain=PLATFORM)
        app.register_blueprint(style_page.blueprint, subdomain=PLATFORM)
    partner_api.init_partner_api(app)
    for name, domain in PERSONAL_DATA.items():
        personal_data.register(name, domain.export, domain.erase)
