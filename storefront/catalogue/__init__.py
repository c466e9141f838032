"""What the shop sells: products, their variants, pictures and categories, and how customers find them.

Not here: how many there are (inventory), when a service is free (reservations), the order of preference
(personalisation). A published product always has at least one active variant; each price is on a variant.
"""
