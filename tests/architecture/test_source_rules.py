"""The product keeps the rules of the house, and each rule notices what it is for."""

# ruff: noqa: E501 (counterexamples keep their own lines)

from __future__ import annotations

import pytest

from tests.architecture.source_rules import ROOT, RULES, Rule, faults

NAMES = [rule.name for rule in RULES]
BY_NAME = {rule.name: rule for rule in RULES}

BAD = {
    "commits": ["db.session.commit()"],
    "sends": ["send_mail.delay(1)", "task.apply_async()", "celery.send_task('x')"],
    "reads_the_clock": ["datetime.now()", "datetime.utcnow()", "date.today()", "time.time()"],
    "floats_near_money": [
        "price_minor * 1.16", "x = line.price_minor / 3", "float(price_minor)", "round(total_minor, 2)", "Price(price_minor=1.5)",
        "price_minor: float = 1",
    ],
    "silent_looks": ["across_shops()", "across_shops(reason)", "across_shops('')"],
    "made_up_sql": ["text(f'SELECT {x}')", "text('SELECT ' + x)", "connection.exec_driver_sql('SELECT {}'.format(x))"],
    "session_settings": ["run('SET app.tenant_id = 1')", "run('SELECT set_config(%s)')"],
    "ownerless_core": [
        "def f():\n    return select(Order.__table__.c.id).where(1 == 1)",
        "orders = Order.__table__\ndef f():\n    return update(orders).values(note='x')",
    ],
    "free_keys": ["cache().get('home')", "cache().put(f'{shop}', 1, ttl_s=1)", "cache().remember('x', 1, make)"],
    "asks_valkey": ["import redis", "from redis import Redis"],
    "imports_stripe": ["import stripe", "from stripe import Webhook"],
    "uses_signals": ["from blinker import signal", "from flask.signals import request_started"],
    "leaves_work": ["raise NotImplementedError", "raise NotImplementedError('later')"],
}  # fmt: skip
GOOD = {
    "commits": ["with transaction():\n    pass", "repository.commit()"],
    "floats_near_money": ["price_minor * 2", "price_minor // 3", "weight * 1.5"],
    "silent_looks": ["across_shops('the nightly report')"],
    "made_up_sql": ["text('SELECT 1')", "text(QUERY)", "_(f'x')"],
    "ownerless_core": [
        "def f():\n    return select(Order.__table__.c.id).where(Order.__table__.c.tenant_id == 1)",
        "def f():\n    return select(Order.id)",
        "def f():\n    return insert(Order.__table__).values(tenant_id=1)",
    ],
    "free_keys": ["cache().get(cache_key('home'))", "key = cache_key('home')\ncache().get(key)"],
    "reads_the_clock": ["clock.now()"],
}


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_product_keeps_the_rule(rule: Rule):
    assert faults(rule) == [], rule.why


@pytest.mark.parametrize(("name", "source"), [(name, source) for name, sources in BAD.items() for source in sources])
def test_a_rule_notices_what_it_is_for(name: str, source: str):
    assert BY_NAME[name].lines(source, "storefront/x.py") != [], source


@pytest.mark.parametrize(("name", "source"), [(name, source) for name, sources in GOOD.items() for source in sources])
def test_a_rule_lets_honest_code_pass(name: str, source: str):
    assert BY_NAME[name].lines(source, "storefront/x.py") == [], source


def test_every_rule_has_a_counterexample_and_a_reason():
    assert set(BAD) == set(NAMES)
    for rule in RULES:
        assert len(rule.why) > 20
        for path in rule.except_in + tuple(rule.reviewed):
            assert (ROOT / path).exists(), f"{rule.name} speaks of {path}, which is gone"
