"""Tables of every type that Arrow and Parquet hold come out of every reader as they went in.

What each cell must be is worked out in tests/formats/values.py.
"""

import itertools

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from formats.dump import Dump, differences
from formats.values import every_column

ROWS = 50
COLUMNS = [column.repeated(ROWS) for column in every_column()]


@pytest.fixture(scope="module")
def dump():
    program = Dump()
    yield program
    program.close()


def table_of(columns):
    return pa.table([c.array for c in columns], names=[c.name for c in columns])


def all_wrong(read, columns, plain=False):
    return [line for c in columns for line in differences(read, c.name, plain and c.plain or c.texts, c.us)]


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_files_hold_every_type(dump, tmp_path, kind, codec):
    path = tmp_path / "t.arrow"
    table = table_of(COLUMNS)
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with new(str(path), table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=20)
    wrong = all_wrong(dump(path, batch_rows=7), COLUMNS)
    assert not wrong, "\n".join(wrong)


PARQUET = {
    "plain": dict(use_dictionary=False, compression=None),
    "dictionaries": dict(use_dictionary=True, compression="snappy"),
    "pages of version 2": dict(data_page_version="2.0", compression="zstd", row_group_size=11),
    "without Arrow's schema": dict(store_schema=False, compression="gzip"),
    "of version 1.0": dict(version="1.0", compression="brotli"),
    "of version 2.4": dict(version="2.4", compression="lz4", data_page_size=64),
}


def can_hold(options, column):
    return column.parquet and (column.whole_us or options.get("version", "2.6") == "2.6")


@pytest.mark.parametrize("name", PARQUET)
def test_parquet_files_hold_every_type(dump, tmp_path, name):
    options = PARQUET[name]
    columns = [c for c in COLUMNS if can_hold(options, c)]
    path = tmp_path / "t.parquet"
    pq.write_table(table_of(columns), path, **options)
    plain = not options.get("store_schema", True)
    wrong = all_wrong(dump(path, batch_rows=7), columns, plain)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("plain", [False, True])
def test_a_column_alone_may_come_coded(dump, tmp_path, plain):
    """The fast way of reading a log takes columns that are flat, and texts as codes of a dictionary."""
    wrong = []
    for column in COLUMNS:
        if not column.parquet:
            continue
        path = tmp_path / "t.parquet"
        pq.write_table(table_of([column]), path, row_group_size=20, store_schema=not plain)
        wrong += all_wrong(dump(path, columns=[column.name], coded=True, batch_rows=7), [column], plain)
    assert not wrong, "\n".join(wrong)
