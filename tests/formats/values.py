"""Values at the ends of every type that Arrow and Parquet hold, and the text that each has once Pagoda has read it.

The texts come from Python's decimal, datetime and uuid and from NumPy, never from a reader of tables.
"""

import dataclasses
import datetime
import decimal
import uuid

import numpy
import pyarrow as pa

Decimal = decimal.Decimal
decimal.getcontext().prec = 400  # nothing below rounds
INT64 = (-(2**63), 2**63 - 1)
LONGEST_PLAIN = 80


# ---- the canonical text of a value ----


def number(value):
    """Of an int or a Decimal: plain digits; beyond 80 characters with an exponent."""
    value = Decimal(value)
    if value == 0:
        return "0"
    plain = f"{value:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    if len(plain.lstrip("-")) <= LONGEST_PLAIN:
        return plain
    sign, digits, exponent = value.normalize().as_tuple()
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{len(digits) - 1 + exponent:+d}"


def real(value, kind=numpy.float64):
    """A whole number below 2^64 to the last digit, else the shortest decimal that reads back as the same float; None for NaN."""
    value = kind(value)
    if numpy.isnan(value):
        return None
    if numpy.isinf(value):
        return "inf" if value > 0 else "-inf"
    if abs(float(value)) < 2**64 and value == int(value):
        return number(int(value))
    return number(Decimal(numpy.format_float_scientific(value, unique=True)))


def time(us):
    """Of microseconds since 1970: ISO 8601 with Z; None beyond what int64 holds."""
    if us is None or not INT64[0] <= us <= INT64[1]:
        return None
    days, rest = divmod(us, 86_400_000_000)
    year, month, day = civil(days)
    seconds, fraction = divmod(rest, 1_000_000)
    sign, year = ("-", -year) if year < 0 else ("", year)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{sign}{year:04}-{month:02}-{day:02}T{clock}" + (f".{fraction:06}" if fraction else "") + "Z"


def civil(days):
    """Year, month and day, by the Gregorian calendar's cycle of 400 years."""
    cycle, rest = divmod(days + 719162, 146097)  # 719162: from 0001-01-01 to 1970-01-01
    date = datetime.date.fromordinal(rest + 1)
    return date.year + 400 * cycle, date.month, date.day


def time_of_day(ns):
    seconds, fraction = divmod(ns, 1_000_000_000)
    tail = f".{fraction:09}".rstrip("0") if fraction else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"


# ---- the columns ----


@dataclasses.dataclass
class Values:
    """A column: what Arrow holds, and what is read of it. `us` where it is one of times: its microseconds."""

    name: str
    array: pa.Array
    texts: list
    us: list | None = None
    plain: list | None = None  # the texts where a Parquet file lacks Arrow's own schema; None: the same
    parquet: bool = True       # whether pyarrow can write it to Parquet
    whole_us: bool = True      # false: a version of Parquet before 2.6 would round it
    lost: bool = False         # whether something of it cannot be read as it is, which must be said

    def repeated(self, rows):
        """The same values over and over, each seventh row a null."""
        order = [None if i % 7 == 6 else (i - i // 7) % len(self.texts) for i in range(rows)]
        pick = lambda values: values and [None if i is None else values[i] for i in order]
        return dataclasses.replace(self, array=taken(self.array, order), texts=pick(self.texts), us=pick(self.us),
                                   plain=pick(self.plain))


def taken(array, order):
    """array.take(order) of any type; Arrow's own knows no views, run ends and unions."""
    if pa.types.is_run_end_encoded(array.type):
        return pa.compute.run_end_encode(taken(pa.compute.run_end_decode(array), order),
                                         run_end_type=array.type.run_end_type)
    try:
        return array.take(pa.array(order, pa.int64()))
    except pa.ArrowNotImplementedError:
        values = array.to_pylist()
        return pa.array([None if i is None else values[i] for i in order], array.type)


def integers():
    for bits in (8, 16, 32, 64):
        signed = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1, 1]
        unsigned = [0, 2**bits - 1, 2 ** (bits - 1), 1]
        if bits == 64:
            signed += [2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 1700000000123456003]
            unsigned += [2**63 - 1, 2**63 + 1, 2**53 + 1]
        yield f"int{bits}", pa.array(signed, getattr(pa, f"int{bits}")()), [number(v) for v in signed]
        yield f"uint{bits}", pa.array(unsigned, getattr(pa, f"uint{bits}")()), [number(v) for v in unsigned]
    small = [-(2**63), 5, 7]
    yield "int64_small", pa.array(small), [number(v) for v in small]


def reals():
    common = [0.0, -0.0, 0.1, 0.35, 9.99, 1 / 3, 2.0, -1.5, float("nan"), float("inf"), float("-inf")]
    for kind, arrow, more in (
            (numpy.float16, pa.float16(), [65504.0, 2.0**-24, 2048.0]),
            (numpy.float32, pa.float32(), [3.4028234663852886e38, 1e-45, 16777216.0, 16777218.0, 1e10, 20.0]),
            (numpy.float64, pa.float64(), [1.7976931348623157e308, 5e-324, 2.0**53, 1e22, 1e23, 1e78, 1e79, 1e80, 1e-77,
                                           1e-78, 1e-79, 123456789.123456789])):
        values = numpy.array(common + more, kind)
        yield Values(kind.__name__, pa.array(values, arrow), [real(v, kind) for v in values], lost=True)  # the NaN


def decimals():
    for bits, digits in ((32, 9), (64, 18), (128, 38), (256, 76)):
        for scale in (0, 2, digits):
            most = Decimal(10**digits - 1).scaleb(-scale)
            values = [most, -most, Decimal(0).scaleb(-scale), Decimal(1).scaleb(-scale)]
            if scale == 2:
                values += [Decimal("0.35"), Decimal("9.99"), Decimal("20.00"), Decimal("-0.50")]
            if scale == 0 and bits >= 64:
                values += [Decimal(170000000012345600 + i) for i in range(4)]
            if scale == 0 and bits >= 128:
                values += [Decimal(2**53 + 1), Decimal(2**63 - 1), Decimal(2**63), Decimal(2**64 + 1), Decimal(-(2**63) - 1)]
            kind = getattr(pa, f"decimal{bits}")(digits, scale)
            yield f"decimal{bits}_{digits}_{scale}", pa.array(values, kind), [number(v) for v in values]


TEXTS = ["", "u1", "ü", "日本語", "🙂", "a\nb", "a\tb", 'say "x"', "a,b", " blank ", "x" * 5000, "NA", "null", "nan", "None",
         "000012", "12", "1e3", "{}", "[1, 2]", "\\N", "\u00a0", "\u0000z"]


def texts():
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()):
        yield str(kind), pa.array(TEXTS, pa.string()).cast(kind), TEXTS
    four = ["abcd", "0012", "é\u00e9"]
    yield "fixed_size_binary", pa.array([t.encode() for t in four], pa.binary(4)), four
    json_texts = ['{"a": 1}', "[]", '"x"']
    yield "json", pa.ExtensionArray.from_storage(pa.json_(), pa.array(json_texts)), json_texts
    opaque = pa.opaque(pa.string(), "point", "a database")
    yield "opaque", pa.ExtensionArray.from_storage(opaque, pa.array(["x", "y"])), ["x", "y"]


def uuids():
    values = [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID("123e4567-e89b-12d3-a456-426614174000"),
              uuid.UUID("61616161-6161-6161-6161-616161616161")]  # the bytes of the last are a text
    yield "uuid", pa.ExtensionArray.from_storage(pa.uuid(), pa.array([v.bytes for v in values], pa.binary(16))), [
        str(v) for v in values]


def booleans():
    yield "bool", pa.array([True, False]), ["true", "false"]


def bool8():
    array = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, 7], pa.int8()))
    yield Values("bool8", array, ["true", "false", "true"], plain=["1", "0", "7"])


MOMENTS = [datetime.datetime(*d, tzinfo=datetime.timezone.utc) for d in (
    (1, 1, 1), (1677, 9, 21), (1900, 1, 1), (1969, 12, 31, 23, 59, 59), (1970, 1, 1), (2024, 2, 29, 12, 30, 15),
    (2038, 1, 19, 3, 14, 8), (2099, 6, 1), (2262, 4, 12), (9999, 12, 31, 23, 59, 59))]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def seconds_of(moment):
    return (moment - EPOCH) // datetime.timedelta(seconds=1)


def times():
    seconds = [seconds_of(m) for m in MOMENTS]
    ends_of_us = [INT64[0] // 1_000_000 + 1, INT64[1] // 1_000_000]
    for unit, per_second in (("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)):
        values = [s * per_second for s in seconds + ends_of_us if INT64[0] <= s * per_second <= INT64[1]]
        if per_second > 1:
            values += [1714557296123456789 // (10**9 // per_second), -1, 1]
        if unit == "us":
            values += list(INT64)
        if unit in ("s", "ms"):
            values += [INT64[1], INT64[0]]  # beyond what microseconds hold
        us = [v * 10**6 // per_second for v in values]
        us = [t if INT64[0] <= t <= INT64[1] else None for t in us]
        for zone in (None, "UTC", "Europe/Berlin", "+05:30"):
            name = f"timestamp_{unit}" + (f"_{zone}" if zone else "")
            yield Values(name, pa.array(values, pa.int64()).cast(pa.timestamp(unit, zone)), [time(t) for t in us], us,
                         parquet=unit != "s", whole_us=unit != "ns", lost=unit != "us")
    # Parquet has no seconds: they are milliseconds there, and those that are too many cannot be written.
    for name, values in (("timestamp_s_fit", seconds), ("timestamp_s_early", [-62167219200, -62198755200, -10**11])):
        us = [v * 10**6 for v in values]
        yield Values(name, pa.array(values, pa.int64()).cast(pa.timestamp("s")), [time(t) for t in us], us)
    whole = [s * 10**9 + 123456000 for s in seconds if abs(s) < 9 * 10**9]
    us = [v // 1000 for v in whole]
    yield Values("timestamp_ns_whole", pa.array(whole, pa.int64()).cast(pa.timestamp("ns")), [time(t) for t in us], us)


def dates():
    days = [s // 86400 for s in map(seconds_of, MOMENTS)]
    far = [2**31 - 1, -(2**31), 106751991, -106751991]
    us = [d * 86_400_000_000 for d in days + far]
    us = [t if INT64[0] <= t <= INT64[1] else None for t in us]
    yield Values("date32", pa.array(days + far, pa.int32()).cast(pa.date32()), [time(t) for t in us], us, lost=True)
    us = [d * 86_400_000_000 for d in days]
    yield Values("date64", pa.array([d * 86_400_000 for d in days], pa.int64()).cast(pa.date64()), [time(t) for t in us], us)


def times_of_day():
    for unit, kind, per_second in (("s", pa.time32, 1), ("ms", pa.time32, 1000), ("us", pa.time64, 10**6),
                                   ("ns", pa.time64, 10**9)):
        values = [0, 86400 * per_second - 1, 45015 * per_second, 45015 * per_second + per_second // 2]
        integers = pa.array(values, pa.int32() if kind is pa.time32 else pa.int64())
        yield Values(f"time_{unit}", integers.cast(kind(unit)), [time_of_day(v * 10**9 // per_second) for v in values],
                     whole_us=unit != "ns")


def durations():
    for unit, per_second in (("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)):
        values = [0, -1, 1, 3 * per_second // 2, 86400 * per_second, *INT64]
        array = pa.array(values, pa.int64()).cast(pa.duration(unit))
        yield Values(f"duration_{unit}", array, [number(Decimal(v) / per_second) for v in values],
                     plain=[number(v) for v in values])


def encoded():
    """Dictionaries and runs of the types above."""
    words = ["a", "b", "", "ü"]
    for index in (pa.int8(), pa.uint16(), pa.int32(), pa.int64()):
        array = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3], index), pa.array(words))
        yield f"dictionary_{index}", array, words
    late = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), pa.array(["a", None, "b"]))
    yield Values("dictionary_with_null", late, ["a", None, "b"], parquet=False)
    for name, array, expected in (
            ("int64", pa.array([2**53 + 1, 5, -(2**63)]), [str(2**53 + 1), "5", str(-(2**63))]),
            ("float32", pa.array([0.1, 2.0], pa.float32()), ["0.1", "2"]),
            ("decimal", pa.array([Decimal("0.35"), Decimal("9.99")]), ["0.35", "9.99"]),
            ("large_string", pa.array(["x", "y"], pa.large_string()), ["x", "y"]),
            ("binary", pa.array([b"x", b"y"]), ["x", "y"])):
        yield f"dictionary_of_{name}", array.dictionary_encode(), expected
    moments = [0, 1714557296123456]
    yield Values("dictionary_of_timestamp", pa.array(moments, pa.timestamp("us")).dictionary_encode(),
                 [time(t) for t in moments], moments)
    for kind in (pa.int16(), pa.int32(), pa.int64()):
        runs = pa.compute.run_end_encode(pa.array(["a", "a", "b", "c"]), run_end_type=kind)
        yield Values(f"runs_{kind}", runs, ["a", "a", "b", "c"], parquet=False)
    yield Values("runs_of_int64", pa.compute.run_end_encode(pa.array([2**53 + 1, 2**53 + 1, 7])),
                 [str(2**53 + 1)] * 2 + ["7"], parquet=False)


def lists():
    """A null or a NaN in a list is dropped; a list of nothing is not a null."""
    for name, kind, values, text in (
            ("int64", pa.int64(), [[2**53 + 1, -(2**63)], [], [7, None, 8], None], number),
            ("uint64", pa.uint64(), [[2**64 - 1], [0, 1]], number),
            ("string", pa.string(), [["a", "b|c", ""], [None], [], None, ["ü", "1,5"]], str),
            ("float32", pa.float32(), [[0.1, 9.99], [float("nan"), 2.0]], lambda v: real(v, numpy.float32)),
            ("float64", pa.float64(), [[0.1, 1e300], [None, 2.0]], real),
            ("decimal", pa.decimal128(38, 2), [[Decimal("0.35")], [Decimal(2**64)]], number),
            ("bool", pa.bool_(), [[True, False], []], lambda v: str(v).lower()),
            ("timestamp", pa.timestamp("us"), [[0, 1714557296000000], []], time),
            ("binary", pa.binary(), [[b"x", b"y"], []], bytes.decode)):
        expected = [None if row is None else [t for t in (None if v is None else text(v) for v in row) if t is not None]
                    for row in values]
        lost = any(v is None or v != v for row in values if row for v in row)
        for shape in (pa.list_, pa.large_list, pa.list_view, pa.large_list_view):
            yield Values(f"{shape(kind)}", pa.array(values, shape(kind)), expected, lost=lost)
    pairs = [[1, 2], [3, None], None]
    yield Values("fixed_size_list", pa.array(pairs, pa.list_(pa.int32(), 2)), [["1", "2"], ["3"], None], lost=True)
    words = pa.array([["a", "b"], ["a"]], pa.list_(pa.string()))
    coded = pa.ListArray.from_arrays(words.offsets, words.values.dictionary_encode())
    yield "list_of_dictionary", coded, [["a", "b"], ["a"]]


def nulls():
    yield "null", pa.nulls(3), [None, None, None]


def every_column():
    for family in (integers, reals, decimals, texts, uuids, booleans, bool8, times, dates, times_of_day, durations, encoded,
                   lists, nulls):
        for made in family():
            yield made if isinstance(made, Values) else Values(*made)
