"""A newly published version is picked up without a restart, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs.service.index import Filters
from jobs.service.published import NotPublishedError
from jobs.service.snapshot import Snapshot, SnapshotKeeper
from jobs.small_objects import small_objects
from schemas.settings import S3Settings
from tests.service.shop import KINDS, Shop, make_shop


@pytest.fixture(scope="module")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Published before its index tables existed."""
    return make_shop(tmp_path_factory.mktemp("small"), KINDS[:13], with_index=False)


def keeper_of(shop: Shop, cache: Path) -> SnapshotKeeper:
    root = f"file://{shop.root}"
    return SnapshotKeeper(root, S3Settings(), small_objects(root, S3Settings()), cache, poll_seconds=3600)


def title(snapshot: Snapshot, product_id: str) -> str:
    row = snapshot.details.product(product_id)
    assert row is not None
    return str(row["title"])


def finds(snapshot: Snapshot, query: str) -> list[int]:
    return list(snapshot.index.search(snapshot.understand(query), Filters(), query=query).ordinals)


def test_published_version_is_swapped_whole_and_half_a_night_is_never_seen(small_shop: Shop, tmp_path: Path) -> None:
    shop, keeper = small_shop, keeper_of(small_shop, tmp_path)
    with pytest.raises(NotPublishedError):
        keeper.current()
    assert keeper.refresh()
    first = keeper.current()
    before = title(first, "P001")
    # Without `product_embeddings` the products' own vectors serve.
    assert first.vectors.of(1) is not None

    # Half a night: products are written, the pointer has not moved.
    shop.product("P001")["title"] = "Quokka original"
    shop.write("products")
    assert not keeper.refresh()
    assert keeper.current() is first
    assert title(keeper.current(), "P001") == before
    assert finds(first, "quokka") == []

    shop.publish()
    assert keeper.refresh()
    second = keeper.current()
    assert title(second, "P001") == "Quokka original"
    assert len(finds(second, "quokka")) == 1
    # A request that began with the old version ends with it.
    assert title(first, "P001") == before

    # A version that cannot be read leaves the present one in place, and says so.
    good = {table: DeltaTable(shop.root / table).version() for table in shop.rows}
    shop.publication += 1
    shop.point({**good, "products": 10_000})
    assert not keeper.refresh()
    assert keeper.current() is second
    assert keeper.problem is not None
    assert keeper.failures == 1
    shop.point(good)
    keeper.refresh()
    assert keeper.problem is None

    # A service that starts again takes what is built already.
    built = sorted(path.name for path in tmp_path.iterdir())
    again = keeper_of(shop, tmp_path)
    assert again.refresh()
    assert sorted(path.name for path in tmp_path.iterdir()) == built


def test_tables_without_a_publication_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    keeper = keeper_of(Shop(tmp_path / "tables", tmp_path), tmp_path / "cache")
    assert not keeper.refresh()
    with pytest.raises(NotPublishedError, match="vitrine nightly"):
        keeper.current()
