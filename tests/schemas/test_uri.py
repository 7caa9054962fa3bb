"""Addresses of pictures, as feeds really spell them."""

import pytest

from schemas.reasons import ImageError, Reason
from schemas.uri import (
    check_allowed,
    local_path,
    normalize_root,
    normalize_uri,
    s3_location,
    scheme_of,
)

ODD_NAMES = [
    "red shirt.jpg",
    "照片/红色 衬衫.jpg",
    "a#b?c=d&e.jpg",
    "100%.jpg",
    "100%25.jpg",
    "a+b.jpg",
    "été.jpg",
    "e\u0301.jpg",
    "全角\u3000blank.jpg",
    "x:y.jpg",
    "back\\slash.jpg",
    "'quoted'.jpg",
    "👕.png",
]


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("/data/a.jpg", "file:///data/a.jpg"),
        ("file:/data/a.jpg", "file:///data/a.jpg"),
        ("file:///data/a.jpg", "file:///data/a.jpg"),
        ("FILE:///data/a.jpg", "file:///data/a.jpg"),
        ("file://localhost/data/a.jpg", "file:///data/a.jpg"),
        ("/data//b/./../a.jpg", "file:///data/a.jpg"),
        ("//data/a.jpg", "file:///data/a.jpg"),
        ("/../../data/a.jpg", "file:///data/a.jpg"),
        ("/data/.hidden/a.jpg", "file:///data/.hidden/a.jpg"),
        ("file:///data/red%20shirt.jpg", "file:///data/red shirt.jpg"),
        ("file:///data/%E7%85%A7.jpg", "file:///data/照.jpg"),
        ("file:///data/a%2Bb+c.jpg", "file:///data/a+b+c.jpg"),
        ("file:///data/%2e%2e/a.jpg", "file:///a.jpg"),
        ("/data/100%25.jpg", "file:///data/100%2525.jpg"),
        ("s3://shop/a.jpg", "s3://shop/a.jpg"),
        ("s3a://shop/a.jpg", "s3://shop/a.jpg"),
        ("S3N://shop/a.jpg", "s3://shop/a.jpg"),
        ("s3://shop/a%20b.jpg", "s3://shop/a%20b.jpg"),
        ("s3://shop//a//b.jpg", "s3://shop//a//b.jpg"),
        ("s3://shop/a/../b.jpg", "s3://shop/a/../b.jpg"),
    ],
)
def test_canonical_form(raw, canonical):
    assert normalize_uri(raw) == canonical
    assert normalize_uri(canonical) == canonical


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_survive(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    for uri in (normalize_uri(str(path)), normalize_uri(name, str(tmp_path)), normalize_uri(path.as_uri())):
        assert local_path(uri) == path
        assert local_path(uri).read_bytes() == b"x"
        assert normalize_uri(uri) == uri
    for uri in (normalize_uri(f"s3://shop/{name}"), normalize_uri(name, "s3://shop")):
        assert s3_location(uri) == ("shop", name)
        assert normalize_uri(uri) == uri


@pytest.mark.parametrize(
    ("raw", "base", "canonical"),
    [
        ("a/b.jpg", "/feed", "file:///feed/a/b.jpg"),
        ("./a.jpg", "file:///feed/", "file:///feed/a.jpg"),
        ("../a.jpg", "/feed/day", "file:///feed/a.jpg"),
        ("a.jpg", "/", "file:///a.jpg"),
        ("a/b.jpg", "s3://shop", "s3://shop/a/b.jpg"),
        ("./a/./b.jpg", "s3a://shop/feed/", "s3://shop/feed/a/b.jpg"),
        ("a%20b.jpg", "file:///with%20blank", "file:///with blank/a%2520b.jpg"),
        ("/data/a.jpg", "s3://shop", "file:///data/a.jpg"),
        ("s3://other/a.jpg", "/feed", "s3://other/a.jpg"),
    ],
)
def test_relative_to_the_feed(raw, base, canonical):
    assert normalize_uri(raw, base) == canonical


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "\t",
        "/data/a\nb.jpg",
        "/data/a\0b.jpg",
        "file:///data/a%00b.jpg",
        "file:///data/a%0Ab.jpg",
        "file:///data/%ff.jpg",
        "s3://shop/a\x7fb.jpg",
        "/data/\ud800.jpg",
        "/" + "a" * 4096,
        "s3://",
        "s3:///a.jpg",
        "s3://shop",
        "s3://shop/",
        "s3:/shop/a.jpg",
        "s3://key:secret@shop/a.jpg",
        "s3://sh op/a.jpg",
        "s3://shop/" + "照" * 400,
        "file://server/share/a.jpg",
        "file:a.jpg",
        "/",
        "file:///",
        "a.jpg",
        " s3://shop/a.jpg",
        float("nan"),
    ],
)
def test_bad_uris(raw):
    with pytest.raises(ImageError) as caught:
        normalize_uri(raw)
    assert caught.value.reason is Reason.BAD_URI
    assert "secret" not in caught.value.detail
    assert len(caught.value.detail) < 400


def test_relative_key_must_stay_below_its_root():
    with pytest.raises(ImageError) as caught:
        normalize_uri("../other/a.jpg", "s3://shop/feed")
    assert caught.value.reason is Reason.BAD_URI


@pytest.mark.parametrize(
    ("raw", "scheme"),
    [
        ("https://shop.example/a.jpg", "https"),
        ("gs://bucket/a.jpg", "gs"),
        ("abfss://container@account/a.jpg", "abfss"),
        ("data:image/png;base64,AAAA", "data"),
        ("C:\\pictures\\a.jpg", "c"),
        ("dbfs://x/a.jpg", "dbfs"),
    ],
)
@pytest.mark.parametrize("base", [None, "/feed"])
def test_unknown_schemes_are_named(raw, scheme, base):
    with pytest.raises(ImageError) as caught:
        normalize_uri(raw, base)
    assert caught.value.reason is Reason.UNKNOWN_SCHEME
    assert repr(scheme) in caught.value.detail


def test_parts_of_a_uri():
    assert scheme_of("s3://shop/a") == "s3"
    assert scheme_of("file:///a") == "file"
    assert s3_location("s3://shop/a/b#c.jpg") == ("shop", "a/b#c.jpg")
    for wrong in ("/a", "s3a://shop/a", "file:/a"):
        with pytest.raises(ImageError):
            scheme_of(wrong)
    with pytest.raises(ImageError):
        local_path("s3://shop/a")
    with pytest.raises(ImageError):
        s3_location("file:///a")


def allowed(uri, *roots, follow_links=True):
    try:
        check_allowed(uri, roots, follow_links=follow_links)
    except ImageError as error:
        assert error.reason is Reason.OUTSIDE_ALLOWED_ROOTS
        return False
    return True


def test_roots_match_whole_segments():
    assert allowed("file:///data/img/a.jpg", "/data/img")
    assert allowed("file:///data/img/a.jpg", "/data/img/", "s3://shop")
    assert allowed("file:///data/img", "/data/img")
    assert allowed("file:///data/img/a.jpg", "/")
    assert not allowed("file:///data/img2/a.jpg", "/data/img")
    assert not allowed("file:///data/img/../secret.jpg", "/data/img")
    assert allowed("s3://shop/img/a.jpg", "s3a://shop/img/")
    assert allowed("s3://shop/img/a.jpg", "s3://shop")
    assert not allowed("s3://shop/img2/a.jpg", "s3://shop/img")
    assert not allowed("s3://shop2/a.jpg", "s3://shop")
    assert not allowed("s3://shop/img/../secret.jpg", "s3://shop/img")
    assert not allowed("s3://shop/img/a.jpg", "/shop")
    assert allowed("file:///anything")


def test_links_cannot_escape(tmp_path):
    inside, outside = tmp_path / "img", tmp_path / "secret"
    inside.mkdir()
    outside.mkdir()
    (outside / "a.jpg").write_bytes(b"x")
    (inside / "file.jpg").symlink_to(outside / "a.jpg")
    (inside / "folder").symlink_to(outside)
    (inside / "dangling.jpg").symlink_to(outside / "not-yet.jpg")
    (tmp_path / "entry").symlink_to(inside)
    for name in ("file.jpg", "folder/a.jpg", "dangling.jpg"):
        assert not allowed(normalize_uri(f"{inside}/{name}"), str(inside))
        assert allowed(normalize_uri(f"{inside}/{name}"), str(inside), follow_links=False)
        assert allowed(normalize_uri(f"{inside}/{name}"), str(inside), str(outside))
    # A root may itself be reached through a link, by either name.
    for root in ("img", "entry"):
        for way in ("img", "entry"):
            assert allowed(normalize_uri(f"{tmp_path}/{way}/real.jpg"), str(tmp_path / root))
    assert allowed(normalize_uri(f"{inside}/real.jpg"), str(tmp_path / "entry"), follow_links=False)


def test_roots_are_normalized():
    assert normalize_root("s3a://shop/") == "s3://shop"
    assert normalize_root("s3://shop/a/b/") == "s3://shop/a/b"
    assert normalize_root("/data/../img/") == "file:///img"
    assert normalize_root("/") == "file:///"
    assert normalize_root("file:///with%20blank") == "file:///with blank"
    for wrong in ("", "pictures", "gs://bucket", "s3://"):
        with pytest.raises(ImageError):
            normalize_root(wrong)
