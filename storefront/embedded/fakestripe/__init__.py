"""A small stand-in for Stripe's API, for tests and the demo: it keeps state, isolates accounts, signs notices.

Only what `payments.gateway` calls lives here. `contract` checks every request against the parameter types of
Stripe's own library; `state` keeps the objects and the book, on which `accounts`, `checkout`, `vouchers` and `refunds`
act; `webhooks` tells the shop (late, twice or never, when asked to); `faults` fails on purpose; `api`, `hosted` and
`control` are its three faces. No money moves, and no live key gets past the door.

It is not Stripe: fraud and disputes are absent, payouts happen when asked for, and it opens accounts in any country,
which Stripe does not.
"""

from storefront.embedded.fakestripe.app import create_fakestripe
from storefront.embedded.fakestripe.serving import running
from storefront.embedded.fakestripe.standin import Config, StandIn, stand_in_of

__all__ = ["Config", "StandIn", "create_fakestripe", "running", "stand_in_of"]
