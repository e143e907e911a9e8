"""One small log as Python values, which every program writes in its own way, and what is read of each column."""

import datetime
import uuid
from decimal import Decimal

import numpy

from formats import values

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)

MOMENTS = [datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), datetime.datetime(1970, 1, 1),
           datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(2038, 1, 19, 3, 14, 8), None,
           datetime.datetime(1900, 1, 1)]

LOG = {
    "i64": [2**53 + 1, -(2**63), 2**63 - 1, 0, None, 1700000000123456003],
    "i32": [1, -(2**31), 2**31 - 1, 0, None, 7],
    "u64": [0, 2**64 - 1, 2**63, 1, None, 12],
    "f64": [0.1, -0.0, 1e300, 5e-324, None, 2.0],
    "f32": [0.1, 9.99, 16777216.0, 2.0, None, 1e-45],
    "text": ["u1", "ü 日本 🙂", "a,b", 'say "x"', None, "000012"],
    "flag": [True, False, True, False, None, True],
    "day": [m and m.date() for m in MOMENTS],
    "at": MOMENTS,
    "at_utc": [m and m.replace(tzinfo=UTC) for m in MOMENTS],
    "clock": [m and m.time() for m in MOMENTS],
    "price": [Decimal("0.35"), Decimal("9.99"), Decimal("-20.00"), Decimal("0.00"), None, Decimal("99999999.99")],
    "big": [Decimal(1700000000123456000), Decimal(2**64 + 1), Decimal(-(10**38) + 1), Decimal(0), None, Decimal(10**38 - 1)],
    "id": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID("123e4567-e89b-12d3-a456-426614174000"),
           uuid.UUID("61616161-6161-6161-6161-616161616161"), None, uuid.UUID(int=1)],
    "ints": [[2**53 + 1, 7], [], [1], [-(2**63)], None, [12, 13, 14]],
    "words": [["a", "b"], [], ["c|d"], ["ü"], None, ["", "e"]],
}
ROWS = len(MOMENTS)


def text_of(value, single=False):
    """The canonical text of a Python value, or of each in a list; `single`: of a 32-bit float."""
    if value is None or value != value:
        return None
    if isinstance(value, (list, tuple, numpy.ndarray)):
        return [t for t in (text_of(v, single) for v in value) if t is not None]
    if isinstance(value, (bool, numpy.bool_)):
        return str(value).lower()
    if isinstance(value, (float, numpy.floating)):
        kind = type(value) if isinstance(value, numpy.floating) else numpy.float32 if single else numpy.float64
        return values.real(value, kind)
    if isinstance(value, (int, Decimal, numpy.integer)):
        return values.number(int(value) if isinstance(value, numpy.integer) else value)
    if isinstance(value, datetime.timedelta):
        return values.number(Decimal(value // datetime.timedelta(microseconds=1)) / 10**6)
    if isinstance(value, datetime.date):
        return values.time(us_of(value))
    if isinstance(value, datetime.time):
        us = ((value.hour * 60 + value.minute) * 60 + value.second) * 10**6 + value.microsecond
        return values.time_of_day(us * 1000)
    return value.decode() if isinstance(value, bytes) else str(value)


def us_of(value):
    """Microseconds since 1970 of a date or a datetime; without a zone it is in UTC."""
    if value is None:
        return None
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    return (value.replace(tzinfo=value.tzinfo or UTC) - EPOCH) // datetime.timedelta(microseconds=1)


def expected(name, cells=None):
    """What is read of a column: {"texts": [...], "us": [...] or None}."""
    cells = LOG[name] if cells is None else cells
    times = name in ("day", "at", "at_utc")
    return {"texts": [text_of(v, name == "f32") for v in cells], "us": [us_of(v) for v in cells] if times else None}
