"""Static files named by their content, so that a browser may keep each one for a year.

A stylesheet that imports its parts (`@import "parts/reset.css";`) and a script that imports its behaviours
(`import "./parts/gallery.js";`) are each served as one file; folders called `parts` are never served alone.
Building takes a fraction of a second and happens when the application starts: nobody runs a build by hand.

The minifiers are timid on purpose. They drop comments and white space and know nothing else, so what we write
is what runs. A script must not rely on the indentation inside a multi-line template literal.
"""

import gzip
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PREFIX = "/static/"
YEAR_S = 365 * 24 * 3600
KEEP_OLD_S = 30 * 24 * 3600
SMALLEST_COMPRESSED = 512
COMPRESSIBLE = frozenset({".css", ".js", ".svg", ".json", ".txt", ".webmanifest"})

_CSS_IMPORT = re.compile(r"""^@import\s+["']([^"']+)["'];[ \t]*$""", re.MULTILINE)
_JS_IMPORT = re.compile(r"""^import\s+["']([^"']+)["'];[ \t]*$""", re.MULTILINE)
_CSS_URL = re.compile(r"""url\(["']?(?!data:|https?:|/|#)([^"')]+)["']?\)""")
_STRING = re.compile(r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*$", re.DOTALL | re.MULTILINE)
_HASHED = r"^.+\.[0-9a-f]{12}\.\w+$"


class Assets:
    """The static files under `static_root`, built into `build_root` (by default `.data/assets` beside it).

    With `watch`, a changed source is built again when its address is next asked for: for development only.
    Raises ValueError when a bundle imports a file that is not there.
    """

    def __init__(self, static_root: Path, build_root: Path | None = None, *, watch: bool = False) -> None:
        self._source = static_root.resolve()
        self._build = _writable(build_root or self._source.parent / ".data" / "assets")
        self._watch = watch
        self._urls: dict[str, str] = {}
        self._stamp = 0
        self._build_all()

    def url(self, path: str) -> str:
        """The address of `path` ("css/shop.css"); KeyError when there is no such file."""
        if self._watch and self._stamp != _latest_change(self._source):
            self._build_all()
        return self._urls[path]

    def wrap(self, app: "WSGIApplication") -> "WSGIApplication":
        """`app` behind a layer that answers `/static/…` by itself, compressed, for a year."""
        wrapped: WSGIApplication = WhiteNoise(
            app,
            root=str(self._build),
            prefix=PREFIX,
            max_age=YEAR_S,
            immutable_file_test=_HASHED,
            allow_all_origins=False,
            autorefresh=self._watch,
        )
        return wrapped

    def _build_all(self) -> None:
        self._stamp = _latest_change(self._source)
        urls: dict[str, str] = {}
        # Pictures first: stylesheets may point to them and need their final names.
        for path in sorted(_served(self._source), key=lambda p: p.suffix in {".css", ".js"}):
            logical = path.relative_to(self._source).as_posix()
            content = self._content(path, urls)
            digest = hashlib.sha256(content).hexdigest()[:12]
            hashed = f"{logical[: -len(path.suffix)]}.{digest}{path.suffix}"
            self._write(hashed, content, compress=path.suffix in COMPRESSIBLE)
            urls[logical] = PREFIX + hashed
        self._urls = urls
        self._forget_old(set(urls.values()))

    def _content(self, path: Path, urls: dict[str, str]) -> bytes:
        if path.suffix == ".css":
            text = minify_css(_inlined(path, _CSS_IMPORT, self._source))
            return _CSS_URL.sub(lambda m: f"url({self._linked(path, m[1], urls)})", text).encode()
        if path.suffix == ".js":
            return minify_js(_inlined(path, _JS_IMPORT, self._source, scoped=True)).encode()
        return path.read_bytes()

    def _linked(self, stylesheet: Path, target: str, urls: dict[str, str]) -> str:
        found = (stylesheet.parent / target).resolve()
        if not found.is_relative_to(self._source) or not found.is_file():
            raise ValueError(f"{stylesheet.name} points to {target}, which is not there")
        return urls[found.relative_to(self._source).as_posix()]

    def _write(self, name: str, content: bytes, *, compress: bool) -> None:
        target = self._build / name
        if target.exists():
            os.utime(target)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # The plain file comes last: its presence tells the next process that the compressed twins are there.
        if compress and len(content) >= SMALLEST_COMPRESSED:
            small = brotli.compress(content, quality=11)  # type: ignore[no-untyped-call]  # it has no stubs
            self._put(target.with_name(target.name + ".br"), small)
            self._put(target.with_name(target.name + ".gz"), gzip.compress(content, 9, mtime=0))
        self._put(target, content)

    def _forget_old(self, current: set[str]) -> None:
        # Older names stay a while: during a deployment an old process still hands out old addresses.
        oldest = time.time() - KEEP_OLD_S
        for path in self._build.rglob("*"):
            name = path.relative_to(self._build).as_posix().removesuffix(".br").removesuffix(".gz")
            if path.is_file() and PREFIX + name not in current and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _put(self, target: Path, content: bytes) -> None:
        """Whole or not at all: several workers may build at the same time, and one may already be listing."""
        handle, name = tempfile.mkstemp(dir=self._build.parent, prefix=".asset-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(target)


def minify_css(text: str) -> str:
    """`text` without comments and idle white space; strings are left alone."""
    pieces = _STRING.split(_COMMENT.sub("", text))
    for index in range(0, len(pieces), 2):
        piece = re.sub(r"\s+", " ", pieces[index])
        piece = re.sub(r" ?([{};,]) ?", r"\1", piece)
        piece = re.sub(r": ", ":", piece)
        pieces[index] = piece.replace(";}", "}")
    return "".join(pieces).strip()


def minify_js(text: str) -> str:
    """`text` without whole-line comments, blank lines and indentation."""
    lines = (line.strip() for line in _BLOCK_COMMENT.sub("", text).split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _inlined(path: Path, pattern: re.Pattern[str], root: Path, *, scoped: bool = False) -> str:
    """The text of `path`, each import replaced by what it names; `scoped` keeps a part's names to itself."""

    def replace(match: re.Match[str]) -> str:
        part = (path.parent / match[1]).resolve()
        if not part.is_relative_to(root) or not part.is_file():
            raise ValueError(f"{path.name} imports {match[1]}, which is not there")
        text = _inlined(part, pattern, root, scoped=scoped)
        return f"{{\n{text}\n}}" if scoped else text

    return pattern.sub(replace, path.read_text(encoding="utf-8"))


def _served(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.is_file() and not path.name.startswith(".") and "parts" not in path.relative_to(root).parts:
            yield path


def _latest_change(root: Path) -> int:
    return max((path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()), default=0)


def _writable(folder: Path) -> Path:
    """`folder`, or a fresh temporary one where the code lives on a read-only disk."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="assets-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="assets-"))
