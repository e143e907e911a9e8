"""Candidates on Ray's workers: the lists of the model."""

import os

import pagoda
import pyarrow
import pytest
from conftest import BUILD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    import ray

    os.environ["PYTHONPATH"] = str(BUILD / "python")  # of the workers
    ray.init(num_cpus=4, include_dashboard=False, logging_level="error", object_store_memory=200_000_000,
             runtime_env={"env_vars": {"PYTHONPATH": str(BUILD / "python")}})
    yield ray
    ray.shutdown()


def test_lists_are_those_of_the_model(cluster, bundle, tmp_path):
    import pyarrow.parquet
    from pagoda.ray import recommend

    users = [f"u{n}" for n in range(300)]
    dataset = cluster.data.from_arrow(pyarrow.table({"user": users})).repartition(7)
    recommend(dataset, bundle, k=12, filter="year >= 1980", workers=2, batch_size=40).write_parquet(str(tmp_path / "out"))
    found = pyarrow.parquet.read_table(tmp_path / "out").to_pylist()
    wanted = pagoda.load(bundle).recommend(users, k=12, filter="year >= 1980")
    lists = {row["user"]: row["items"] for row in found}
    assert len(found) == len(users) == len(lists)
    for n, user in enumerate(users):
        assert lists[user] == list(wanted[n][0])


def test_errors_come_before_the_work(cluster, bundle):
    from pagoda.ray import recommend

    dataset = cluster.data.from_items([{"user": "u1"}])
    with pytest.raises(pagoda.InputError, match="no such file"):
        recommend(dataset, "/nowhere.pagoda")
    with pytest.raises(pagoda.UsageError, match="did you mean"):
        recommend(dataset, bundle, filter="yaer > 3")
