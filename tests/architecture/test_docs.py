"""Nothing is left to be written, and what the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b|NotImplemented" + r"Error|[Ll]orem ipsum")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
PRODUCT = [
    path
    for folder in ("storefront", "tenants", "migrations", "templates", "static", "docs")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".html", ".txt", ".css", ".js", ".md"} and "__pycache__" not in path.parts
]
DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def anchors(text: str) -> set[str]:
    """The names a document's headings can be reached by."""
    headings = re.findall(r"^#+\s+(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_nothing_is_left_to_be_written():
    words = ("common_passwords.txt", "reserved_names.txt")
    found = [
        f"{path.relative_to(ROOT)}: {hit.group(0)}"
        for path in PRODUCT
        if path.name not in words
        for hit in LEFT.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert len(PRODUCT) > 200


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_of_documents_lead_somewhere(document: Path):
    text = document.read_text(encoding="utf-8")
    for link in (one or other for one, other in LINK.findall(text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{document.name} points at {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{document.name}: no heading for {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_documents_name_are_there(document: Path):
    named = re.findall(
        r"`((?:storefront|tenants|tests|templates|migrations|docs|static)/[\w./-]*\w)`",
        document.read_text(encoding="utf-8"),
    )
    for path in named:
        assert (ROOT / path).exists(), f"{document.name} names {path}"
