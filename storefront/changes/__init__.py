"""Changing an order after it was placed: what the shop proposes, what the customer says to it, what follows.

Not here: what things cost (`pricing`), the order's rows and holds (`orders.changing`), its money (`payments.changing`).
"""
