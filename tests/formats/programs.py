"""Files of the log as other programs write it:  python programs.py PROGRAM FOLDER

Runs in .venv-formats (spark: .venv-spark), and writes beside the files manifest.json, a list of
  {"file": ..., "columns": {name: {"texts": [...], "us": [...]}}, "left_out": [names], "refused": what the error says}
In a text file a number, a time or a truth value may be spelt in any way: what counts is that it is the same value.
"""

import datetime
import json
import pathlib
import sys

from formats.log import LOG, ROWS, expected, us_of

FLAT = [name for name in LOG if name not in ("ints", "words")]


class Manifest:
    def __init__(self, folder):
        self.folder = folder
        self.files = []

    def add(self, file, names, left_out=(), refused=None, **columns):
        """`names`: columns of the log; others by keyword, as expected() gives them."""
        self.files.append({"file": file, "columns": {**{n: expected(n) for n in names}, **columns}, "left_out": list(left_out),
                           "refused": refused})
        return str(self.folder / file)


def of(values, us=None):
    return {"texts": values, "us": us}


def write_pandas(manifest):
    import numpy
    import pandas
    import pyarrow

    kinds = {"i64": "Int64", "i32": "Int32", "u64": "UInt64", "f64": "float64", "f32": "float32", "text": "str",
             "flag": "boolean"}
    frame = pandas.DataFrame({name: pandas.array(LOG[name], dtype=kind) for name, kind in kinds.items()})
    for name in ("day", "clock", "price", "big", "id", "ints", "words"):
        frame[name] = pandas.Series(LOG[name], dtype=object)
    for unit in ("s", "ms", "us", "ns"):
        whole = [m and m.replace(microsecond=0 if unit in ("s", "ms") else m.microsecond) for m in LOG["at"]]
        frame[f"at_{unit}"] = pandas.Series(numpy.array(whole, f"datetime64[{unit}]"))
        frame[f"zone_{unit}"] = frame[f"at_{unit}"].dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata")
    times = {name: expected("at", [m and m.replace(microsecond=0) for m in LOG["at"]] if unit in ("s", "ms") else LOG["at"])
             for unit in ("s", "ms", "us", "ns") for name in (f"at_{unit}", f"zone_{unit}")}
    frame["kind"] = pandas.Categorical(["a", "b", "a", "c", None, "ü"])
    kind = of(["a", "b", "a", "c", None, "ü"])
    frame["number_kind"] = pandas.Categorical([10, 20, 10, 30, None, 20])
    number_kind = of(["10", "20", "10", "30", None, "20"])
    frame["lost"] = pandas.Series([12, 13, None, 2**53, 14, 15])  # integers that a null has made floats
    lost = of(["12", "13", None, str(2**53), "14", "15"])
    frame["span"] = pandas.Series([datetime.timedelta(seconds=1.5)] * ROWS)
    span = of(["1.5"] * ROWS)
    known = [n for n in LOG if n not in ("at", "at_utc")]
    more = dict(times, kind=kind, number_kind=number_kind, lost=lost, span=span)
    for name, options in (("parquet", {}), ("parquet_1", dict(version="1.0", coerce_timestamps="us")),
                          ("parquet_int96", dict(use_deprecated_int96_timestamps=True))):
        frame.to_parquet(manifest.add(f"pandas_{name}.parquet", known, **more), **options)
    frame.set_index("text").to_parquet(manifest.add("pandas_indexed.parquet", known, **more))
    frame.to_feather(manifest.add("pandas.feather", known, **more))
    frame.convert_dtypes(dtype_backend="pyarrow").drop(columns="number_kind").to_parquet(
        manifest.add("pandas_arrow.parquet", known, **{k: v for k, v in more.items() if k != "number_kind"}))

    flat = frame.drop(columns=["ints", "words", "span"])
    more.pop("span")
    texts = [n for n in known if n in FLAT]
    flat.to_csv(manifest.add("pandas.csv", texts, **more), index=False)
    flat.to_csv(manifest.add("pandas.tsv", texts, **more), index=False, sep="\t")
    flat.to_csv(manifest.add("pandas.csv.gz", texts, **more), index=False)
    # Numbers of these have at most 15 digits behind the point, and integers beyond int64 become floats.
    simple = [n for n in known if n not in ("f64", "f32", "u64", "big", "price", "day", "clock", "id")]
    dated = {name: value for name, value in more.items() if name not in times or "us" in name}
    frame[[*simple, *dated]].to_json(manifest.add("pandas.jsonl", simple, **dated), orient="records", lines=True,
                                     date_format="iso", date_unit="us")
    frame[[*simple]].to_json(manifest.add("pandas.json", simple), orient="records", lines=True)


def write_fastparquet(manifest):
    import fastparquet
    import numpy
    import pandas

    frame = pandas.DataFrame({"i64": pandas.array(LOG["i64"], dtype="Int64"), "f64": pandas.array(LOG["f64"], dtype="float64"),
                              "f32": pandas.array(LOG["f32"], dtype="float32"),
                              "flag": pandas.array(LOG["flag"], dtype="boolean")})
    frame["text"] = pandas.Series(LOG["text"], dtype=object)
    frame["at"] = pandas.Series(numpy.array(LOG["at"], "datetime64[ns]"))
    frame["kind"] = pandas.Categorical(["a", "b", "a", "c", None, "ü"])
    frame["lost"] = pandas.Series([12, 13, None, 2**53, 14, 15])
    more = dict(kind=of(["a", "b", "a", "c", None, "ü"]), lost=of(["12", "13", None, str(2**53), "14", "15"]))
    names = ["i64", "f64", "f32", "flag", "text", "at"]
    for name, options in (("plain", {}), ("int96", dict(times="int96")), ("groups", dict(row_group_offsets=[0, 2, 3])),
                          ("gzip", dict(compression="GZIP"))):
        fastparquet.write(manifest.add(f"fastparquet_{name}.parquet", names, **more), frame, **options)


def write_polars(manifest):
    import polars

    kinds = {"i64": polars.Int64, "i32": polars.Int32, "u64": polars.UInt64, "f64": polars.Float64, "f32": polars.Float32,
             "text": polars.String, "flag": polars.Boolean, "day": polars.Date, "at": polars.Datetime("us"),
             "at_utc": polars.Datetime("us", "UTC"), "clock": polars.Time, "price": polars.Decimal(10, 2),
             "big": polars.Decimal(38, 0), "ints": polars.List(polars.Int64), "words": polars.List(polars.String)}
    frame = polars.DataFrame({name: polars.Series(name, LOG[name], kind) for name, kind in kinds.items()})
    kind = of(["a", "b", "a", "c", None, "ü"])
    pair = of([["1", "2"], ["3", "4"], ["5", "6"], ["7", "8"], None, ["9", "10"]])
    frame = frame.with_columns(
        polars.Series("kind", kind["texts"], polars.Categorical),
        polars.Series("choice", kind["texts"], polars.Enum(["a", "b", "c", "ü"])),
        polars.Series("pair", [[1, 2], [3, 4], [5, 6], [7, 8], None, [9, 10]], polars.Array(polars.Int32, 2)),
        polars.Series("at_ns", LOG["at"], polars.Datetime("ns")), polars.Series("at_ms", LOG["at"], polars.Datetime("ms")),
        polars.Series("span", [datetime.timedelta(seconds=1.5)] * ROWS, polars.Duration("us")),
        polars.Series("small", [1, -128, 127, 0, None, 5], polars.Int8),
        polars.Series("bytes", [b"x", b"y", b"", b"z", None, b"w"], polars.Binary),
        polars.Series("nothing", [None] * ROWS, polars.Null))
    ms = [m and m.replace(microsecond=m.microsecond // 1000 * 1000) for m in LOG["at"]]
    more = dict(kind=kind, choice=kind, pair=pair, at_ns=expected("at"), at_ms=expected("at", ms), span=of(["1.5"] * ROWS),
                small=of(["1", "-128", "127", "0", None, "5"]), bytes=of(["x", "y", "", "z", None, "w"]),
                nothing=of([None] * ROWS))
    for name, options in (("plain", {}), ("snappy", dict(compression="snappy", row_group_size=2)),
                          ("gzip", dict(compression="gzip", data_page_size=64)), ("lz4", dict(compression="lz4")),
                          ("none", dict(compression="uncompressed", statistics="full"))):
        frame.write_parquet(manifest.add(f"polars_{name}.parquet", kinds, **more), **options)
    for codec in ("uncompressed", "lz4", "zstd"):
        frame.write_ipc(manifest.add(f"polars_{codec}.arrow", kinds, **more), compression=codec)
        frame.write_ipc_stream(manifest.add(f"polars_{codec}_stream.arrow", kinds, **more), compression=codec)
    wide = frame.with_columns(
        polars.Series("wide", [2**64 + 1, 0, 1, 2, None, -5], polars.Int128),
        polars.Series("point", [{"x": 1}] * ROWS), polars.Series("deep", [[[1]]] * ROWS))
    more["wide"] = of([str(2**64 + 1), "0", "1", "2", None, "-5"])
    wide.write_parquet(manifest.add("polars_wide.parquet", kinds, left_out=["point", "deep"], **more))
    wide.write_ipc(manifest.add("polars_wide.arrow", kinds, left_out=["point", "deep"], **more))
    wide.write_ipc_stream(manifest.add("polars_wide_stream.arrow", kinds, left_out=["point", "deep"], **more))

    flat = frame.select([n for n in FLAT if n in kinds])
    flat.write_csv(manifest.add("polars.csv", flat.columns))
    flat.write_csv(manifest.add("polars.tsv", flat.columns), separator="\t")
    frame.select(list(kinds)).write_ndjson(manifest.add("polars.jsonl", list(kinds)))
    frame.select(list(kinds)).write_ndjson(manifest.add("polars.ndjson", list(kinds)))


def write_duckdb(manifest):
    import duckdb

    quoted = lambda names: ", ".join(f'"{name}"' for name in names)

    kinds = {"i64": "bigint", "i32": "integer", "u64": "ubigint", "f64": "double", "f32": "float", "text": "varchar",
             "flag": "boolean", "day": "date", "at": "timestamp", "at_utc": "timestamptz", "clock": "time",
             "price": "decimal(10,2)", "big": "decimal(38,0)", "id": "uuid", "ints": "bigint[]", "words": "varchar[]"}
    base = duckdb.connect()
    base.execute("set timezone = 'UTC'")
    declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    base.execute(f"create table log (row integer, {declared})")
    for row in range(ROWS):
        base.execute(f"insert into log values ({', '.join('?' * (len(kinds) + 1))})", [row, *(LOG[n][row] for n in kinds)])
    more = {"row": of([str(row) for row in range(ROWS)])}

    def copy(file, names, options, select=None, **columns):
        select = select or quoted(["row", *kinds])
        base.execute(f"copy (select {select} from log order by row) to '{manifest.add(file, names, **columns)}' ({options})")

    for codec in ("snappy", "gzip", "zstd", "lz4", "brotli", "uncompressed"):
        copy(f"duckdb_{codec}_v1.parquet", kinds, f"format parquet, codec '{codec}', parquet_version v1", **more)
        near = [name for name in kinds if name != "i32"]
        copy(f"duckdb_{codec}_v2.parquet", near, f"format parquet, codec '{codec}', parquet_version v2", select=quoted(near))
    # Arrow takes deltas of more than 32 bits for damage (findings/duckdb_delta.sh).
    copy("duckdb_far.parquet", [], "format parquet, parquet_version v2", select="i64, i32", refused="i32")
    second = datetime.timedelta(seconds=1)
    selected = {
        "huge": ("i64::hugeint", expected("i64", [v and float(v) for v in LOG["i64"]])),  # it writes them as doubles
        "at_s": ('"at"::timestamp_s', expected("at", [m and (m + second / 2).replace(microsecond=0) for m in LOG["at"]])),
        "nanoseconds": ('"at"::timestamp_ns', expected("at")),
        "kind": ("(case when flag then 'a' when not flag then 'ü' end)::enum('a', 'ü')",
                 of([None if f is None else "a" if f else "ü" for f in LOG["flag"]])),
        "pair": ("[row, row + 1]::integer[2]", of([[str(r), str(r + 1)] for r in range(ROWS)])),
        "document": ("'{\"a\":1}'::json", of(['{"a":1}'] * ROWS)),
        "bytes": ("'abc'::blob", of(["abc"] * ROWS)),
        "forever": ("'infinity'::date", of([None] * ROWS)),  # some five million years on
        "small": ("(row - 3)::tinyint", of([str(r - 3) for r in range(ROWS)])),
    }
    left_out = {"point": "{'x': 1}", "map": "map {'k': 1}", "span": "interval '1 day'", "deep": "[[1]]"}
    select = ", ".join(f"{sql} as {name}" for name, sql in [*((n, s) for n, (s, _) in selected.items()), *left_out.items()])
    copy("duckdb_kinds.parquet", [], "format parquet", select=select, left_out=left_out, **{n: e for n, (_, e) in selected.items()})

    flat = [name for name in kinds if name in FLAT]
    for file, options in (("duckdb.csv", "format csv, header"), ("duckdb.tsv", "format csv, header, delimiter '\t'"),
                          ("duckdb.csv.gz", "format csv, header, compression gzip")):
        copy(file, flat, options, select=quoted(flat))
    for file, options in (("duckdb.jsonl", "format json"), ("duckdb.json", "format json"),
                          ("duckdb.jsonl.gz", "format json, compression gzip")):
        names = [name for name in kinds if name != "f32"]  # a float is written there as the double it widens to
        copy(file, names, options, select=quoted(names))


def write_spark(manifest):
    from pyspark.sql import SparkSession, types

    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate())
    kinds = {"i64": types.LongType(), "i32": types.IntegerType(), "f64": types.DoubleType(), "f32": types.FloatType(),
             "text": types.StringType(), "flag": types.BooleanType(), "day": types.DateType(), "at": types.TimestampNTZType(),
             "at_utc": types.TimestampType(), "price": types.DecimalType(10, 2), "big": types.DecimalType(38, 0),
             "ints": types.ArrayType(types.LongType()), "words": types.ArrayType(types.StringType())}
    schema = types.StructType([types.StructField(name, kind) for name, kind in kinds.items()])
    frame = spark.createDataFrame([tuple(LOG[name][row] for name in kinds) for row in range(ROWS)], schema).coalesce(1)
    for codec in ("snappy", "gzip", "zstd", "uncompressed"):
        frame.write.option("compression", codec).parquet(manifest.add(f"spark_{codec}_parquet", kinds))
    for name, key, value in (("int96", "spark.sql.parquet.outputTimestampType", "INT96"),
                             ("millis", "spark.sql.parquet.outputTimestampType", "TIMESTAMP_MILLIS"),
                             ("legacy", "spark.sql.parquet.writeLegacyFormat", "true")):
        spark.conf.set(key, value)
        ms = [m and m.replace(microsecond=m.microsecond // 1000 * 1000) for m in LOG["at_utc"]]
        more = {"at_utc": expected("at_utc", ms)} if name == "millis" else {}
        frame.write.parquet(manifest.add(f"spark_{name}_parquet", [n for n in kinds if n not in more], **more))
        spark.conf.unset(key)
    # Java writes the digits of the least numbers otherwise.
    java = {"4.9E-324": "5e-324", "1.4E-45": "1e-45"}
    least = {name: of([next((j for j, t in java.items() if text and float(text) == float(t)), text)
                       for text in expected(name)["texts"]]) for name in ("f64", "f32")}
    flat = [name for name in kinds if name in FLAT]
    formatted = dict(timestampFormat="yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", timestampNTZFormat="yyyy-MM-dd'T'HH:mm:ss.SSSSSS")
    frame.select(flat).write.options(header=True, escape='"', **formatted).csv(manifest.add("spark_csv", flat, **least))
    frame.write.options(**formatted).json(manifest.add("spark_json", kinds, **least))
    spark.stop()


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    manifest = Manifest(folder)
    globals()[f"write_{program}"](manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest.files))


if __name__ == "__main__":
    main()
