"""How money reaches a shop and how it returns: attempts, refunds, transfer proofs, the ledger, and the door
to the card provider.

Not here: what is bought and whether it is still wanted (`orders`), what a basket costs (`pricing`), the
buying of it (`checkout`), who may review a proof (`tenants`). `gateway` alone speaks to Stripe; everything
else knows `provider`.
"""
