"""Who answers what (interim: collects what exists; the lead replaces it by plain dicts)."""
# ruff: noqa
from __future__ import annotations
import importlib, importlib.util
from storefront import events
from storefront.kernel import facts

FACES = {
  "shop": ["storefront.catalogue.views","storefront.cart.views","storefront.checkout.views","storefront.orders.views","storefront.payments.views",
           "storefront.reservations.views","storefront.delivery.views","storefront.customers.views","storefront.personalisation.views","tenants.preview"],
  "app": ["tenants.dashboard.home","tenants.dashboard.catalogue","tenants.dashboard.inventory","tenants.dashboard.orders","tenants.dashboard.payments","tenants.dashboard.reservations",
          "tenants.dashboard.delivery","tenants.dashboard.customers","tenants.dashboard.personalisation","tenants.dashboard.settings","tenants.dashboard.staff","tenants.accounts",
          "tenants.joining","tenants.dashboard.closing","tenants.dashboard.hosts","tenants.dashboard.trail"],
  "partners": ["storefront.delivery.rider"],
  "platform": ["tenants.signup","tenants.landing","tenants.platform.views","storefront.payments.webhooks"],
}
DOMAINS = ["catalogue","inventory","customers","reservations","cart","orders","payments","delivery","checkout","personalisation"]
def _maybe(name):
    try:
        if importlib.util.find_spec(name) is None: return None
    except ModuleNotFoundError: return None
    try: return importlib.import_module(name)
    except Exception as e:
        import sys; print("interim wiring: not importable yet:", name, "-", e, file=sys.stderr); return None
for m in ["storefront.kernel.mail","storefront.kernel.sessions","storefront.kernel.outbox","storefront.kernel.inbox","storefront.kernel.idempotency","storefront.kernel.audit","tenants.models"]: _maybe(m)
for d in DOMAINS:
    for part in ("models","actions","queries","jobs"): _maybe(f"storefront.{d}.{part}")
BLUEPRINTS = {face: [m.blueprint for m in map(_maybe, names) if m is not None] for face, names in FACES.items()}
# each domain's jobs module may export ANSWERS: dict[event type -> list[ShopJob]] and SLOTS: dict[str, callable]
from storefront.kernel import mail as _mail, media as _media, metrics as _metrics, mail_outbox as _mo
BLUEPRINTS["shop"].append(_media.media_blueprint_for("media_shop")); BLUEPRINTS["app"].append(_media.media_blueprint_for("media_app", kind="staff"))
BLUEPRINTS["platform"] += [_metrics.blueprint]
EVENT_JOBS: dict = {facts.MailQueued: [_mail.deliver]}
SLOTS: dict = {}
for d in DOMAINS:
    for part in ("jobs","slots","account"):
        m = _maybe(f"storefront.{d}.{part}")
        if m is None: continue
        for ev, jobs in getattr(m, "ANSWERS", {}).items(): EVENT_JOBS.setdefault(ev, []).extend(jobs)
        SLOTS.update(getattr(m, "SLOTS", {}))
for d in DOMAINS:
    v = _maybe(f"storefront.{d}.views")
    if v: SLOTS.update(getattr(v, "SLOTS", {}))
def mount(app):
    m = _maybe("storefront.delivery.partner_api")
    for fn in ("init_partner_api", "mount"):
        if m and hasattr(m, fn): getattr(m, fn)(app); break
_tj = _maybe("tenants.jobs")
if _tj:
    for ev, jobs in _tj.ANSWERS.items(): EVENT_JOBS.setdefault(ev, []).extend(jobs)
from storefront.customers import personal_data as _pd
for d in ["reservations","cart","orders","payments","delivery","personalisation"]:  # lower floors first; erasing runs in reverse
    m = _maybe(f"storefront.{d}.personal_data")
    if m: _pd.register(d, m.export, m.erase)
