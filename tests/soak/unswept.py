"""The worker's application without the sweep of the outbox: what the must-fail twin of the crash test runs."""

from storefront.worker import celery

del celery.conf.beat_schedule["kernel.sweep_outbox"]
