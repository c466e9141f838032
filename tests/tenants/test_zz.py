import os
def test_k(app, cast, within, bakery):
    from storefront.kernel.cache import cache, cache_key
    with within(bakery):
        k=cache_key("setup-done", 1); print("V", k, cache()._ask(lambda r: (r.get(k), r.ttl(k))))
        if os.environ.get("WIPE"): cache().forget(k)
