"""Receipts and credit notes: numbered without gaps for each shop, frozen as they were issued, printed on paper.

Not here: what an order costs (`orders`), what was paid (`payments`). A receipt says what was sold; it is no electronic
invoice, and says so.
"""
