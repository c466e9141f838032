"""Servers that come with the checkout: launchers for PostgreSQL and Valkey, a Stripe stand-in, `make run`.

Everything here exists so that a fresh clone runs with nothing installed but Python. Production uses real
servers through `DATABASE_URL` and `BROKER_URL` and needs nothing from this package. It is a leaf: it imports
none of ours.
"""
