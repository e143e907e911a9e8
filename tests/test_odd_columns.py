"""One column of an odd type costs no other, and is named: by `init` when it is left out, by an error when asked for."""

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 300


def log_with(**more):
    return pa.table({"user_id": [f"u{i % 20}" for i in range(ROWS)], "item_id": [f"i{i % 30}" for i in range(ROWS)],
                     "ts": pa.array([1704067200000000 + i * 3600000000 for i in range(ROWS)], pa.timestamp("us")), **more})


def test_a_column_of_the_log_that_is_left_out_is_named(cli, tmp_path):
    pq.write_table(log_with(place=pa.array([{"city": "x"}] * ROWS)), tmp_path / "log.parquet")
    cli("init", "log.parquet", cwd=tmp_path, says=["column 'place': 1 file(s) hold it as struct<city: string>"])
    cli("train", "--interactions", "log.parquet", "--user", "place", "--item", "item_id", "-o", "m.pagoda", cwd=tmp_path,
        code=3, says=["column 'place' is of type struct<city: ", "cannot be read"])


def test_vectors_of_items_are_no_words(cli, tmp_path):
    pq.write_table(log_with(), tmp_path / "log.parquet")
    items = pa.table({"item_id": [f"i{i}" for i in range(30)],
                      "emb": pa.array([[i + 0.25, i - 0.5, 0.125, 0.75] for i in range(30)], pa.list_(pa.float32()))})
    pq.write_table(items, tmp_path / "items.parquet")
    cli("init", "log.parquet", "--items", "items.parquet", cwd=tmp_path, says=["each cell is a vector of 4 numbers"])
    assert 'column = "emb"\n' in (tmp_path / "pagoda.toml").read_text()
    cli("train", "-c", "pagoda.toml", "--set", "train.epochs=1", "--set", "item.features=[]", "-o", "m.pagoda", cwd=tmp_path,
        says=["column 'emb': 30 cells are vectors of 4 numbers, and were left out"])
