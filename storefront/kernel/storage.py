"""Where files live: a local folder, or any S3-compatible store. Keys begin with the shop's id, so that no key can
name another shop's file by accident, and a shop can be exported or erased by prefix.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import secrets
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app

_KEY = re.compile(r"[1-9]\d{0,18}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){1,6}")


class BadKey(ValueError):
    """The key is not one of ours: a bug or an attempt, never a refusal to show."""


class Missing(LookupError):
    """Nothing is stored under the key."""


def checked_key(key: str) -> str:
    """`key` when it has the shape <shop id>/<part>/…, else raises BadKey. No part starts with a dot: none can climb."""
    if not _KEY.fullmatch(key):
        raise BadKey(key[:80])
    return key


def shop_of(key: str) -> int:
    """The id of the shop a key belongs to. Raises BadKey."""
    return int(checked_key(key).split("/", 1)[0])


class Storage(Protocol):
    """A flat store of whole files by key."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store `content` under `key`, replacing what was there; whole or not at all."""

    def get(self, key: str) -> bytes:
        """The stored bytes. Raises Missing."""

    def delete(self, key: str) -> None:
        """Remove the file; nothing happens when there is none."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under `key`."""

    def keys(self, prefix: str) -> list[str]:
        """Every key in the folder `prefix` ("7/" or "7/img/"), sorted: for exporting and erasing a shop."""


class DiskStorage:
    """Files in a folder. The content type is not kept: readers know it from the name they gave."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._root.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        path = (self._root / checked_key(key)).resolve()
        if not path.is_relative_to(self._root):  # a link planted inside the folder
            raise BadKey(key)
        return path

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write beside the target and rename over it, so that a reader sees the old file or the new, never a part."""
        del content_type
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with draft.open("xb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def get(self, key: str) -> bytes:
        """The file's bytes. Raises Missing."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise Missing(key) from error

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        self._path(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return self._path(key).is_file()

    def keys(self, prefix: str) -> list[str]:
        """The keys below the folder `prefix`."""
        folder = self._path(prefix.rstrip("/") + "/x").parent
        found = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
        return sorted(str(p.relative_to(self._root)) for p in found)


class S3Storage:
    """Objects in an S3-compatible bucket, through obstore (the extra `s3`). Credentials come from the environment."""

    def __init__(self, url: str, options: dict[str, str] | None = None) -> None:
        # Optional dependency: the embedded default must run without it.
        self._obstore: Any = importlib.import_module("obstore")
        stores: Any = importlib.import_module("obstore.store")
        self._store = stores.from_url(url, config=options or None)

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Upload; the store makes it visible whole."""
        self._obstore.put(self._store, checked_key(key), content, attributes={"Content-Type": content_type})

    def get(self, key: str) -> bytes:
        """Download. Raises Missing."""
        try:
            return bytes(self._obstore.get(self._store, checked_key(key)).bytes())
        except FileNotFoundError as error:
            raise Missing(key) from error

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._obstore.delete(self._store, checked_key(key))

    def exists(self, key: str) -> bool:
        """Ask for the object's head."""
        try:
            self._obstore.head(self._store, checked_key(key))
        except FileNotFoundError:
            return False
        return True

    def keys(self, prefix: str) -> list[str]:
        """List the bucket below `prefix`."""
        checked_key(prefix.rstrip("/") + "/x")
        pages = self._obstore.list(self._store, prefix=prefix.rstrip("/") + "/")
        return sorted(str(entry["path"]) for page in pages for entry in page)


def open_storage(url: str, options: dict[str, str] | None = None) -> Storage:
    """The store named by `url`: a folder (plain path or file://) or s3://bucket/prefix.

    `options` are obstore's for S3: endpoint, region, access_key_id, secret_access_key.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return S3Storage(url, options)
    if parts.scheme in {"", "file"}:
        return DiskStorage(Path(unquote(parts.path)))
    raise ValueError(f"no storage speaks {parts.scheme!r}")


def init_storage(app: Flask) -> None:
    """Open the store named by STORAGE_URL (and STORAGE_OPTIONS, for S3) for this application."""
    options: dict[str, str] | None = app.config.get("STORAGE_OPTIONS")
    app.extensions["portales.storage"] = open_storage(str(app.config["STORAGE_URL"]), options)


def storage() -> Storage:
    """The application's store."""
    return cast("Storage", current_app.extensions["portales.storage"])
