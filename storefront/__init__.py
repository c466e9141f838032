"""The commerce engine, the shopper's face and the partner's door.

What decides commerce, or faces the shopper or the courier, lives here. What faces the merchant or the operator,
or is about the account that rents the shop, lives in `tenants/`, which imports this package and is never imported by it
(only the composition root `app.py`, `wiring.py`, `worker.py` and `cli.py` sit above both).
"""
