"""Candidates on Spark's workers: the lists of the model, written once."""

import json
import os
import sys

import numpy as np
import pagoda
import pytest
from conftest import FAST, make_log, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def session():
    from conftest import BUILD
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYTHONPATH"] = str(BUILD / "python")  # of the workers
    spark = (SparkSession.builder.master("local[2, 4]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "4").config("spark.driver.memory", "1g").getOrCreate())
    yield spark
    spark.stop()


def lists_of(rows):
    return {row["user"]: (list(row["items"]), list(row["scores"])) for row in rows}


def test_lists_are_those_of_retrieve(session, bundle, tmp_path):
    from pagoda.spark import recommend

    users = [f"u{n}" for n in range(300)] + ["stranger"]
    frame = session.createDataFrame([(u, n) for n, u in enumerate(users)], ["user", "n"]).repartition(5)
    recommend(frame, bundle, k=12, filter="year >= 1980").write.parquet(str(tmp_path / "out"))
    found = lists_of(session.read.parquet(str(tmp_path / "out")).collect())
    (tmp_path / "users.txt").write_text("\n".join(users) + "\n")
    out = run("retrieve", bundle, "--users", tmp_path / "users.txt", "--k", 12, "--filter", "year >= 1980", "--format", "jsonl")
    assert len(found) == len(users)
    for line in out.stdout.splitlines():
        wanted = json.loads(line)
        items, scores = found[wanted["user"]]
        assert items == wanted["items"] and np.allclose(scores, wanted["scores"], atol=1e-6)


def test_requests_with_histories_and_numbers(session, tmp_path):
    from pagoda.spark import recommend

    model = pagoda.train(make_log(text=False), **FAST)
    model.save(tmp_path / "numbers.pagoda")
    frame = session.createDataFrame([(1, [3, 4]), (2, [50])], "who long, history array<long>")
    rows = recommend(frame, tmp_path / "numbers.pagoda", k=5, user="who").collect()
    wanted = model.recommend([1, 2], k=5, history=[[3, 4], [50]])
    assert [list(r["items"]) for r in sorted(rows, key=lambda r: r["who"])] == wanted.ids.tolist()
    assert dict(frame.dtypes)["who"] == "bigint"


def test_a_task_that_dies_is_tried_again_and_nothing_is_twice(session, bundle, tmp_path):
    from pagoda.spark import recommend

    flag = str(tmp_path / "died")

    def die_once(batches):
        for batch in batches:
            if not os.path.exists(flag):
                open(flag, "w").close()
                os._exit(9)
            yield batch

    users = [(f"u{n}",) for n in range(200)]
    frame = session.createDataFrame(users, ["user"]).repartition(4).mapInArrow(die_once, "user string")
    recommend(frame, bundle, k=3).write.parquet(str(tmp_path / "out"))
    assert os.path.exists(flag)
    rows = session.read.parquet(str(tmp_path / "out")).collect()
    assert sorted(r["user"] for r in rows) == sorted(u for u, in users)
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith("_temporary")]


def test_errors_come_before_the_work(session, bundle, tmp_path):
    from pagoda.spark import recommend

    frame = session.createDataFrame([("u1",)], ["user"])
    with pytest.raises(pagoda.InputError, match="no such file"):
        recommend(frame, tmp_path / "nowhere.pagoda")
    with pytest.raises(pagoda.InputError, match="no column 'who'"):
        recommend(frame, bundle, user="who")
    with pytest.raises(pagoda.UsageError, match="did you mean"):
        recommend(frame, bundle, filter="yaer > 3")
