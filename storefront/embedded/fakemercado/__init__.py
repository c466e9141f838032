"""A small stand-in for Mercado Pago, for tests and the demo: consent, pages, payments, refunds, and signed notices.

Only what `payments.mercadopago` calls lives here. `state` keeps accounts, tokens, pages and payments in a file when
asked; `api` is the face that the application speaks to, `hosted` the one for people; `notices` tells the shop. A page
may be paid again while it is open, an idempotency key acts once, a token renews once, and nobody sees another account's
things, as there. What it takes and gives was written from their published reference: nobody has held it against the
service itself. No money moves.
"""

from storefront.embedded.fakemercado.app import Mercado, create_fakemercado, mercado_of, running

__all__ = ["Mercado", "create_fakemercado", "mercado_of", "running"]
