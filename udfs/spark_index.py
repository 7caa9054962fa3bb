"""Spark's side of the index: Arrow batches in, rows of vectors, touched products and lists of similar products out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.arrow import arrow_schema
from schemas.contract import Column
from schemas.index_tables import PRODUCT_EMBEDDINGS, PRODUCT_VIEW, SIMILAR_PRODUCTS
from udfs.similar import REASONS, Lists, Touched, Vectors, similar_lists
from udfs.similar_cells import Cells, Floats, Shards, on_grid

EMBEDDING_COLUMNS = tuple(
    column for column in PRODUCT_EMBEDDINGS.columns if column.name not in ("indexed_at", "run_id")
)
LIST_COLUMNS = tuple(
    column for column in SIMILAR_PRODUCTS.columns if column.name in ("product_id", "neighbors", "pool_floor")
)
TOUCHED_COLUMNS = (
    Column("product_id", "string", "Product whose list may change"),
    Column("cell", "int", "Its cell"),
    Column("touch", "float", "Best cosine with a touched vector"),
)
DEALT = "shard int, rows binary"
"""DDL of rows that were dealt out: who is to have them, and an Arrow stream of them, vectors on the grid as bytes."""
FACTS = ("category", "color", "pattern", "brand")
PICTURE_FACTS = ("image_uri", "content_sha256", "perceptual_hash", "copy_print")

# Rows are collected up to this before they are dealt out, and no more than this is sent as one value.
_DEAL_BYTES = 16 << 20
_SENT_BYTES = 4 << 20

BatchesFunction = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]


def use_one_thread() -> None:
    """A task has one core."""
    import faiss

    faiss.omp_set_num_threads(1)


def matrix(column: pa.Array | pa.ChunkedArray) -> Floats:
    """Vectors (N, D) of an Arrow column of float lists without nulls."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    return values.reshape(len(column), -1) if len(column) else np.zeros((0, 0), dtype=np.float32)


def first_vectors(drawn: pa.Table, most: int) -> Floats:
    """Vectors of the first products by id; the table has product_id and one column of float lists."""
    ids, vectors = drawn.column("product_id"), drawn.drop_columns(["product_id"]).column(0)
    drawn_vectors: Floats = matrix(vectors)[pc.sort_indices(ids).to_numpy()[:most]]
    return drawn_vectors


def float_lists(vectors: Floats) -> pa.ListArray:
    """An Arrow column of float lists from vectors (N, D)."""
    rows, width = vectors.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel(), pa.float32()))


def embedding_batches(cells: Cells) -> BatchesFunction:
    """The function that makes rows of `product_embeddings` in `mapInArrow`.

    It expects product_id, embedding, category, color, pattern, brand, main_image_uri, main_content_sha256,
    bundle_version and `views`: array of structs (view, `PICTURE_FACTS`, embedding) in order.
    """

    def make(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        use_one_thread()
        for batch in batches:
            if batch.num_rows:
                yield pa.RecordBatch.from_pylist(_embedding_rows(batch, cells), schema=arrow_schema(EMBEDDING_COLUMNS))

    return make


def _embedding_rows(batch: pa.RecordBatch, cells: Cells) -> list[dict[str, Any]]:
    products = matrix(batch.column("embedding"))
    views = batch.column("views")
    pictures = views.flatten()
    owners = np.repeat(np.arange(batch.num_rows), pc.list_value_length(views).to_numpy(zero_copy_only=False))
    vectors = matrix(pictures.field("embedding"))
    facts = batch.drop_columns(["embedding", "views"]).to_pylist()
    of_pictures = {name: pictures.field(name).to_pylist() for name in PICTURE_FACTS}
    agreement: list[list[float]] = [[] for _ in facts]
    rows: list[dict[str, Any]] = []
    picture_cells = cells.assign(vectors) if len(vectors) else np.zeros(0, dtype=np.int32)
    for place, owner in enumerate(owners):
        own = {name: values[place] for name, values in of_pictures.items()}
        row = {"view": len(agreement[owner]), **own, "norm": 1.0}
        rows.append(_row(facts[owner], row, vectors[place], int(picture_cells[place])))
        agreement[owner].append(float(vectors[place] @ products[owner]))
    for owner, cell in enumerate(cells.assign(products)):
        own = {
            "image_uri": facts[owner]["main_image_uri"],
            "content_sha256": facts[owner]["main_content_sha256"],
            "perceptual_hash": None,
            "copy_print": None,
        }
        # The mean of unit vectors is as long as its mean cosine with them.
        norm = float(np.mean(agreement[owner])) if agreement[owner] else 1.0
        rows.append(_row(facts[owner], {"view": PRODUCT_VIEW, **own, "norm": norm}, products[owner], int(cell)))
    return rows


def _row(facts: dict[str, Any], own: dict[str, Any], vector: Floats, cell: int) -> dict[str, Any]:
    row = {
        "product_id": facts["product_id"],
        **own,
        "cell": cell,
        **{name: facts[name] for name in (*FACTS, "bundle_version")},
    }
    told = hashlib.blake2b(repr(sorted(row.items())).encode() + vector.tobytes(), digest_size=8)
    return {**row, "vector": vector, "input_hash": told.hexdigest()}


def touched_batches(touched: Touched, cells: Cells) -> BatchesFunction:
    """The function that finds products whose lists may change in `mapInArrow`: product_id, vector, cell in."""

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            own = batch.column("cell").to_numpy(zero_copy_only=False).astype(np.int32)
            best = touched.best(matrix(batch.column("vector")), own, cells) if batch.num_rows else np.zeros(0)
            here = np.flatnonzero(best > -3)
            if len(here):
                columns = [batch.column("product_id").take(here), pa.array(own[here]), pa.array(best[here])]
                yield pa.RecordBatch.from_arrays(columns, schema=arrow_schema(TOUCHED_COLUMNS))

    return find


def dealt_batches(shards: Shards) -> BatchesFunction:
    """The function that deals rows out to shards in `mapInArrow`: `DEALT`, each row for all that need it.

    It expects product_id, vector, cell, is_wanted and whatever else `similar_group` does. The JVM copies an array
    number by number, and a row field by field, each time that it passes them on; many rows in one value of bytes it
    copies at once. On the grid a number takes two bytes.
    """
    homes, needs = shards.home, shards.needed

    def deal(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in _collected(batches):
            cells = rows.column("cell").to_numpy()
            wanted = rows.column("is_wanted").to_numpy() & (homes[cells] >= 0)
            for shard in range(len(shards)):
                here = np.flatnonzero(needs[shard][cells])
                at_home = pa.array(wanted[here] & (homes[cells[here]] == shard))
                own = rows.take(here).set_column(rows.schema.get_field_index("is_wanted"), "is_wanted", at_home)
                for sent in _streams(own):
                    columns = [pa.array([shard], pa.int32()), pa.array([sent], pa.binary())]
                    yield pa.RecordBatch.from_arrays(columns, names=["shard", "rows"])

    return deal


def _collected(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together, with the vectors as bytes: whole numbers of 16 bits in units of the grid, `on_grid`."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            held.append(_with_grid(batch))
        if sum(one.nbytes for one in held) >= _DEAL_BYTES:
            yield pa.Table.from_batches(held).combine_chunks()
            held = []
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def _with_grid(batch: pa.RecordBatch) -> pa.RecordBatch:
    grid = on_grid(matrix(batch.column("vector"))).astype(np.int16)
    width = pa.binary(grid.shape[1] * grid.itemsize)
    column = pa.FixedSizeBinaryArray.from_buffers(width, len(grid), [None, pa.py_buffer(grid)])
    return batch.drop_columns(["vector"]).append_column("on_grid", column)


def _grid(column: pa.FixedSizeBinaryArray) -> NDArray[np.int16]:
    width = column.type.byte_width // 2
    numbers = np.frombuffer(column.buffers()[1], dtype=np.int16)
    return numbers[column.offset * width :][: len(column) * width].reshape(len(column), width)


def _streams(rows: pa.Table) -> Iterator[bytes]:
    """The rows as Arrow streams of limited size."""
    parts = -(-rows.nbytes // _SENT_BYTES)
    most = max(1, -(-rows.num_rows // max(1, parts)))
    for start in range(0, rows.num_rows, most):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows.slice(start, most))
        yield sink.getvalue().to_pybytes()


def similar_group(cells: Cells, spread: float) -> Callable[[pa.Table], pa.Table]:
    """The function that makes the lists of a shard in `applyInArrow`: `LIST_COLUMNS`, of the rows dealt to it.

    The streams hold product_id, on_grid, cell, category, color, pattern, brand, item (string, null: none known) and
    is_wanted.
    """

    def make(dealt: pa.Table) -> pa.Table:
        use_one_thread()
        streams = [one for chunk in dealt.column("rows").chunks for one in chunk]
        rows = pa.concat_tables([pa.ipc.open_stream(one.as_buffer()).read_all() for one in streams])
        grid = np.concatenate([_grid(chunk) for chunk in rows.column("on_grid").chunks])
        return _similar_lists(rows.drop_columns(["on_grid"]), grid, cells, spread)

    return make


def similar_table(products: pa.Table, cells: Cells, spread: float) -> pa.Table:
    """The lists of all products of a catalogue in one table: as `similar_group`, with `vector` for on_grid."""
    grid = on_grid(matrix(products.column("vector")))
    return _similar_lists(products.drop_columns(["vector"]), grid, cells, spread)


def _similar_lists(rows: pa.Table, grid: NDArray[np.generic], cells: Cells, spread: float) -> pa.Table:
    """Lists of rows whose vectors are on the grid, (N, D) numbers of any type."""
    order = pc.sort_indices(rows.column("product_id"))
    ordered = rows.take(order)
    shard = Vectors(
        grid=grid[order.to_numpy()].astype(np.float32, copy=False),
        cells=ordered.column("cell").to_numpy().astype(np.int32),
        wanted=ordered.column("is_wanted").to_numpy().astype(bool),
        facts=np.stack([_codes(ordered.column(name)) for name in FACTS], axis=1),
        items=_codes(ordered.column("item")),
    )
    ids = ordered.column("product_id").combine_chunks()
    parts = [_list_columns(ids, part) for part in similar_lists(shard, cells, spread=spread)]
    return pa.concat_tables(parts) if parts else arrow_schema(LIST_COLUMNS).empty_table()


def _codes(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    indices = pc.dictionary_encode(column).combine_chunks().indices
    return np.asarray(indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _list_columns(ids: pa.Array, lists: Lists) -> pa.Table:
    starts = np.concatenate([[0], np.cumsum(lists.lengths)]).astype(np.int32)
    ranks = np.arange(starts[-1], dtype=np.int32) - np.repeat(starts[:-1], lists.lengths) + 1
    schema = arrow_schema(LIST_COLUMNS)
    fields = schema.field("neighbors").type.value_type
    values = {
        "product_id": ids.take(pa.array(lists.neighbors)),
        "rank": pa.array(ranks, pa.int32()),
        "score": pa.array(lists.scores, pa.float32()),
        "reason": pa.array(REASONS).take(pa.array(lists.reasons)),
    }
    neighbors = pa.StructArray.from_arrays([values[field.name] for field in fields], fields=list(fields))
    columns = {
        "product_id": ids.take(pa.array(lists.products)),
        "neighbors": pa.ListArray.from_arrays(pa.array(starts), neighbors),
        "pool_floor": pa.array(lists.floors, pa.float32()),
    }
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
