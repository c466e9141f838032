"""Orders that the shop prepares: saved for later, or sent as a link under which the customer completes and confirms.

A draft is a cart of the shop with a row beside it; what it costs and how it becomes an order is decided where that is
decided for every cart.
"""
