"""How many there are: counts by place, what is held for whom, and every change with its cause.

Not here: what is sold and its price (catalogue), places in time (reservations). A variant without a count is made to
order and never runs out. Always 0 <= reserved <= on hand, and every unit on hand is the sum of recorded moves.
"""
