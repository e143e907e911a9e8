"""Vectors of items in engines, with the attributes as fields that filters may name. Each holds a collection "items",
which takes the place of one that is there; a search by inner product without an approximate index gives our lists."""

from __future__ import annotations

import contextlib
import datetime
import re
from typing import Any

from .._errors import FailedError, InputError, UsageError
from ._catalogue import Catalogue
from ._libraries import library
from ._vectors import arrow_table, unused

COLLECTION = "items"
BATCH = 1000
MILVUS_TEXT, MILVUS_LIST = 65535, 4096  # bytes of a text, values of a list


def write_lancedb(items: Catalogue, folder: str) -> None:
    """A table; the distance "dot" is 1 - score."""
    lancedb = library("lancedb")
    # Through Arrow: from plain lists, LanceDB makes a vector of whole numbers a column of bytes.
    lancedb.connect(folder).create_table(COLLECTION, arrow_table(items), mode="overwrite")


# ---- Qdrant


def write_qdrant(items: Catalogue, folder: str) -> None:
    """A collection of the distance Dot, which is the score. A point's id is the item's where Qdrant allows it; the
    payload "item_id" always has it."""
    qdrant = library("qdrant_client", "qdrant-client")
    models = qdrant.models
    try:
        client = qdrant.QdrantClient(path=folder)
    except RuntimeError as error:  # another client has it open
        raise FailedError(f"{folder}: {error}") from error
    with contextlib.closing(client):
        if client.collection_exists(COLLECTION):
            client.delete_collection(COLLECTION)
        client.create_collection(COLLECTION, vectors_config=models.VectorParams(
            size=items.dim, distance=models.Distance.DOT))
        _without_waiting(client)
        keys, payloads = items.keys().tolist(), _payloads(items)
        for begin in range(0, len(items), BATCH):
            some = slice(begin, begin + BATCH)
            client.upsert(COLLECTION, models.Batch(ids=keys[some], vectors=items.vectors[some].tolist(),
                                                   payloads=payloads[some]))


def _without_waiting(client: Any) -> None:
    """The local mode commits every point by itself, and waits for the disk each time: a hundred points a second."""
    with contextlib.suppress(AttributeError, KeyError):
        client._client.collections[COLLECTION].storage.storage.execute("PRAGMA synchronous = OFF")


def _payloads(items: Catalogue) -> list[dict]:
    payloads = [{"item_id": item} for item in items.ids.tolist()]
    for name, (kind, values) in items.columns.items():
        key = unused(name, ["item_id"])
        for payload, value in zip(payloads, values):
            if value is not None:
                payload[key] = _iso(value) if kind == "time" else value
    return payloads


def _iso(microseconds: int) -> str:
    """As Qdrant's DatetimeRange reads it."""
    try:
        time = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise InputError(f"a time of {microseconds} microseconds since 1970 is in no year from 1 to 9999") from error
    return time.isoformat() + "Z"


# ---- Milvus


def write_milvus(items: Catalogue, path: str) -> None:
    """A collection with a FLAT index of the metric IP, which is the score. Names of fields are letters, digits and
    underscores: others become underscores."""
    if not path.endswith(".db"):
        raise UsageError(f"{path}: pymilvus takes a path for a database only if it ends with .db", "path")
    pymilvus = library("pymilvus")
    library("milvus_lite", "milvus-lite")
    fields = _milvus_fields(items)
    schema, rows = _milvus_schema(pymilvus, items, fields), _milvus_rows(items, fields)
    with contextlib.closing(pymilvus.MilvusClient(path)) as client:
        if client.has_collection(COLLECTION):
            client.drop_collection(COLLECTION)
        index = client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection(COLLECTION, schema=schema, index_params=index)
        for begin in range(0, len(rows), BATCH):
            client.insert(COLLECTION, rows[begin:begin + BATCH])
        client.flush(COLLECTION)


def _milvus_fields(items: Catalogue) -> dict[str, str]:
    """The field of each attribute."""
    fields: dict[str, str] = {}
    for name in items.columns:
        field = re.sub(r"\W", "_", name, flags=re.ASCII)
        field = "_" + field if field[:1].isdigit() or not field else field
        fields[name] = unused(field, ["item_id", "vector", *fields.values()])
    return fields


def _longest(name: str, texts: Any, most: int = MILVUS_TEXT) -> int:
    found = max((len(text.encode()) for text in texts), default=0)
    if found > most:
        raise InputError(f"column '{name}' has a text of {found} bytes, and Milvus holds {most}: train without the "
                         "column, or export to another engine", "format")
    return max(found, 1)


def _milvus_schema(pymilvus: Any, items: Catalogue, fields: dict[str, str]) -> Any:
    kinds = pymilvus.DataType
    schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    if items.numbered:
        schema.add_field("item_id", kinds.INT64, is_primary=True)
    else:
        schema.add_field("item_id", kinds.VARCHAR, is_primary=True, max_length=_longest("item_id", items.ids))
    schema.add_field("vector", kinds.FLOAT_VECTOR, dim=items.dim)
    plain = {"integer": kinds.INT64, "time": kinds.INT64, "real": kinds.DOUBLE, "boolean": kinds.BOOL}
    for name, (kind, values) in items.columns.items():
        there = [value for value in values if value is not None]
        if kind in plain:
            schema.add_field(fields[name], plain[kind], nullable=True)
        elif kind == "list of texts":
            most = max(map(len, there), default=0)
            if most > MILVUS_LIST:
                raise InputError(f"column '{name}' has a list of {most} values, and Milvus holds {MILVUS_LIST}: train "
                                 "without the column, or export to another engine", "format")
            schema.add_field(fields[name], kinds.ARRAY, element_type=kinds.VARCHAR, max_capacity=max(most, 1),
                             max_length=_longest(name, (t for value in there for t in value)), nullable=True)
        else:
            schema.add_field(fields[name], kinds.VARCHAR, max_length=_longest(name, there), nullable=True)
    return schema


def _milvus_rows(items: Catalogue, fields: dict[str, str]) -> list[dict]:
    rows = [{"item_id": item, "vector": vector} for item, vector in zip(items.ids.tolist(), items.vectors)]
    for name, (_, values) in items.columns.items():
        for row, value in zip(rows, values):
            row[fields[name]] = value
    return rows

