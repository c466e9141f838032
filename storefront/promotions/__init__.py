"""What a shop gives away and to whom: coupons and automatic promotions, and a row for each time one was used.

Not here: what a discount takes off a basket (`pricing`), the cart's coupon field (`cart`), the order that uses one up
(`orders`), whether an order is a customer's first (`orders` knows, `checkout` asks).
"""
