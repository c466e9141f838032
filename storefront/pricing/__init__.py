"""What a basket costs: one pure function from lines, rules and place to totals, to the last minor unit.

Not here: which promotions a shop has (`promotions`), what delivery costs (`delivery.rates`), rows, forms, the clock.
"""
