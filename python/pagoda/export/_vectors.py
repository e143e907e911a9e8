"""Vectors of items in files that other programs open."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._catalogue import Catalogue
from ._libraries import library


def write_npy(items: Catalogue, folder: str) -> None:
    """vectors.npy, and beside it ids.npy, or ids.txt for ids that are texts."""
    os.makedirs(folder, exist_ok=True)
    items.write_ids(os.path.join(folder, "ids"))
    np.save(os.path.join(folder, "vectors.npy"), items.vectors)


def write_safetensors(items: Catalogue, path: str) -> None:
    """vectors [n, dim]; ids [n], or, for texts, their bytes in UTF-8 and where each begins and ends."""
    numpy = library("safetensors.numpy", "safetensors")
    tensors = {"vectors": np.ascontiguousarray(items.vectors)}  # its writer scrambles views
    if items.numbered:
        tensors["ids"] = np.ascontiguousarray(items.ids)
    else:
        texts = [text.encode() for text in items.ids]
        tensors["ids.bytes"] = np.frombuffer(b"".join(texts), dtype=np.uint8).copy()
        tensors["ids.offsets"] = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    numpy.save_file(tensors, path, metadata={"score": "inner product"})


_ARROW = {"text": "string", "decimal": "string", "integer": "int64", "real": "float64", "boolean": "bool_"}


def arrow_table(items: Catalogue) -> Any:
    """item_id, vector, and the attributes by their names."""
    arrow = library("pyarrow")
    vectors = arrow.FixedSizeListArray.from_arrays(arrow.array(items.vectors.ravel(), arrow.float32()), items.dim)
    ids = arrow.array(items.ids, arrow.int64() if items.numbered else arrow.string())
    names, columns = ["item_id", "vector"], [ids, vectors]
    for name, (kind, values) in items.columns.items():
        kinds = {"list of texts": arrow.list_(arrow.string()), "time": arrow.timestamp("us", "UTC")}
        names.append(unused(name, names))
        columns.append(arrow.array(values, kinds.get(kind) or getattr(arrow, _ARROW[kind])()))
    return arrow.table(columns, names)


def unused(name: str, taken: list[str]) -> str:
    """An attribute may be called as a column of ours is."""
    while name in taken:
        name += "_"
    return name


def write_parquet(items: Catalogue, path: str) -> None:
    library("pyarrow.parquet", "pyarrow").write_table(arrow_table(items), path)


def write_faiss(items: Catalogue, path: str) -> None:
    """An IndexIDMap over an IndexFlatIP."""
    faiss = library("faiss", "faiss-cpu")
    index = faiss.IndexIDMap(faiss.IndexFlatIP(items.dim))
    index.add_with_ids(items.vectors, items.keys())
    faiss.write_index(index, path)


def write_hnswlib(items: Catalogue, path: str) -> None:
    """A graph in the space "ip", of which the distance is 1 - score."""
    hnswlib = library("hnswlib")
    index = hnswlib.Index(space="ip", dim=items.dim)
    index.init_index(max_elements=len(items), M=32, ef_construction=200, random_seed=1)
    index.add_items(items.vectors, items.keys())
    index.save_index(path)


def write_usearch(items: Catalogue, path: str) -> None:
    """A graph of the metric "ip", of which the distance is 1 - score; its type is said, for it would go by the CPU."""
    index = library("usearch.index", "usearch")
    made = index.Index(ndim=items.dim, metric="ip", dtype="f32")
    made.add(items.keys().astype(np.uint64), items.vectors)
    made.save(path)
