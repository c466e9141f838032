"""The Celery application, for `celery -A storefront.worker`."""

from storefront.app import create_app

# Celery looks for a name `app` first and would take a Flask application for its own.
celery = create_app().extensions["celery"]
