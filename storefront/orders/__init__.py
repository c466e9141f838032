"""What was agreed: frozen lines and prices, and where an order stands on its three axes, moved through one door only.

Not here: money movements (`payments`), parcels (`delivery`), the gathering of what is ordered (`cart`, `checkout`).
Lines are copies, never references to today's catalogue. Every move leaves a row in `order_events`, which nobody may
change.
"""
