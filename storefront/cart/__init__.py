"""What somebody is about to order: goods and reservations side by side, priced anew at each look, tax inside.

Not here: prices themselves (`catalogue`), quantities in stock, which nobody holds before ordering (`inventory`), held
times (`reservations`), the placing of an order (`checkout`), delivery prices (`delivery`).
"""
