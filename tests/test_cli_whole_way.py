"""The whole way of a person with a log: simulate, train, evaluate, index, retrieve, similar, encode, inspect, report."""

import html.parser
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DAY_US = 86_400_000_000
TEST_US = 30 * DAY_US


def read_tsv(text):
    """[(key, [items], [scores])] of consecutive lines, their ranks checked."""
    lists = []
    for line in text.splitlines():
        key, item, rank, score = line.split("\t")
        if rank == "1":
            lists.append((key, [], []))
        assert lists[-1][0] == key and int(rank) == len(lists[-1][1]) + 1
        lists[-1][1].append(item)
        lists[-1][2].append(np.float32(score))
    return lists


def item_order(cli, model, folder):
    cli("encode", model, "items", "-o", folder / "items.npy")
    return {item: row for row, item in enumerate((folder / "items.npy.ids.txt").read_text().splitlines())}


def test_bf16_trains_saves_and_answers(cli, world, tmp_path):
    model = tmp_path / "m.pagoda"
    cli("train", "--interactions", world / "interactions.parquet", "--user", "user_id", "--item", "item_id", "--time", "ts",
        "--set", "train.epochs=1", "--set", "model.dim=8", "--set", "model.precision=bf16", "--set", "model.table_precision=bf16", "-o", model)
    measured = json.loads(cli("evaluate", model, "--k", "20", "--json", "-").stdout)
    assert measured["metrics"]["recall@20"] > 0


def test_a_log_alone_is_enough_to_train(cli, world, tmp_path):
    model = tmp_path / "m.pagoda"
    done = cli("train", "--interactions", world / "interactions.parquet", "--user", "user_id", "--item", "item_id", "--time", "ts",
               "--set", "train.epochs=1", "--set", "model.dim=8", "-o", model)
    assert done.stdout == ""
    shown = json.loads(cli("inspect", model, "--json").stdout)
    assert shown["info"]["users"] == 250 and shown["info"]["dim"] == 8
    assert 'kind = "time"' in shown["config"], "data with times is split by time, whatever else is set"
    lists = read_tsv(cli("retrieve", model, "--users", "-", "--k", 7, "--format", "tsv", stdin="u1\nu2\n").stdout)
    assert [(key, len(items)) for key, items, _ in lists] == [("u1", 7), ("u2", 7)]


def test_a_profile_says_where_the_time_of_the_steps_went(cli, world, tmp_path):
    done = cli("train", "--interactions", world / "interactions.parquet", "--time", "ts", "--set", "train.epochs=1", "--set", "train.refit=false",
               "--set", "model.dim=8", "--profile", "-o", tmp_path / "m.pagoda")
    lines = done.stderr[done.stderr.index("stage "):].splitlines()
    shares = {line.split()[0]: float(line.split()[3].rstrip("%")) for line in lines[1:11]}
    assert list(shares) == ["read", "sample", "encode", "gather", "towers", "loss", "backward", "combine", "update", "between"]
    assert abs(sum(shares.values()) - 100) < 1 and shares["loss"] > 0
    assert lines[11].split()[-1] == "steps" and lines[13].startswith("reader ")
    assert lines[12].startswith("median ") and lines[12].endswith("of the steps after the first two")


@pytest.fixture(scope="module")
def truth(world):
    """Per user of the last 30 days: the items; and what came before."""
    log = pq.read_table(world / "interactions.parquet").to_pydict()
    times = [t.timestamp() for t in log["ts"]]
    cut = max(times) - TEST_US / 1e6
    test, before = {}, {}
    for user, item, time in zip(log["user_id"], log["item_id"], times):
        (test if time > cut else before).setdefault(user, set()).add(item)
    return test, before


def test_evaluate_agrees_with_a_ranking_of_its_own_lists_by_other_code(cli, model, truth, tmp_path):
    copy = tmp_path / "m.pagoda"
    shutil.copy(model, copy)
    cli("evaluate", copy, "--json", tmp_path / "e.json")
    figures = json.loads((tmp_path / "e.json").read_text())
    test, before = truth
    users = [user for user in test if user in before]
    assert figures["split"] == "test" and figures["chosen_on"] == "validation"
    assert figures["users"] == len(users) and figures["items"] == 300
    (tmp_path / "users.txt").write_text("\n".join(users) + "\n")
    cli("retrieve", copy, "--users", tmp_path / "users.txt", "--k", 100, "-o", tmp_path / "lists.tsv")
    lists = {key: items for key, items, _ in read_tsv((tmp_path / "lists.tsv").read_text())}

    sums = {}
    for user in users:
        # A test item that the user had before cannot come back: it counts as a miss.
        hits = [item in test[user] for item in lists[user]]
        assert not set(lists[user]) & before[user]
        for k in (5, 20, 100):
            first = next((rank for rank, hit in enumerate(hits[:k]) if hit), None)
            best = sum(1 / math.log2(rank + 2) for rank in range(min(k, len(test[user]))))
            values = {"recall": sum(hits[:k]) / len(test[user]), "hit_rate": float(first is not None),
                      "mrr": 0.0 if first is None else 1 / (first + 1), "precision": sum(hits[:k]) / k,
                      "map": sum(sum(hits[:rank + 1]) / (rank + 1) for rank, hit in enumerate(hits[:k]) if hit)
                      / min(k, len(test[user])),
                      "ndcg": sum(1 / math.log2(rank + 2) for rank, hit in enumerate(hits[:k]) if hit) / best}
            for name, value in values.items():
                sums[f"{name}@{k}"] = sums.get(f"{name}@{k}", 0.0) + value
    assert set(figures["metrics"]) == set(sums)
    for name, value in sums.items():
        assert abs(figures["metrics"][name] - value / len(users)) < 1e-9, name
    assert figures["metrics"]["recall@20"] > 2 * 20 / 300, "it has learnt something"


def test_the_figures_of_evaluate_have_the_names_of_the_contract(cli, model, tmp_path):
    copy = tmp_path / "m.pagoda"
    shutil.copy(model, copy)
    figures = json.loads(cli("evaluate", copy, "--k", "20,50", "--json", "-").stdout)
    assert {f"{name}@{k}" for name in ("recall", "ndcg", "hit_rate", "mrr", "map", "precision") for k in (20, 50)} == set(figures["metrics"])
    for key in ("users", "items", "by_item_popularity", "zero_train_positives", "seconds", "model", "coverage@20", "gini@20",
                "average_popularity@20", "long_tail_share@20"):
        assert key in figures, key
    assert len(figures["model"]["fingerprint"]) == 16
    buckets = figures["by_item_popularity"]
    assert buckets[0]["bucket"] == "top 1%" and all({"items", "test_positives", "recall@20"} <= set(b) for b in buckets)
    assert json.loads(cli("inspect", copy, "--json").stdout)["metrics"]["metrics"] == figures["metrics"]


def test_evaluate_judges_by_other_data(cli, model, tmp_path):
    data = tmp_path / "june.csv"
    data.write_text("user_id,item_id,ts,device\nu1,i1,2024-06-01,phone\nu1,i2,2024-06-01,phone\nnobody,i3,2024-06-02,tv\n")
    before = model.read_bytes()
    figures = json.loads(cli("evaluate", model, "--data", data, "--json", "-").stdout)
    assert figures["users"] == 1 and figures["unknown_users"]["users"] == 1
    assert model.read_bytes() == before, "figures of other data are not the bundle's"


def test_lists_come_in_the_order_of_the_input_best_first_ties_by_row(cli, model, tmp_path):
    rows = item_order(cli, model, tmp_path)
    users = ["u9", "u3", "u100", "u3"]
    text = "\n".join(users) + "\n"
    tsv = read_tsv(cli("retrieve", model, "--users", "-", "--k", 50, "--format", "tsv", stdin=text).stdout)
    assert [key for key, _, _ in tsv] == users
    assert tsv[1] == tsv[3]
    for _, items, scores in tsv:
        assert len(set(items)) == 50
        keys = [(-score, rows[item]) for item, score in zip(items, scores)]
        assert keys == sorted(keys)

    jsonl = [json.loads(line) for line in cli("retrieve", model, "--users", "-", "--k", 50, stdin=text).stdout.splitlines()]
    assert [(j["user"], j["items"], [np.float32(s) for s in j["scores"]]) for j in jsonl] == tsv

    (tmp_path / "users.txt").write_text(text)
    cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 50, "-o", tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet").to_pydict()
    flat = [(key, item, rank + 1, score) for key, items, scores in tsv for rank, (item, score) in enumerate(zip(items, scores))]
    assert list(zip(table["user"], table["item"], table["rank"], map(np.float32, table["score"]))) == flat


def test_items_of_equal_vectors_come_in_the_order_of_their_rows(cli, tmp_path):
    np.save(tmp_path / "v.npy", np.tile(np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), (20, 1)))
    cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "v.pagoda")
    np.save(tmp_path / "q.npy", np.array([[1.0, 0.5]], np.float32))
    lists = read_tsv(cli("retrieve", tmp_path / "v.pagoda", "--vectors", tmp_path / "q.npy", "--k", 30, "--format", "tsv").stdout)
    assert lists[0][1] == [str(i) for i in [*range(0, 40, 2), *range(1, 21, 2)]]


def test_filters_and_exclusions_leave_items_out(cli, model, world, tmp_path):
    items = {row["item_id"]: row for row in pq.read_table(world / "items.parquet").to_pylist()}
    free = read_tsv(cli("retrieve", model, "--users", "-", "--k", 300, "--exclude", "none", "--format", "tsv", stdin="u1\n").stdout)[0]
    assert len(free[1]) == 300
    short = [i for i in free[1] if items[i]["minutes"] is not None and items[i]["minutes"] < 90]
    assert read_tsv(cli("retrieve", model, "--users", "-", "--k", 300, "--exclude", "none", "--filter", "minutes < 90", "--format", "tsv",
                        stdin="u1\n").stdout)[0][1] == short
    (tmp_path / "out.txt").write_text("\n".join(free[1][:5]) + "\n")
    both = read_tsv(cli("retrieve", model, "--users", "-", "--k", 300, "--exclude", f"seen,{tmp_path / 'out.txt'}", "--format", "tsv",
                        stdin="u1\n").stdout)[0]
    seen = read_tsv(cli("retrieve", model, "--users", "-", "--k", 300, "--format", "tsv", stdin="u1\n").stdout)[0]
    assert both[1] == [i for i in seen[1] if i not in free[1][:5]] and len(seen[1]) < 300


def test_an_unknown_user_is_answered_from_the_history(cli, model):
    ask = [json.dumps({"user": "new", "history": ["i5", "i9"]}), json.dumps({"history": ["i5", "i9"]}), json.dumps({})]
    answers = [json.loads(line) for line in cli("retrieve", model, "--users", "-", "--k", 300, stdin="\n".join(ask)).stdout.splitlines()]
    assert [a["user"] for a in answers] == ["new", "", ""]
    assert answers[0]["items"] == answers[1]["items"] and len(answers[0]["items"]) == 298
    assert not {"i5", "i9"} & set(answers[0]["items"])
    assert answers[2]["items"] != answers[0]["items"] and len(answers[2]["items"]) == 300


def test_a_list_longer_than_the_catalogue_is_the_whole_catalogue(cli, model):
    lists = read_tsv(cli("retrieve", model, "--users", "-", "--k", 100000, "--exclude", "none", "--format", "tsv", stdin="u1\n").stdout)
    assert len(lists[0][1]) == 300


def test_nobody_asked_nothing_answered(cli, model, tmp_path):
    assert cli("retrieve", model, "--users", "-", stdin="").stdout == ""
    (tmp_path / "none.txt").write_text("")
    cli("retrieve", model, "--users", tmp_path / "none.txt", "-o", tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == ""
    cli("retrieve", model, "--users", tmp_path / "none.txt", "-o", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
    cli("encode", model, "users", "--input", tmp_path / "none.txt", "-o", tmp_path / "out.npy")
    assert np.load(tmp_path / "out.npy").shape == (0, 16)


def test_retrieve_ranks_by_the_product_of_the_encoded_vectors(cli, model, tmp_path):
    rows = item_order(cli, model, tmp_path)
    items = np.load(tmp_path / "items.npy")
    (tmp_path / "u.txt").write_text("u4\nu8\n")
    cli("encode", model, "users", "--input", tmp_path / "u.txt", "-o", tmp_path / "u.parquet")
    table = pq.read_table(tmp_path / "u.parquet")
    assert table.column_names == ["user", "vector"] and table["user"].to_pylist() == ["u4", "u8"]
    users = np.array(table["vector"].to_pylist(), np.float64)
    assert np.allclose(np.linalg.norm(users, axis=1), 1, atol=1e-5)
    for (_, ids, scores), vector in zip(
            read_tsv(cli("retrieve", model, "--users", tmp_path / "u.txt", "--k", 40, "--format", "tsv").stdout), users):
        assert np.allclose([items[rows[i]].astype(np.float64) @ vector for i in ids], scores, atol=1e-5)
    np.save(tmp_path / "q.npy", users.astype(np.float32))
    asked = read_tsv(cli("retrieve", model, "--vectors", tmp_path / "q.npy", "--k", 40, "--format", "tsv").stdout)
    free = read_tsv(cli("retrieve", model, "--users", tmp_path / "u.txt", "--k", 40, "--exclude", "none", "--format", "tsv").stdout)
    assert [a[1:] for a in asked] == [f[1:] for f in free]


def test_similar_items_are_the_nearest_and_never_the_item_itself(cli, model, tmp_path):
    rows = item_order(cli, model, tmp_path)
    vectors = np.load(tmp_path / "items.npy").astype(np.float64)
    lists = read_tsv(cli("similar", model, "--items", "-", "--k", 10, "--format", "tsv", stdin="i7\ni3\n").stdout)
    assert [key for key, _, _ in lists] == ["i7", "i3"]
    for key, items, scores in lists:
        assert key not in items
        products = vectors @ vectors[rows[key]]
        products[rows[key]] = -np.inf
        assert np.allclose(np.sort(products)[::-1][:10], scores, atol=1e-5)
    cli("similar", model, "--items", "-", stdin="i7\ni99999\n", code=3, says=["stdin:2", "i99999", "catalogue"])


def test_new_items_are_encoded_from_their_attributes(cli, model, world, tmp_path):
    table = pq.read_table(world / "items.parquet").slice(0, 3)
    renamed = table.set_column(0, "item_id", pa.array(["new1", "new2", "i2"]))
    pq.write_table(renamed, tmp_path / "new.parquet")
    cli("encode", model, "items", "--input", tmp_path / "new.parquet", "-o", tmp_path / "new.npy")
    vectors = np.load(tmp_path / "new.npy")
    rows = item_order(cli, model, tmp_path)
    known = np.load(tmp_path / "items.npy")
    assert vectors.shape == (3, 16) and np.isfinite(vectors).all()
    assert (vectors[2] == known[rows["i2"]]).all(), "a known item has the bits that are served"
    assert vectors[0] @ known[rows["i0"]] > np.median(known @ vectors[0]), "its attributes place a new item near its twin"


def test_known_user_and_same_history_of_a_stranger_have_the_same_bits(cli, world, tmp_path):
    model = tmp_path / "m.pagoda"
    cli("train", "--interactions", world / "interactions.parquet", "--time", "ts", "--set", "train.epochs=1", "--set", "model.dim=16",
        "-o", model)
    log = pq.read_table(world / "interactions.parquet").to_pydict()
    order = sorted(range(len(log["ts"])), key=lambda row: log["ts"][row])
    histories = {}
    for row in order:
        histories.setdefault(log["user_id"][row], []).append(log["item_id"][row])
    users = list(histories)[:100]
    (tmp_path / "known.txt").write_text("\n".join(users))
    (tmp_path / "strangers.jsonl").write_text("\n".join(json.dumps({"user": f"new-{u}", "history": histories[u]}) for u in users))
    cli("encode", model, "users", "--input", tmp_path / "known.txt", "-o", tmp_path / "known.npy")
    cli("encode", model, "users", "--input", tmp_path / "strangers.jsonl", "-o", tmp_path / "strangers.npy")
    known, strangers = np.load(tmp_path / "known.npy"), np.load(tmp_path / "strangers.npy")
    assert known.shape == (100, 16) and len({v.tobytes() for v in known}) > 50
    assert known.tobytes() == strangers.tobytes()

    # What came since is added to the known history: the answer is that of the whole one.
    since = {u: [f"i{(7 * n + m) % 300}" for m in range(1 + n % 4)] for n, u in enumerate(users)}
    added = "\n".join(json.dumps({"user": u, "recent": since[u]}) for u in users)
    whole = "\n".join(json.dumps({"user": u, "history": histories[u] + since[u]}) for u in users)
    answers = [json.loads(line) for line in cli("retrieve", model, "--users", "-", "--k", 300, stdin=added).stdout.splitlines()]
    assert answers == [json.loads(line) for line in cli("retrieve", model, "--users", "-", "--k", 300, stdin=whole).stdout.splitlines()]
    assert all(not {*histories[a["user"]], *since[a["user"]]} & {*a["items"]} for a in answers)
    assert cli("retrieve", model, "--users", "-", "--k", 300, stdin="\n".join(users)).stdout != "".join(json.dumps(a) + "\n" for a in answers)


def test_inspect_says_what_a_bundle_holds(cli, model):
    shown = json.loads(cli("inspect", model, "--json").stdout)
    assert shown["info"]["towers"] and shown["info"]["items"] == 300 and shown["index"] == "exact"
    assert {"info", "config", "weights/item.id", "item_vectors", "user_states"} <= {s["name"] for s in shown["sections"]}
    assert all(len(s["checksum"]) == 16 for s in shown["sections"])
    text = cli("inspect", model).stdout
    assert shown["fingerprint"] in text
    lines = [line.split() for line in text.splitlines()]
    assert shown["metrics"]["metrics"]
    assert all([name, f"{value:.4f}"] in lines for name, value in shown["metrics"]["metrics"].items())


class Page(html.parser.HTMLParser):
    VOID = {"meta", "br", "img", "link", "hr", "input", "col", "wbr"}

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.tags = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [v for k, v in attributes if k in ("src", "href", "srcset", "action", "xlink:href") and v and not v.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


def test_the_report_is_one_page_that_needs_no_network(cli, model, tmp_path):
    cli("report", model, "-o", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [] and "svg" in page.tags and "html" in page.tags
    assert page.addresses == [] and "@import" not in text and "url(" not in text
    assert "recall@20" in text


def test_a_rebuilt_index_answers_alike(cli, model, tmp_path):
    copy = tmp_path / "m.pagoda"
    shutil.copy(model, copy)
    cli("index", copy, "--kind", "exact")
    asked = ("--users", "-", "--k", 20)
    assert cli("retrieve", copy, *asked, stdin="u1\nu2\n").stdout == cli("retrieve", model, *asked, stdin="u1\nu2\n").stdout
    cli("index", model, "-o", tmp_path / "other.pagoda")
    assert (tmp_path / "other.pagoda").read_bytes() == copy.read_bytes()


def test_doctor_names_the_instructions_of_each_part(cli):
    def parts(kernels):
        lines = cli("doctor", env=os.environ | {"PAGODA_KERNELS": kernels}).stdout.splitlines()
        return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if line.startswith("  ")}

    portable = parts("portable")
    assert portable["kernels"].split()[0] == "portable"
    assert portable["loss"] == 'portable; model.precision = "bf16": portable'
    assert portable["scans"] == "portable; of codes: portable"
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    best = parts("")
    if "amx" in best["kernels"]:
        assert "amx_bf16" in flags
        assert best["loss"] == 'avx512; model.precision = "bf16": amx'
        assert parts("avx512_bf16")["loss"] == 'avx512; model.precision = "bf16": avx512_bf16'
    elif "amx_bf16" in flags:
        assert "the kernel does not let this process" in best["kernels"]


def test_doctor_says_how_many_cpus_threads_take(cli):
    all_cpus = os.cpu_count()
    allowed = os.sched_getaffinity(0)
    [one, *_] = sorted(allowed)

    def cpus_of(allowed):
        done = cli("doctor", preexec_fn=lambda: os.sched_setaffinity(0, allowed))
        [line] = [line for line in done.stdout.splitlines() if line.startswith("  CPUs ")]
        return line.removeprefix("  CPUs ").strip()

    assert cpus_of(allowed).split()[0] == str(all_cpus)
    told = cpus_of({one})
    assert told == "1" if all_cpus == 1 else told.startswith(f"{all_cpus}  (this process may use 1, and threads = 0 takes")
