"""How gunicorn serves: `gunicorn -c python:storefront.gunicorn "storefront.app:create_app()"`."""

import gc
import os
from pathlib import Path
from typing import Any

# Outside development the world comes in through a proxy on another machine or in another container.
_host = "127.0.0.1" if os.environ.get("ENVIRONMENT", "development") == "development" else "0.0.0.0"  # noqa: S104
bind = f"{os.environ.get('BIND_HOST', _host)}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
keepalive = 5
timeout = 60
# The requests under way when a new version arrives are finished; a proxy stops sending new ones meanwhile.
graceful_timeout = 25
# Workers report that they are alive through a file; on a disk that write can block for seconds.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True
# Loaded once, before the workers are forked, which then share its memory. Nothing may be connected to by then.
preload_app = True
accesslog = None
loglevel = "warning"


def when_ready(_server: Any) -> None:
    """Before the first fork: what is loaded stays for good, and a collector that leaves it alone keeps it shared."""
    gc.collect()
    gc.freeze()
