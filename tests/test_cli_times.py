"""Times of a log, however they are written: one unit and one order of day and month a column, and clocks that are off."""

import datetime
import json
import random

import pyarrow
import pyarrow.parquet
import pytest

START, DAY = 1700000000, 86400
QUICK = ("--set", "train.epochs=1", "--set", "train.batch=64", "--set", "model.dim=8")
LAST = ("--set", "data.split.kind=leave_last")


def rows(times):
    draw = random.Random(3)
    return [(f"u{draw.randrange(20)}", f"i{draw.randrange(30)}", time) for time in times]


def write(path, times):
    path.write_text("user_id,item_id,ts\n" + "".join(f'{u},{i},"{t}"\n' for u, i, t in rows(times)))
    return path


def train(cli, log, *more, **options):
    columns = ("--user", "user_id", "--item", "item_id", "--time", "ts")
    return cli("train", "--interactions", log, *columns, *QUICK, *more, "-o", log.parent / "m.pagoda", **options)


def moment(cli, folder):
    return json.loads(cli("inspect", folder / "m.pagoda", "--json").stdout)["info"]["moment_us"]


def day(n):
    return datetime.datetime.fromtimestamp(START, datetime.timezone.utc) + datetime.timedelta(hours=5 * n)


FORMS = {
    "seconds": (lambda t: int(t.timestamp()), "numbers are seconds since 1970"),
    "milliseconds": (lambda t: int(t.timestamp()) * 1000, "numbers are milliseconds since 1970"),
    "nanoseconds": (lambda t: int(t.timestamp()) * 10**9, "numbers are nanoseconds since 1970"),
    "digits": (lambda t: t.strftime("%Y%m%d%H%M%S"), "numbers are dates such as 20240501"),
    "iso": (lambda t: t.isoformat(), ""),
    "us": (lambda t: t.strftime("%m/%d/%Y %I:%M:%S %p"), "dates are month/day/year"),
    "german": (lambda t: t.strftime("%d.%m.%Y %H:%M:%S"), "dates are day/month/year"),
    "mail": (lambda t: t.strftime("%a, %d %b %Y %H:%M:%S GMT"), ""),
    "apache": (lambda t: t.strftime("%d/%b/%Y:%H:%M:%S +0000"), ""),
    "slashes": (lambda t: t.strftime("%Y/%m/%d %H:%M:%S"), ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_to_write_a_time_is_read_and_said(cli, tmp_path, form):
    write_time, said = FORMS[form]
    log = write(tmp_path / "log.csv", [write_time(day(n)) for n in range(300)])
    stderr = train(cli, log, *LAST).stderr
    assert said in stderr
    assert START * 10**6 < moment(cli, tmp_path) <= int(day(299).timestamp()) * 10**6
    proposal = cli("init", log, "-o", tmp_path / "p.toml").stderr
    assert 'time = "ts"' in (tmp_path / "p.toml").read_text() and 'kind = "time"' in (tmp_path / "p.toml").read_text()
    assert said in proposal and day(299).strftime("to %Y-%m-%dT%H:%M:%SZ") in proposal


def test_a_day_alone_in_digits(cli, tmp_path):
    log = write(tmp_path / "log.csv", [day(n).strftime("%Y%m%d") for n in range(300)])
    assert "numbers are dates such as 20240501; from 2023-11-14T00:00:00Z" in train(cli, log, *LAST).stderr


def test_a_unit_that_is_told_holds_for_every_number(cli, tmp_path):
    log = write(tmp_path / "log.csv", [n * 6_480_000_000 for n in range(40)])
    stderr = train(cli, log, *LAST, "--set", "data.time_unit=us").stderr
    assert "numbers are microseconds since 1970; from 1970-01-01T00:00:00Z to 1970-01-03T22:12:00Z" in stderr
    cli("train", "--interactions", log, "--user", "user_id", "--item", "item_id", "--set", "data.time_unit=hours", "-o",
        tmp_path / "x.pagoda", code=2)


def test_dates_that_do_not_tell_day_from_month_are_refused_with_a_remedy_that_works(cli, tmp_path):
    log = write(tmp_path / "log.csv", [f"{1 + n % 12:02}/{1 + n // 30:02}/2023" for n in range(300)])
    train(cli, log, *LAST, code=3, says=["log.csv:3: column 'ts' is", 'data.date_order = "day_first" or "month_first"'])
    proposal = cli("init", log, "-o", tmp_path / "p.toml").stderr
    assert "no row tells whether the day or the month comes first (" in proposal and "log.csv:" in proposal
    train(cli, log, *LAST, "--set", "data.date_order=day_first")
    first = moment(cli, tmp_path)
    train(cli, log, *LAST, "--set", "data.date_order=month_first")
    assert moment(cli, tmp_path) != first


@pytest.mark.parametrize("bad", ["4070908800", "0", "-1", "-62135596800", "1700000000000"])
def test_a_bad_clock_is_named_and_the_split_stays_by_time(cli, tmp_path, bad):
    times = [START + n * 3600 for n in range(3000)]
    times[1234] = bad
    log = write(tmp_path / "log.csv", times)
    proposal = cli("init", log, "-o", tmp_path / "p.toml").stderr
    assert "1 of 3000 rows have a time that cannot be" in proposal and "log.csv:1236: " in proposal
    assert 'kind = "time"' in (tmp_path / "p.toml").read_text()
    words = ("train", "-c", tmp_path / "p.toml", *QUICK, "-o", tmp_path / "m.pagoda")
    cli(*words, code=3, says=["log.csv:1236: column 'ts' is", "1 of 3000 rows lie", 'on_bad_row = "skip"', "data.clock"])
    assert "1 bad row(s) skipped" in cli(*words, "--set", "data.on_bad_row=skip").stderr
    cli(*words, "--set", "data.clock=trust", "--set", "data.split.kind=leave_last")


def test_a_timestamp_of_parquet_beyond_the_clock_is_named(cli, tmp_path):
    times = [day(n).replace(tzinfo=None) for n in range(300)]
    times[7] = datetime.datetime(9999, 12, 31)
    user, item, time = zip(*rows(times))
    for how in ({"use_deprecated_int96_timestamps": True}, {}):
        table = pyarrow.table({"user_id": user, "item_id": item, "ts": pyarrow.array(time, pyarrow.timestamp("us"))})
        pyarrow.parquet.write_table(table, tmp_path / "log.parquet", **how)
        train(cli, tmp_path / "log.parquet", *LAST, code=3, says=["log.parquet: row 8", "9999-12-31"])


def test_a_request_is_read_in_the_unit_of_the_log(cli, tmp_path):
    log = write(tmp_path / "log.csv", [(START + n * 3600) * 1000 for n in range(300)])
    train(cli, log, *LAST)
    ask = ("retrieve", tmp_path / "m.pagoda", "--users", "-", "--k", 3)
    cli(*ask, stdin=json.dumps({"user": "u1", "time": (START + 3600) * 1000}))
    cli(*ask, stdin=json.dumps({"user": "u1", "time": "2024-05-01T10:00:00Z"}))
    cli(*ask, stdin=json.dumps({"user": "u1", "time": START}), code=3, says=["'time' is 1970-01-20", "(ms)"])


def test_a_given_test_file_is_read_in_the_unit_of_the_log(cli, tmp_path):
    log = write(tmp_path / "log.csv", [START + n * 3600 for n in range(300)])
    (tmp_path / "test.csv").write_text("user_id,item_id,ts\n" + "".join(f"u{n},i{n},{START * 1000}\n" for n in range(20)))
    train(cli, log, "--set", "data.split.kind=given", "--set", f'data.split.test_files=["{tmp_path}/test.csv"]', code=3,
          says=["test.csv:2: column 'ts' is '1700000000000'", "lie in the future"])


def test_dates_of_the_item_table_are_of_one_order(cli, tmp_path):
    log = write(tmp_path / "log.csv", [START + n * 3600 for n in range(300)])
    (tmp_path / "items.csv").write_text("item_id,released\n" + "".join(f"i{n},{1 + n % 28:02}/{1 + n % 12:02}/2020\n" for n in range(30)))
    train(cli, log, "--items", tmp_path / "items.csv", *LAST, "--set",
          'item.features=[{column="released",kind="time",part="age"}]')
    figures = json.loads(cli("evaluate", tmp_path / "m.pagoda", "--json", "-").stdout)
    assert figures["item_age_source"] == "released" and "unknown" not in {b["age"] for b in figures["by_item_age"]}
