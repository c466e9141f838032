"""Customers: people who buy in one shop, their addresses, and the ledger of what they allowed.

The same e-mail in two shops is two customers. Anonymous visitors are not here (personalisation), nor staff (tenants).
"""
