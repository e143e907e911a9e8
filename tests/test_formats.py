"""Tables of every type that Arrow and Parquet hold come out of every reader as they went in.

What each cell must be is worked out in tests/formats/values.py.
"""

import dataclasses
import datetime
import itertools
import json
import operator
import os
import pathlib
import re
import subprocess
import uuid
from decimal import Decimal

import numpy
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from formats.dump import Dump, differences
from formats.log import text_of
from formats.values import every_column, real

ROOT = pathlib.Path(__file__).resolve().parent.parent
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
    if read.error:
        return [read.error]
    wrong = [line for c in columns for line in differences(read, c.name, plain and c.plain or c.texts, c.us)]
    for c in columns:
        said = [line for line in read.notices if f"'{c.name}'" in line]
        if bool(said) != c.lost:
            wrong.append(f"{c.name}: " + (f"nothing was lost, but {said}" if said else "something was lost in silence"))
    return wrong


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


FIRST_OF_INT96 = -2440588 * 86_400_000_000  # the day that Julian days are counted from, in microseconds since 1970


def test_times_of_int96(dump, tmp_path):
    """What Spark and Impala wrote for years: days and nanoseconds."""
    columns = [c for c in COLUMNS if c.name.startswith("timestamp") and c.parquet]
    path = tmp_path / "t.parquet"
    pq.write_table(table_of(columns), path, use_deprecated_int96_timestamps=True)
    for c in columns:
        early = [t is not None and t < FIRST_OF_INT96 for t in c.us]
        c = dataclasses.replace(c, texts=[None if e else t for e, t in zip(early, c.texts)], lost=c.lost or any(early),
                                us=[None if e else t for e, t in zip(early, c.us)])
        for coded in (False, True):
            wrong = all_wrong(dump(path, columns=[c.name], coded=coded, batch_rows=7), [c])
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


# ---- what other programs write ----

PROGRAMS = ["duckdb", "fastparquet", "pandas", "polars", pytest.param("spark", marks=pytest.mark.slow)]


def written_by(program, folder):
    """The manifest of the files that a program writes (tests/formats/programs.py)."""
    python = ROOT / (".venv-spark" if program == "spark" else ".venv-formats") / "bin" / "python"
    assert python.is_file(), f"{python}: not there; ./run test formats makes it"
    done = subprocess.run([python, ROOT / "tests/formats/programs.py", program, folder], capture_output=True, text=True,
                          env=dict(os.environ, PYTHONPATH=str(ROOT / "tests")))
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "manifest.json").read_text())


def same_value(cell, right):
    """Whether a cell of a text file is a spelling of the value with that canonical text."""
    if right is None or right == "":
        return not cell
    if cell == right:
        return True
    if right in ("true", "false"):
        return str(cell).lower() == right
    if ":" in right:  # of a time of day
        return re.sub(r"\.0+$|(\.\d*?)0+$", r"\1", str(cell)) == right
    try:
        return Decimal(cell) == Decimal(right)
    except (ArithmeticError, TypeError, ValueError):
        return False


def text_file_differences(read, name, texts, us):
    if name not in read.columns:
        return differences(read, name, texts)
    column = read.columns[name]
    pairs = zip(column["times"], us) if us else zip(column["cells"], texts)
    same = (lambda a, b: a == b) if us else same_value
    return [f"{name}, row {row}: {seen!r:.90}, expected {right!r:.90}" for row, (seen, right) in enumerate(pairs)
            if not same(seen, right)][:3]


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_of_other_programs(dump, tmp_path, program):
    wrong = []
    for file in written_by(program, tmp_path):
        path = tmp_path / file["file"]
        typed = any(word in file["file"] for word in ("parquet", "arrow", "feather"))
        read = dump(path)  # of Spark a folder
        if read.error or file["refused"]:
            if not (read.error and file["refused"] and file["refused"] in read.error):
                wrong.append(read.error or f"{path.name} is not refused")
            continue
        wrong += [f"{path.name}: {name} is not left out" for name in file["left_out"] if name in read.columns]
        wrong += [f"{path.name}: not a word of {name}" for name in file["left_out"]
                  if not any(f"'{name}'" in line for line in read.notices)]
        for name, right in file["columns"].items():
            find = differences if typed else text_file_differences
            wrong += [f"{path.name}: {line}" for line in find(read, name, right["texts"], right["us"])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_random_tables():
    python = ROOT / ".venv-formats" / "bin" / "python"
    done = subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ROOT / "tests/formats",
                           ROOT / "tests/formats/random_tables.py"], capture_output=True, text=True,
                          env=dict(os.environ, PYTHONPATH=str(ROOT / "tests")))
    assert done.returncode == 0, done.stdout


# ---- through the commands ----

IDS = {
    "int64": (pa.int64(), [2**53, 2**53 + 1, -(2**63), 2**63 - 1, 1700000000123456000, 1700000000123456001, 0, 12]),
    "uint64": (pa.uint64(), [2**53, 2**53 + 1, 2**64 - 1, 2**64 - 2, 2**63, 2**63 + 1, 0, 12]),
    "decimal": (pa.decimal128(38, 0), [Decimal(v) for v in (
        2**64, 2**64 + 1, 10**38 - 1, 1 - 10**38, 1700000000123456000, 1700000000123456001, 0, 12)]),
    "decimal256": (pa.decimal256(76, 2), [Decimal(v).scaleb(-2) for v in (
        10**76 - 1, 10**76 - 2, 35, 36, 2**70 * 100, 2**70 * 100 + 1, 0, 1200)]),
    "uuid": (pa.uuid(), [uuid.UUID(int=v) for v in (0, 1, 2**128 - 1, 2**128 - 2, 2**64, 2**64 + 1, 7 << 120, 97)]),
    "string": (pa.string(), ["12", "000012", "012", "12.0", "1.2e1", "ü", " u", "NaN "]),
    "dictionary": (pa.string(), ["12", "000012", "012", "12.0", "1.2e1", "ü", "é", "e\u0301"]),
    "float64": (pa.float64(), [2.0**53 - 1, 2.0**53 - 2, 1.0, 2.0, 0.5, 0.25, 1e15, 1e15 + 1]),
    "date": (pa.date32(), [datetime.date(2024, 1, day) for day in range(1, 9)]),
}


def ids_of(kind):
    type_, cells = IDS[kind]
    if kind == "uuid":
        return pa.ExtensionArray.from_storage(type_, pa.array([v.bytes for v in cells], pa.binary(16)))
    array = pa.array(cells, type_)
    return array.dictionary_encode() if kind == "dictionary" else array


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("format_", ["parquet", "arrow"])
def test_ids_come_out_as_they_went_in(cli, tmp_path, kind, format_):
    """Through train, encode and retrieve: as users and as items."""
    texts = [text_of(v) for v in IDS[kind][1]]
    rows = [(u, (u + step) % 8) for u in range(8) for step in range(4)]
    column = lambda order: ids_of(kind).take(pa.array(order))
    log = pa.table({"user_id": column([u for u, _ in rows]), "item_id": column([i for _, i in rows]),
                    "ts": pa.array(range(1714557296, 1714557296 + len(rows)))})
    path = tmp_path / f"log.{format_}"
    (pq.write_table if format_ == "parquet" else pa.feather.write_feather)(log, path)
    cli("train", "--interactions", path, "--user", "user_id", "--item", "item_id", "--time", "ts", "--set", "data.split.kind=leave_last",
        "--set", "train.epochs=1", "--set", "train.batch=16", "-o", "m.pagoda", cwd=tmp_path)
    for side in ("users", "items"):
        cli("encode", "m.pagoda", side, "-o", f"{side}.parquet", cwd=tmp_path)
        ids = pq.read_table(tmp_path / f"{side}.parquet")[0]
        assert pa.types.is_integer(ids.type) == (kind == "int64"), ids.type
        assert sorted(text_of(v) for v in ids.to_pylist()) == sorted(texts)
    users = [json.dumps({"user": text}) for text in texts]
    answers = cli("retrieve", "m.pagoda", "--users", "-", "--k", 8, stdin="\n".join(users) + "\n", cwd=tmp_path).stdout
    for text, line in zip(texts, answers.splitlines(), strict=True):
        answer = json.loads(line)
        seen = {texts[i] for u, i in rows[:: 4] + rows[1::4] if texts[u] == text}  # the last two are set aside
        assert str(answer["user"]) == text
        assert {str(item) for item in answer["items"]} <= set(texts) - seen, "known: what was seen is left out"


# A column of attributes, and the literals it is compared with.
ATTRIBUTES = {
    "big": (pa.int64(), [2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2, -(2**63), 2**63 - 1, 0, None]),
    "wide": (pa.uint64(), [2**64 - 1, 2**64 - 2, 2**63, 2**63 + 1, 2**53 + 1, 1, 0, None]),
    "real": (pa.float64(), [0.1, 0.35, 9.99, 20.0, -0.5, 1e300, 2.0**53, None]),
    "single": (pa.float32(), [0.1, 0.35, 9.99, 20.0, -0.5, 1e30, 16777216.0, None]),
    "half": (pa.float16(), [0.1, 0.35, 9.99, 20.0, -0.5, 65504.0, 2048.0, None]),
    "price": (pa.decimal128(10, 2), [None if v is None else Decimal(v) for v in (
        "0.10", "0.35", "9.99", "20.00", "-0.50", "99999999.99", "0.00", None)]),
    "sum": (pa.decimal128(38, 0), [Decimal(v) for v in (2**64, 2**64 + 1, 10**38 - 1, 1 - 10**38, 2**53 + 1, 12, 0)] + [None]),
}
LITERALS = ["0", "0.1", "0.35", "9.99", "20", "20.0", "-0.5", "2048", "65504", str(2**53), str(2**53 + 1), str(2**63), str(2**64 - 1),
            str(2**64), str(2**64 + 1), str(10**38 - 1), "16777216"]
IN_PRECISION = {"real": numpy.float64, "single": numpy.float32, "half": numpy.float16}
COMPARISONS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def matching(name, sign, literal, typed):
    """The items, by number, that a filter lets through: exact, and of a column of floats in its precision."""
    as_number = typed and IN_PRECISION.get(name) or Decimal
    with numpy.errstate(over="ignore"):  # beyond all halves: infinite
        right = as_number(literal)
    cells = [v if v is None or isinstance(v, Decimal) else as_number(str(v)) for v in ATTRIBUTES[name][1]]
    return {str(i) for i, v in enumerate(cells) if v is not None and COMPARISONS[sign](v, right)}


def item_table(folder, format_):
    """The item table in a format; a CSV and JSON hold a float by its shortest digits, whatever its precision was."""
    path = folder / f"items.{format_}"
    table = pa.table({"item_id": [str(i) for i in range(8)], **{n: pa.array(cells, t) for n, (t, cells) in ATTRIBUTES.items()}})
    if format_ == "parquet":
        pq.write_table(table, path)
    elif format_ == "arrow":
        pa.feather.write_feather(table, path)
    else:
        spelt = {n: [None if v is None else real(v, IN_PRECISION[n]) if n in IN_PRECISION else str(v) for v in cells]
                 for n, (_, cells) in ATTRIBUTES.items()}
        rows = [{"item_id": str(i), **{n: cells[i] for n, cells in spelt.items()}} for i in range(8)]
        if format_ == "csv":
            lines = [",".join(rows[0]), *(",".join(v or "" for v in row.values()) for row in rows)]
        else:
            value = lambda n, v: json.dumps(v) if n == "item_id" else v or "null"
            lines = ["{" + ", ".join(f'"{n}": {value(n, v)}' for n, v in row.items()) + "}" for row in rows]
        path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("format_", ["parquet", "arrow", "csv", "jsonl"])
def test_filters_compare_numbers_exactly(cli, serve, tmp_path, format_):
    numpy.save(tmp_path / "items.npy", numpy.eye(8, dtype="float32") + 1)
    (tmp_path / "ids.txt").write_text("".join(f"{i}\n" for i in range(8)))
    cli("index", "--vectors", "items.npy", "--ids", "ids.txt", "--attributes", item_table(tmp_path, format_), "-o", "m.pagoda",
        cwd=tmp_path)
    wrong = []
    with serve(tmp_path / "m.pagoda") as server:
        for name, sign, literal in itertools.product(ATTRIBUTES, COMPARISONS, LITERALS):
            answer = server.post("/v1/retrieve", {"vector": [1] * 8, "k": 8, "filter": f"{name} {sign} {literal}"})
            seen, right = sorted(answer["items"]), sorted(matching(name, sign, literal, format_ in ("parquet", "arrow")))
            if seen != right:
                wrong.append(f"{name} {sign} {literal}: {seen}, expected {right}")
    assert not wrong, "\n".join(wrong)
