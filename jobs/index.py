"""Index: what search and recommendation read of the products, brought up to date in four steps.

`product_embeddings`, then `near_duplicates` of their pictures, then `similar_products` (which leaves other listings of
the same item out), then `search_documents`. Each step computes what changed since the last index (`jobs.index_state`),
stages the rows that differ and commits them in one short MERGE. A small catalogue is computed in this process
(`jobs.index_small`), all of it, for that is sooner done than told to executors.
"""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame

from jobs.index_documents import stage_documents
from jobs.index_duplicates import stage_duplicates
from jobs.index_embeddings import choose_cells, stage_embeddings
from jobs.index_rows import GONE, StagedChanges, commit_changes
from jobs.index_similar import stage_similar
from jobs.index_small import index_small, read_small
from jobs.index_state import IndexState, changes_since, made_with, read_state, write_state
from jobs.run import Run, StageRecord
from jobs.small_objects import SmallObjects
from schemas.contract import Table
from schemas.index_tables import NEAR_DUPLICATES, PRODUCT_EMBEDDINGS, SEARCH_DOCUMENTS, SIMILAR_PRODUCTS

# Stands for the cells of a catalogue that was indexed in this process: one that has grown is indexed anew.
_SMALL = "small"


def index(run: Run, objects: SmallObjects) -> None:
    """Bring the four tables up to date; commits nothing when no product changed.

    Args:
        run: the run; `run.bundle_version` is the version whose products are indexed.
        objects: small objects under the tables root, where the note and the cells are kept.
    """
    with run.stage("index") as record:
        state = read_state(run, objects)
        products = run.store.version("products")
        record.counts = dict.fromkeys(("products_changed", "lists_computed"), 0)
        if state is not None and state.versions["products"] == products:
            return
        if (catalog := read_small(run)) is not None:
            small = index_small(run, catalog)
            for table, changes in small.changes:
                _commit(run, record, table, changes)
            record.counts |= {"products_changed": small.products_changed, "lists_computed": small.lists}
            write_state(objects, IndexState(made_with(run), {"products": products}, run.started_at.isoformat(), _SMALL))
            return
        changed = _changed_products(run, state)
        cells, embedded = choose_cells(run, objects)
        name = cells.digest if len(cells) > 1 else None
        if state is not None and name != state.cells:
            # All rows move to other cells.
            state, changed = None, None
        record.counts["products_changed"] = embedded if changed is None else changed.count()
        if state is not None and not record.counts["products_changed"]:
            # OPTIMIZE made another version of the same rows.
            write_state(
                objects,
                replace(state, versions={**state.versions, "products": products}, at=run.started_at.isoformat()),
            )
            return
        _commit(run, record, PRODUCT_EMBEDDINGS, stage_embeddings(run, changed, cells))
        _commit(run, record, NEAR_DUPLICATES, stage_duplicates(run, _moved_contents(run, state)))
        lists = stage_similar(run, state, cells, embedded)
        record.counts["lists_computed"] = lists.computed
        _commit(run, record, SIMILAR_PRODUCTS, lists.changes)
        _commit(run, record, SEARCH_DOCUMENTS, stage_documents(run, changed))
        followed = ("products", "product_embeddings", "near_duplicates")
        versions = {table: run.store.version(table) for table in followed}
        write_state(objects, IndexState(made_with(run), versions, run.started_at.isoformat(), name))


def _changed_products(run: Run, state: IndexState | None) -> DataFrame | None:
    changes = changes_since(run, "products", state.versions["products"]) if state is not None else None
    return None if changes is None else changes.select("product_id").distinct()


def _moved_contents(run: Run, state: IndexState | None) -> DataFrame | None:
    """Contents of pictures that came or went; None when all are to be looked at.

    A small catalogue is looked at as a whole: that takes less time than to find out what to look at.
    """
    if state is None or state.cells is None:
        return None
    changes = changes_since(run, "product_embeddings", state.versions["product_embeddings"])
    return None if changes is None else changes.where("view >= 0").select("content_sha256").distinct()


def _commit(run: Run, record: StageRecord, table: Table, changes: StagedChanges) -> None:
    commit_changes(run, table, changes)
    record.counts |= {f"{table.name}_written": changes.written, f"{table.name}_deleted": changes.counts[GONE]}


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("index")
