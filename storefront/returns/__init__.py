"""Goods that come back after the hand-over: what a customer asks for, what the shop decides, receives and settles.

Not here: what a unit was paid with (`payments.returns`), sending money back (`payments.refunding`), the order's own
rows and stock (`orders.actions`).
"""
