"""Tables as they come: anything with Arrow's PyCapsule interface (polars, pyarrow, DuckDB, pandas), columns of NumPy,
sparse matrices of SciPy, and files."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _core
from ._errors import InputError, UsageError

PREFIX = "frame:"  # of the path under which the engine reads a table in memory


def _kind(table: Any) -> str:
    return type(table).__module__.partition(".")[0]


def _is_sparse(table: Any) -> bool:
    return _kind(table) == "scipy" and hasattr(table, "tocoo")


def _numbers(values: np.ndarray, mask: np.ndarray | None = None):
    """A column for the engine: (array, type, mask)."""
    told = ""
    if values.dtype.kind == "M":
        unit = np.datetime_data(values.dtype)[0]
        if unit not in ("s", "ms", "us", "ns"):
            values, unit = values.astype("datetime64[s]"), "s"
        none = np.isnat(values)
        if none.any():
            mask = none if mask is None else mask | none
        told, values = f"timestamp[{unit}]", values.view(np.int64)
    if values.dtype.itemsize > 8:
        raise InputError(f"an array of {values.dtype} is not read; make it float64 where its digits allow")
    values = values.astype(values.dtype.newbyteorder("="), copy=False)  # of another byte order
    return np.ascontiguousarray(values), told, None if mask is None else np.ascontiguousarray(mask, dtype=bool)


def _column(values: Any, name: str):
    """An array or a list for the engine."""
    if isinstance(values, np.ma.MaskedArray):
        return _numbers(values.data, np.ma.getmaskarray(values))
    values = values if isinstance(values, (list, np.ndarray)) else np.asarray(values)
    if isinstance(values, list):  # numbers of NumPy are numbers
        return [v.item() if isinstance(v, np.generic) else v for v in values]
    if values.ndim == 2 and values.dtype.kind in "iuf":
        return [list(row) for row in values.tolist()]
    if values.ndim != 1:
        raise InputError(f"column '{name}' has {values.ndim} dimensions, expected 1")
    if values.dtype.kind in "iufM":
        return _numbers(values)
    return values.tolist()  # texts, objects, booleans


def _of_pandas(frame: Any, name: str) -> _core.ArrowTable:
    """An index that has a name is a column. With pyarrow, pandas converts itself, and shares the memory of numbers; it
    refuses columns of mixed values, and does nothing without pyarrow."""
    named = any(level is not None for level in frame.index.names)
    frame = frame.reset_index(drop=not named)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{name}: two columns are named '{twice}'; rename one")
    if hasattr(frame, "__arrow_c_stream__") and importlib.util.find_spec("pyarrow") is not None:
        try:
            return _core.ArrowTable.of(frame, name)
        except (TypeError, ValueError):  # pyarrow's errors are these
            pass
    names, columns = [], []
    for column in frame.columns:
        if not isinstance(column, str):
            raise InputError(f"{name}: the name of column {column!r} is no text; rename it")
        names.append(column)
        columns.append(_pandas_column(frame[column]))
    return _core.ArrowTable.of_columns(names, columns, name)


def _of_polars(frame: Any, name: str) -> _core.ArrowTable:
    """Arrow has no integers of 128 bits: they are of 64 where all of them fit, and texts otherwise."""
    for column, dtype in frame.schema.items():
        if str(dtype) in ("Int128", "UInt128"):
            values = frame[column]
            fit = values.cast(int, strict=False)  # null where it does not fit
            frame = frame.with_columns(fit if fit.null_count() == values.null_count() else values.cast(str))
    return _core.ArrowTable.of(frame, name)


def _pandas_column(series: Any):
    dtype = series.dtype
    kind = getattr(dtype, "kind", "O")
    if kind == "M" and getattr(dtype, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufM":
        return _numbers(series.to_numpy())
    if kind in "iuf" and str(dtype)[0] in "IUF":  # Int64, UInt8, Float32: with a mask
        mask = series.isna().to_numpy()
        plain = series.to_numpy(dtype=str(dtype).lower(), na_value=0)
        return _numbers(plain, mask if mask.any() else None)
    if type(dtype).__name__ == "ArrowDtype" and kind in "iuf":
        mask = series.isna().to_numpy()
        if not mask.any():
            return _numbers(series.to_numpy())
    return series.astype(object).tolist()


def _of_sparse(matrix: Any, user: str, item: str, weight: str | None, name: str) -> _core.ArrowTable:
    """A row a stored value; the numbers of its row and its column are the ids."""
    stored = matrix.tocoo()
    names = [user, item]
    columns = [_numbers(stored.row.astype(np.int64)), _numbers(stored.col.astype(np.int64))]
    if weight is not None:
        names.append(weight)
        columns.append(_numbers(stored.data))
    return _core.ArrowTable.of_columns(names, columns, name)


def as_arrow(table: Any, name: str) -> _core.ArrowTable:
    """The table in Arrow's form; memory is shared with it where the form is the same.

    Raises InputError for what is no table."""
    if isinstance(table, _core.ArrowTable):
        return table
    if _kind(table) == "polars" and type(table).__name__ == "LazyFrame":
        table = table.collect()
    if _kind(table) == "polars" and hasattr(table, "schema"):
        return _of_polars(table, name)
    if _kind(table) == "pandas" and hasattr(table, "columns"):
        return _of_pandas(table, name)
    if _kind(table) == "pandas":
        raise InputError(f"{name}: a Series is no table; make it a frame with Series.to_frame()")
    if hasattr(table, "__arrow_c_stream__"):
        return _core.ArrowTable.of(table, name)
    if isinstance(table, Mapping):
        names = [str(column) for column in table]
        return _core.ArrowTable.of_columns(names, [_column(v, n) for n, v in zip(names, table.values())], name)
    raise InputError(
        f"{name}: a {type(table).__name__} is no table; give a frame of polars, pandas, pyarrow or DuckDB, a dict of "
        "columns, a sparse matrix, or the path of a file")


def is_path(table: Any) -> bool:
    return isinstance(table, (str, os.PathLike)) or (
        isinstance(table, (list, tuple)) and bool(table) and all(isinstance(p, (str, os.PathLike)) for p in table))


class Tables:
    """Tables by the names under which the engine reads them; files stay files."""

    def __init__(self) -> None:
        self.memory: dict[str, _core.ArrowTable] = {}

    def add(self, name: str, table: Any) -> str:
        """The path to give to the engine; "" for None."""
        paths = self.add_log(name, table)
        if len(paths) > 1:
            raise UsageError(f"{name}: give one table, not {len(paths)}")
        return paths[0] if paths else ""

    def add_log(self, name: str, table: Any, user: str = "user_id", item: str = "item_id",
                weight: str | None = None) -> list[str]:
        """The same for a log, which may be several files or a sparse matrix."""
        if table is None:
            return []
        if is_path(table):
            one = isinstance(table, (str, os.PathLike))
            return [os.fspath(table)] if one else [os.fspath(p) for p in table]
        if _is_sparse(table):
            self.memory[name] = _of_sparse(table, user, item, weight, name)
        else:
            self.memory[name] = as_arrow(table, name)
        return [PREFIX + name]


def id_text(value: Any) -> str:
    """An id as the engine holds it: whole numbers as their digits, texts as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)) or value is None:
        raise InputError(f"{value!r} is no id: give a text or a whole number")
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        if value != value or value in (float("inf"), float("-inf")):
            raise InputError(f"{value!r} is no id: give a text or a whole number")
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, bytes):
        raise InputError(f"{value!r} is no id: decode it to a text")
    return str(value)


def id_texts(values: Any) -> list[str]:
    """The same for a list, an array, a series of any library, or an iterable."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    elif hasattr(values, "to_pylist"):  # pyarrow
        values = values.to_pylist()
    elif hasattr(values, "to_list"):  # polars, pandas
        values = values.to_list()
    return [v if type(v) is str else id_text(v) for v in values]
