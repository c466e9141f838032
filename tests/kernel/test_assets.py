"""Static files: one request for each bundle, named by content, small on the wire."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import brotli
import pytest
from werkzeug.test import Client

from storefront.kernel.assets import Assets, minify_css, minify_js

STATIC = Path(__file__).resolve().parents[2] / "static"


def nothing_here(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("404 NOT FOUND", [("Content-Type", "text/plain")])
    return [b"the application"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "css" / "parts").mkdir(parents=True)
    (root / "js" / "parts").mkdir(parents=True)
    (root / "img").mkdir()
    (root / "css" / "a.css").write_text('@layer one;\n@import "parts/b.css";\n')
    (root / "css" / "parts" / "b.css").write_text('/* why */\n.b { color: red; background: url("../img/c.svg"); }\n')
    (root / "js" / "a.js").write_text('// why\nimport "./parts/b.js";\nimport "./parts/c.js";\n')
    (root / "js" / "parts" / "b.js").write_text("const same = 1;\n")
    (root / "js" / "parts" / "c.js").write_text("const same = 2;\n")
    (root / "img" / "c.svg").write_text("<svg/>")
    return root


def test_a_stylesheet_is_served_as_one_file_with_its_pictures_renamed(source: Path) -> None:
    assets = Assets(source)
    body = Client(assets.wrap(nothing_here)).get(assets.url("css/a.css")).text
    assert body == f"@layer one;.b{{color:red;background:url({assets.url('img/c.svg')})}}"


def test_two_behaviours_may_use_the_same_names(source: Path) -> None:
    assets = Assets(source)
    body = Client(assets.wrap(nothing_here)).get(assets.url("js/a.js")).text
    assert body == "{\nconst same = 1;\n}\n{\nconst same = 2;\n}"


def test_the_address_changes_with_a_part_and_the_old_one_still_answers(source: Path) -> None:
    before = Assets(source).url("css/a.css")
    (source / "css" / "parts" / "b.css").write_text(".b { color: blue; }")
    assets = Assets(source)
    assert assets.url("css/a.css") != before
    assert Client(assets.wrap(nothing_here)).get(before).status_code == 200


def test_browsers_keep_a_file_for_a_year_and_get_it_compressed() -> None:
    assets = Assets(STATIC)
    answer = Client(assets.wrap(nothing_here)).get(assets.url("css/shop.css"), headers={"Accept-Encoding": "gzip, br"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "br"
    assert brotli.decompress(answer.data).startswith(b"@layer reset")


def test_parts_and_unknown_names_are_left_to_the_application(source: Path) -> None:
    client = Client(Assets(source).wrap(nothing_here))
    for path in ("/static/css/parts/b.css", "/static/css/a.css", "/static/../pyproject.toml", "/"):
        assert client.get(path).text == "the application"


def test_a_missing_part_stops_the_start(source: Path) -> None:
    (source / "js" / "parts" / "c.js").unlink()
    with pytest.raises(ValueError, match=r"a\.js imports \./parts/c\.js"):
        Assets(source)


def test_a_part_outside_the_folder_is_refused(source: Path) -> None:
    (source.parent / "secret.css").write_text(".secret {}")
    (source / "css" / "a.css").write_text('@import "../../secret.css";\n')
    with pytest.raises(ValueError, match="not there"):
        Assets(source)


def test_an_unknown_asset_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Assets(STATIC).url("css/nobody.css")


def test_a_watched_source_is_built_again(source: Path) -> None:
    assets = Assets(source, watch=True)
    before = assets.url("css/a.css")
    (source / "css" / "parts" / "b.css").write_text(".b { color: blue; }")
    assert assets.url("css/a.css") != before
    assert Client(assets.wrap(nothing_here)).get(assets.url("css/a.css")).text == "@layer one;.b{color:blue}"


def test_minifying_leaves_strings_and_sums_alone() -> None:
    assert minify_css('a::before { content: "{ x ; }"; width: calc(1px + 2px); }') == (
        'a::before{content:"{ x ; }";width:calc(1px + 2px)}'
    )
    assert minify_css(".a .b > :first-child { color : red }") == ".a .b > :first-child{color :red}"
    assert minify_js('  // gone\n  call("// stays"); // stays too\n') == 'call("// stays"); // stays too'


@pytest.mark.parametrize(
    ("path", "most"),
    [("css/shop.css", 9_000), ("css/desk.css", 11_000), ("js/shop.js", 6_000), ("js/desk.js", 6_000)],
)
def test_a_page_stays_light_on_a_slow_line(path: str, most: int) -> None:
    assets = Assets(STATIC)
    content = Client(assets.wrap(nothing_here)).get(assets.url(path)).data
    assert len(gzip.compress(content, 9)) <= most
