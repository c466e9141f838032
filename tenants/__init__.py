"""The business around a shop: hosts, sign-up, staff, dashboard, operators.

The scope mechanism itself (who is the current shop, how rows are kept apart) is in `storefront/kernel/tenancy.py`
and `storefront/kernel/db.py`; this package owns the rows and registers the directory that finds them.
Commerce rules do not live here: the dashboard calls the engine's actions.
"""
