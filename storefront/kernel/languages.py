"""The catalogues of the interface, compiled when the application starts, so that no deployment can forget to."""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

_log = structlog.get_logger(__name__)


def compile_catalogues(folder: Path) -> None:
    """Compile every catalogue under `folder` that has no compiled form or an old one. Read-only disks are logged."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        draft = compiled.with_name(f"{os.getpid()}.mo")
        try:
            with source.open("rb") as po, draft.open("wb") as mo:
                write_mo(mo, read_po(po))
            draft.replace(compiled)  # moved into place, as several processes may be starting at once
        except OSError as error:
            _log.warning("languages.not_compiled", catalogue=source.parts[-3], error=type(error).__name__)
