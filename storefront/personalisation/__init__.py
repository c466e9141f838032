"""Personalisation: what somebody likes, said by themselves or seen with their leave, and the order it gives a page.

Here live the tastes, the history, and the counts of what is bought together. Accounts and the ledger of consent are in
`customers`, products in `catalogue`; nothing here decides a price, and nothing is shared between shops.
"""
