"""The mechanisms every domain stands on: scope, transactions, money, events, jobs, mail, pictures, HTTP.

No word of commerce lives here, and nothing here imports another of our packages but `embedded` and `config`.
"""
