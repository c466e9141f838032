"""Files by key: whole or not at all, and never outside the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from storefront.kernel.storage import BadKey, DiskStorage, Missing, S3Storage, Storage, open_storage, shop_of


@pytest.fixture(params=["disk", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "disk":
        return DiskStorage(tmp_path / "media")
    pytest.importorskip("obstore")
    return S3Storage("memory:///")


def test_what_is_put_can_be_got_replaced_listed_and_deleted(store: Storage) -> None:
    store.put("7/img/a/400.webp", b"uno", "image/webp")
    store.put("7/img/a/400.webp", b"dos", "image/webp")
    store.put("70/img/b/400.webp", b"tres", "image/webp")

    assert store.get("7/img/a/400.webp") == b"dos"
    assert store.exists("7/img/a/400.webp")
    assert store.keys("7/") == ["7/img/a/400.webp"]

    store.delete("7/img/a/400.webp")
    store.delete("7/img/a/400.webp")
    assert not store.exists("7/img/a/400.webp")
    with pytest.raises(Missing):
        store.get("7/img/a/400.webp")


@pytest.mark.parametrize(
    "key",
    [
        "", "/etc/passwd", "7", "7/", "7/../8/x", "../x", "7/a/../../x", "7/./x", "7//x", "7/.hidden", "7/a\x00b",
        "0/x", "7/a b", "7/a\\b", "x/y", "7/a/%2e%2e/b", "7/ñ", "-7/x", "7/" + "a/" * 30 + "b", "7/x\n",
    ],
)  # fmt: skip
def test_no_key_leads_out_of_the_shops_folder(store: Storage, key: str) -> None:
    for act in (lambda: store.put(key, b"x", "text/plain"), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(BadKey):
            act()


def test_a_link_planted_in_the_folder_is_not_followed_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secreto")
    store = DiskStorage(tmp_path / "media")
    (tmp_path / "media" / "7").mkdir()
    (tmp_path / "media" / "7" / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(BadKey):
        store.get("7/link")


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStorage(tmp_path)
    store.put("7/x", b"antes", "text/plain")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))

    with pytest.raises(OSError, match="disk full"):
        store.put("7/x", b"despues", "text/plain")

    assert store.get("7/x") == b"antes"
    assert store.keys("7/") == ["7/x"]
    assert [p.name for p in (tmp_path / "7").iterdir()] == ["x"]


def test_a_key_names_its_shop() -> None:
    assert shop_of("7/img/a") == 7
    with pytest.raises(BadKey):
        shop_of("../7/img/a")


def test_a_store_is_opened_by_its_address(tmp_path: Path) -> None:
    assert isinstance(open_storage(str(tmp_path)), DiskStorage)
    assert isinstance(open_storage(f"file://{tmp_path}"), DiskStorage)
    with pytest.raises(ValueError, match="ftp"):
        open_storage("ftp://x/y")
