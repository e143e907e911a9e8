"""Random tables in random files:  pytest random_tables.py   (in .venv-formats; tests/test_formats.py runs it)

What is read must be what was written, and something must be said of a column exactly where something of it was lost. pyarrow
and polars read the same files: where they differ, the file is not what we think it is.
"""

import dataclasses
import json
import os
import pathlib
import tempfile
import uuid
from decimal import Decimal
from typing import Any, Callable

import hypothesis
import numpy
import pandas
import polars
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from formats import values
from formats.dump import Dump, differences
from formats.log import text_of

EXAMPLES = int(os.environ.get("PAGODA_EXAMPLES", 400))
hypothesis.settings.register_profile("formats", max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
                                     suppress_health_check=list(hypothesis.HealthCheck))
hypothesis.settings.load_profile("formats")


@pytest.fixture(scope="module")
def dump():
    program = Dump()
    yield program
    program.close()


@dataclasses.dataclass
class Kind:
    """A type, how its values are drawn, and what is read of one; `make` is given None for a null."""

    type: pa.DataType
    draw: st.SearchStrategy
    text: Callable[[Any], str | None]         # of a value: its canonical text; None where it is lost
    lost: Callable[[Any], bool] = lambda v: False
    us: Callable[[Any], int | None] | None = None
    plain: Callable[[Any], str] | None = None  # its text where Arrow's schema is not stored
    storage: pa.DataType | None = None         # the type that values are given in, where it is another
    parquet: bool = True
    whole_us: bool = True
    encodings: tuple = ()

    def array(self, cells):
        if isinstance(self.type, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(self.type, pa.array(cells, self.type.storage_type))
        array = pa.array(cells, self.storage or self.type)
        return array if array.type == self.type else array.cast(self.type)


def ends(low, high, *more):
    return st.one_of(st.integers(low, high), st.sampled_from([low, high, *more]))


def integer_kinds():
    for bits in (8, 16, 32, 64):
        more = [2**53, 2**53 + 1] if bits == 64 else []
        delta = ("DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT") if bits >= 32 else ()
        for kind, low, high in ((getattr(pa, f"int{bits}")(), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
                                (getattr(pa, f"uint{bits}")(), 0, 2**bits - 1)):
            yield Kind(kind, ends(low, high, *more), values.number, encodings=delta)


def real_kinds():
    for width, kind, arrow in ((16, numpy.float16, pa.float16()), (32, numpy.float32, pa.float32()),
                               (64, numpy.float64, pa.float64())):
        draw = st.one_of(st.floats(width=width), st.sampled_from([0.0, -0.0, 0.5, 2.0, float("nan")]))
        yield Kind(arrow, draw, lambda v, kind=kind: values.real(v, kind), lambda v: v != v, encodings=("BYTE_STREAM_SPLIT",))


@st.composite
def decimal_kind(draw):
    bits, most = draw(st.sampled_from([(32, 9), (64, 18), (128, 38), (256, 76)]))
    precision = draw(st.integers(1, most))
    scale = draw(st.integers(0, precision))
    top = 10**precision - 1
    cells = ends(-top, top).map(lambda v: Decimal(v).scaleb(-scale))
    return Kind(getattr(pa, f"decimal{bits}")(precision, scale), cells, values.number)


def fits(us):
    return values.INT64[0] <= us <= values.INT64[1]


def time_kinds():
    for unit, per_second in (("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)):
        low, high = values.INT64
        if unit == "s":  # Parquet has milliseconds for them
            low, high = low // 1000 + 1, high // 1000
        us = lambda v, n=per_second: v * 10**6 // n
        near = st.integers(-62135596800 * per_second, 253402300799 * per_second).filter(lambda v: values.INT64[0] <= v <= values.INT64[1])
        for zone in (None, "UTC", "America/New_York", "-03:30"):
            yield Kind(pa.timestamp(unit, zone), st.one_of(near, ends(low, high)), lambda v, us=us: values.time(us(v)),
                       lambda v, us=us, n=per_second: not fits(us(v)) or (n == 10**9 and v % 1000 != 0),
                       us=lambda v, us=us: us(v) if fits(us(v)) else None, storage=pa.int64(), whole_us=unit != "ns",
                       encodings=("DELTA_BINARY_PACKED",))
    day = lambda v: v * 86_400_000_000
    yield Kind(pa.date32(), ends(-(2**31), 2**31 - 1, 0, -719162), lambda v: values.time(day(v)), lambda v: not fits(day(v)),
               us=lambda v: day(v) if fits(day(v)) else None, storage=pa.int32())
    yield Kind(pa.date64(), ends(-719162, 2932896).map(lambda v: v * 86_400_000), lambda v: values.time(v * 1000),
               us=lambda v: v * 1000, storage=pa.int64())
    for unit, kind, per_second in (("s", pa.time32, 1), ("ms", pa.time32, 1000), ("us", pa.time64, 10**6), ("ns", pa.time64, 10**9)):
        yield Kind(kind(unit), ends(0, 86400 * per_second - 1), lambda v, n=per_second: values.time_of_day(v * 10**9 // n),
                   storage=pa.int32() if kind is pa.time32 else pa.int64(), whole_us=unit != "ns")
    for unit, per_second in (("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)):
        yield Kind(pa.duration(unit), ends(*values.INT64, 0), lambda v, n=per_second: values.number(Decimal(v) / n),
                   plain=values.number, storage=pa.int64())


def text_kinds():
    texts = st.one_of(st.text(st.characters(codec="utf-8")), st.sampled_from(values.TEXTS))
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield Kind(kind, texts, str, encodings=("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"))
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        yield Kind(kind, texts.map(str.encode), bytes.decode, encodings=("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"))
    letters = st.text("abc019 .", min_size=3, max_size=3)
    yield Kind(pa.binary(3), letters.map(str.encode), bytes.decode, encodings=("BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"))


def other_kinds():
    yield Kind(pa.bool_(), st.booleans(), lambda v: str(v).lower(), encodings=("RLE",))
    yield Kind(pa.bool8(), st.integers(-128, 127), lambda v: str(v != 0).lower(), plain=values.number)
    yield Kind(pa.uuid(), st.binary(min_size=16, max_size=16), lambda v: str(uuid.UUID(bytes=v)))
    yield Kind(pa.null(), st.none(), lambda v: None)


PLAIN_KINDS = [*integer_kinds(), *real_kinds(), *time_kinds(), *text_kinds(), *other_kinds()]
plain_kind = st.one_of(st.sampled_from(PLAIN_KINDS), decimal_kind())


@dataclasses.dataclass
class Made:
    name: str
    array: pa.Array
    texts: list
    us: list | None
    plain: list | None
    lost: bool
    kind: Kind


def made(name, kind, cells):
    text = lambda f: [None if v is None else f(v) for v in cells]
    return Made(name, kind.array(cells), text(kind.text), kind.us and text(kind.us), kind.plain and text(kind.plain),
                any(v is not None and kind.lost(v) for v in cells), kind)


@st.composite
def column(draw, name, rows):
    kind = draw(plain_kind)
    cells = draw(st.lists(st.one_of(st.none(), kind.draw), min_size=rows, max_size=rows))
    shape = draw(st.sampled_from(["plain", "plain", "dictionary", "list", "runs"]))
    simple = not isinstance(kind.type, pa.BaseExtensionType) and kind.type != pa.null()
    if shape in ("dictionary", "runs") and simple and not kind.plain:  # Parquet forgets that a word was a duration
        coded = made(name, kind, cells)
        try:
            coded.array = coded.array.dictionary_encode() if shape == "dictionary" else pa.compute.run_end_encode(coded.array)
            coded.kind = dataclasses.replace(kind, encodings=(), parquet=shape == "dictionary")
        except pa.ArrowNotImplementedError:  # not of every type; then it is plain
            pass
        return coded
    if shape == "list" and simple:
        lists = draw(st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), kind.draw), max_size=4)), min_size=rows,
                              max_size=rows))
        offsets, flat = [0], []
        for cell in lists:
            flat += cell or []
            offsets.append(len(flat))
        large = draw(st.booleans())
        array = (pa.LargeListArray if large else pa.ListArray).from_arrays(
            pa.array(offsets, pa.int64() if large else pa.int32()), kind.array(flat),
            mask=pa.array([cell is None for cell in lists]))
        read = lambda f: [None if cell is None else [t for t in (None if v is None else f(v) for v in cell) if t is not None]
                          for cell in lists]
        lost = any(v is None or kind.lost(v) for cell in lists if cell for v in cell)
        return Made(name, array, read(kind.text), None, kind.plain and read(kind.plain), lost,
                    dataclasses.replace(kind, encodings=()))
    return made(name, kind, cells)


@st.composite
def table(draw):
    rows = draw(st.integers(1, 40))
    return [draw(column(f"c{i}", rows)) for i in range(draw(st.integers(1, 4)))]


def check(read, columns, plain):
    assert not read.error, read.error
    wrong = [line for c in columns for line in differences(read, c.name, plain and c.plain or c.texts, c.us)]
    for c in columns:
        said = any(f"'{c.name}'" in line for line in read.notices)
        if said != c.lost:
            wrong.append(f"{c.name}: {read.notices} is said, something was lost: {c.lost}")
    assert not wrong, "\n".join([*wrong, *(f"{c.name}: {c.array.type}" for c in columns)])


@hypothesis.given(table(), st.data())
def test_parquet(dump, columns, data):
    draw = lambda *choices: data.draw(st.sampled_from(choices))
    version = draw("1.0", "2.4", "2.6", "2.6")
    columns = [c for c in columns if c.kind.parquet and (c.kind.whole_us or version == "2.6")]
    hypothesis.assume(columns)
    encodings = {c.name: draw("PLAIN", *c.kind.encodings) for c in columns if c.kind.encodings}
    dictionary = draw(True, False)
    stored = draw(True, True, False)
    options = dict(version=version, data_page_version=draw("1.0", "2.0"), store_schema=stored, use_dictionary=dictionary,
                   compression=draw("none", "snappy", "gzip", "brotli", "lz4", "zstd"), row_group_size=draw(1, 7, 1000),
                   data_page_size=draw(8, 10**6), write_page_index=draw(True, False), write_page_checksum=draw(True, False),
                   column_encoding=None if dictionary or not encodings else encodings)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = pathlib.Path(folder) / "t.parquet"
        try:
            pq.write_table(pa.table({c.name: c.array for c in columns}), path, **options)
        except pa.ArrowNotImplementedError:  # a dictionary of views
            hypothesis.reject()
        read = dump(path, batch_rows=draw(1, 5, 1000), coded=draw(True, False))
    check(read, columns, not stored)


@hypothesis.given(table(), st.data())
def test_arrow(dump, columns, data):
    draw = lambda *choices: data.draw(st.sampled_from(choices))
    whole = pa.table({c.name: c.array for c in columns})
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = pathlib.Path(folder) / "t.arrow"
        new = draw(pa.ipc.new_file, pa.ipc.new_stream)
        with new(str(path), whole.schema, options=pa.ipc.IpcWriteOptions(compression=draw(None, "lz4", "zstd"))) as writer:
            writer.write_table(whole, max_chunksize=draw(1, 7, 1000))
        read = dump(path, batch_rows=draw(1, 5, 1000))
    check(read, columns, False)


# ---- what the others read of the same file ----

SHARED = st.sampled_from([k for k in PLAIN_KINDS if k.type in (
    pa.int8(), pa.uint32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.string(), pa.bool_(), pa.uuid())])


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=EXAMPLES // 4)
def test_pyarrow_polars_and_pandas_read_the_same(dump, data):
    rows = data.draw(st.integers(1, 20))
    kinds = data.draw(st.lists(st.one_of(SHARED, decimal_kind().filter(lambda k: k.type.bit_width == 128)), min_size=1, max_size=4))
    columns = [made(f"c{i}", k, data.draw(st.lists(st.one_of(st.none(), k.draw), min_size=rows, max_size=rows)))
               for i, k in enumerate(kinds)]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = pathlib.Path(folder) / "t.parquet"
        pq.write_table(pa.table({c.name: c.array for c in columns}), path)
        ours = dump(path)
        arrow = pq.read_table(path)
        by_polars = polars.read_parquet(path) if not any(c.kind.type == pa.uuid() for c in columns) else None
        by_pandas = pandas.read_parquet(path, dtype_backend="pyarrow")
    check(ours, columns, False)
    for c in columns:
        single = c.kind.type == pa.float32()
        cells = ours.columns[c.name]["cells"]
        others = {"pyarrow": arrow[c.name].to_pylist(), "pandas": by_pandas[c.name].tolist()}
        if by_polars is not None:
            others["polars"] = by_polars[c.name].to_list()
        for name, theirs in others.items():
            theirs = [None if v is pandas.NA else v for v in theirs]
            assert [text_of(v, single) for v in theirs] == cells, (name, c.kind.type)


# ---- text files ----

cell = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1), st.sampled_from(
    [t for t in values.TEXTS if t and "\0" not in t]))


def same(cell, text):
    return (cell or None) == (text or None)


@hypothesis.given(st.lists(st.tuples(st.integers(*values.INT64), cell, st.floats(allow_nan=False, allow_infinity=False)),
                           min_size=1, max_size=20), st.data())
def test_text_files(dump, rows, data):
    writer = data.draw(st.sampled_from(["polars.csv", "polars.tsv", "polars.jsonl", "pandas.csv", "pandas.tsv", "pyarrow.csv",
                                        "json.jsonl"]))
    names = ["user_id", "title", "weight"]
    columns = dict(zip(names, zip(*rows)))
    separator = "\t" if writer.endswith("tsv") else ","
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = pathlib.Path(folder) / writer
        if writer.startswith("polars"):
            frame = polars.DataFrame(columns, schema={"user_id": polars.Int64, "title": polars.String, "weight": polars.Float64})
            if writer.endswith("jsonl"):
                frame.write_ndjson(path)
            else:
                frame.write_csv(path, separator=separator)
        elif writer.startswith("pandas"):
            pandas.DataFrame(columns).to_csv(path, index=False, sep=separator)
        elif writer.startswith("pyarrow"):
            pa.csv.write_csv(pa.table({"user_id": pa.array(columns["user_id"]), "title": pa.array(columns["title"], pa.string()),
                                       "weight": pa.array(columns["weight"])}), path)
        else:
            ascii_only = data.draw(st.booleans())
            with path.open("w", encoding="utf-8") as out:
                for row in rows:
                    out.write(json.dumps(dict(zip(names, row)), ensure_ascii=ascii_only) + "\n")
        read = dump(path, batch_rows=data.draw(st.sampled_from([1, 5, 1000])))
    assert not read.error, (writer, read.error)
    cells = {name: read.columns[name]["cells"] for name in names}
    assert [int(v) for v in cells["user_id"]] == list(columns["user_id"]), writer
    assert all(map(same, cells["title"], columns["title"])), (writer, cells["title"], columns["title"])
    assert [float(v) for v in cells["weight"]] == list(columns["weight"]), writer
