"""The one orchestrator: from a cart to a placed order with its payment opened, in one transaction. No table of its own.

Not here: what things cost (`pricing`), what delivery costs (`delivery.rates`), which ways of payment there are
(`payments`), what an order may do next (`orders`). Rules of others are asked, never repeated.
"""
