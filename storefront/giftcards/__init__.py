"""Gift cards: what is on each, as rows that only ever grow, and the secret that lets somebody use one.

Not here: what a card means for an order's money and the shop's books (`payments.gift_cards`), the field on the bill
(`checkout`), the owner's screens (`tenants.dashboard`).
"""
