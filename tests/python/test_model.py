"""The model against the command line, which it must equal, and as an object among Python's."""

import json
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pagoda
import pandas
import pyarrow
import pyarrow.parquet
import pytest
from conftest import BUILD, FAST, ITEMS, make_items, make_log, run


@pytest.fixture(scope="module")
def by_program(tmp_path_factory):
    """The same log through `pagoda init` and `pagoda train`."""
    folder = tmp_path_factory.mktemp("program")
    pyarrow.parquet.write_table(pyarrow.table(make_log()), folder / "clicks.parquet")
    pyarrow.parquet.write_table(pyarrow.table(make_items()), folder / "items.parquet")
    told = ["train.epochs=2", "model.dim=16", "train.batch=256", "train.threads=1", "train.seed=3"]
    sets = [word for t in told for word in ("--set", t)]
    run("init", "clicks.parquet", "--items", "items.parquet", "-o", "pagoda.toml", *sets, cwd=folder)
    run("train", "-c", "pagoda.toml", "-o", "model.pagoda", cwd=folder)
    return folder / "model.pagoda"


def test_the_bits_are_those_of_the_command_line(model, by_program):
    there = pagoda.load(by_program)
    assert model.item_vectors.tobytes() == there.item_vectors.tobytes()
    assert list(model.item_ids) == list(there.item_ids)
    users = [f"u{n}" for n in range(50)]
    assert model.user_vectors(users).tobytes() == there.user_vectors(users).tobytes()


def test_lists_are_those_of_the_command_line(by_program, tmp_path):
    users = [f"u{n}" for n in range(40)]
    (tmp_path / "users.txt").write_text("\n".join(users) + "\n")
    out = run("retrieve", by_program, "--users", tmp_path / "users.txt", "--k", 20, "--filter", "year >= 1990", "--format", "jsonl")
    lists = pagoda.load(by_program).recommend(users, k=20, filter="year >= 1990")
    for row, line in enumerate(out.stdout.splitlines()):
        wanted = json.loads(line)
        ids, scores = lists[row]
        assert list(ids) == wanted["items"]
        assert np.allclose(scores, wanted["scores"], rtol=0, atol=1e-6)


def test_figures_are_those_of_the_command_line(by_program, monkeypatch):
    run("evaluate", by_program, "--k", "5,10", "--json", by_program.parent / "figures.json", cwd=by_program.parent)
    wanted = json.loads((by_program.parent / "figures.json").read_text())
    monkeypatch.chdir(by_program.parent)  # where the config's paths count from
    evaluation = pagoda.load(by_program).evaluate(k=[5, 10])
    assert evaluation.metrics == wanted["metrics"]
    assert evaluation["recall@10"] == wanted["metrics"]["recall@10"]
    assert evaluation.baselines.keys() == {b["name"] for b in wanted["baselines"]} and len(evaluation.baselines) > 1


def test_a_model_of_a_frame_is_judged_by_its_own_split(model):
    evaluation = model.evaluate(k=[5, 10], per_user=True)
    assert 0 < evaluation["recall@10"] <= 1
    assert len(evaluation.users["user_id"]) >= evaluation.figures["users"]
    assert "recall@5" in evaluation.users
    low, high = evaluation.intervals["recall@10"]
    assert low <= evaluation["recall@10"] <= high


def test_judged_on_other_rows(model):
    later = make_log(600)
    later["ts"] = np.array(later["ts"]) + 10_000_000
    later["item_id"] = list(reversed(later["item_id"]))
    evaluation = model.evaluate(later, k=10, baselines=False)
    assert "recall@10" in evaluation


def test_ids_and_scores(model):
    ids, scores = model.recommend(["u1", "u2", "stranger"], k=10)
    assert ids.shape == scores.shape == (3, 10)
    assert (np.diff(scores, axis=1) <= 0).all()
    lists = model.recommend(["u1", "stranger"], k=10)
    assert lists.known.tolist() == [True, False]


def test_numbers_come_back_as_numbers(number_model):
    ids, _ = number_model.recommend([1, 2, np.int64(3)], k=7)
    assert ids.dtype == np.int64
    assert number_model.recommend(np.array([1, 2]), k=2).ids.dtype == np.int64
    assert number_model.similar([int(ids[0, 0])], k=3).ids.dtype == np.int64
    assert int(ids[0, 0]) in number_model


def test_lists_that_end_early_are_masked(model, number_model):
    lists = model.recommend(["u1"], k=ITEMS, filter="genre = 'war' and year < 1990")
    assert isinstance(lists.ids, np.ma.MaskedArray)
    n = int(lists.counts[0])
    assert 0 < n < ITEMS and lists.ids.mask[0, n:].all() and not lists.ids.mask[0, :n].any()
    assert np.isneginf(lists.scores[0, n:]).all()
    assert len(lists[0][0]) == n
    assert len(lists.to_pandas()) == n
    short = number_model.recommend([1], k=ITEMS)
    assert short.ids.mask.sum() == ITEMS - int(short.counts[0])


def test_seen_items_do_not_come_back(model, log):
    seen = {i for u, i in zip(log["user_id"], log["item_id"]) if u == "u7"}
    assert not seen & set(model.recommend(["u7"], k=50)[0][0])
    assert seen & set(model.recommend(["u7"], k=ITEMS, exclude_seen=False)[0][0])
    assert "i3" not in set(model.recommend(["u1"], k=ITEMS, exclude=["i3"], exclude_seen=False)[0][0])


def test_requests_of_every_form(model):
    by_words = model.recommend(["u1"], k=5, history=[["i0", "i3"]])
    by_dicts = model.recommend([{"user": "u1", "history": ["i0", "i3"]}], k=5)
    by_frame = model.recommend(pandas.DataFrame({"user": ["u1"], "history": [["i0", "i3"]]}), k=5)
    assert list(by_words[0][0]) == list(by_dicts[0][0]) == list(by_frame[0][0])
    strangers = model.recommend(history=[["i0"], ["i60"]], k=5)
    assert len(strangers) == 2 and list(strangers[0][0]) != list(strangers[1][0])


def test_a_user_is_explained(model):
    best = model.recommend(["u7"], k=1)[0][0][0]
    parts = model.explain("u7", best)
    assert len(parts) == len(model._loaded.history("u7"))
    whole = float(model.user_vectors(["u7"], history=[[p[0] for p in reversed(parts)]])[0] @ model._loaded.vectors_of([best])[0])
    assert np.isfinite(whole) and parts[0][1] >= parts[-1][1]
    with pytest.raises(pagoda.InputError, match="nothing is known"):
        model.explain("stranger", best)


def test_vectors_are_not_copied(model):
    vectors = model.item_vectors
    assert vectors.shape == (len(model), 16) and vectors.dtype == np.float32
    assert not vectors.flags.writeable and not vectors.flags.owndata
    assert np.from_dlpack(vectors).shape == vectors.shape
    users = model.user_vectors(["u1", "u2"])
    lists = model.search(users[:1], k=5)
    order = np.argsort(-(users[0] @ vectors.T), kind="stable")[:5]
    assert list(model.item_ids[order]) == list(lists[0][0])


def test_items_added_and_removed(model):
    more = model.with_items([{"item": "new", "attributes": {"year": 1999, "genre": "war"}}, {"item": "i0", "deleted": True}])
    assert len(more) == len(model) and "new" in more and "new" not in model and "i0" not in more
    assert "new" in set(more.recommend(["u1"], k=ITEMS, exclude_seen=False)[0][0])
    assert model.encode_items([{"item": "new", "attributes": {"year": 1999}}]).shape == (1, 16)
    with pytest.raises(pagoda.InputError, match="did you mean"):
        model.with_items([{"item": "x", "attributes": {"yaer": 1999}}])


def test_saved_loaded_pickled(model, tmp_path):
    path = tmp_path / "m.pagoda"
    model.save(path)
    for other in (pagoda.load(path), pickle.loads(pickle.dumps(model))):
        assert other.fingerprint == model.fingerprint
        assert list(other.recommend(["u1"], k=5)[0][0]) == list(model.recommend(["u1"], k=5)[0][0])


def test_a_report_is_written(model, tmp_path):
    model.report(tmp_path / "report.html")
    assert "<svg" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("call, kind, words", [
    (lambda m: m.recommend("u1"), pagoda.UsageError, "list of users"),
    (lambda m: m.recommend({"user": "u1"}), pagoda.UsageError, "list of users"),
    (lambda m: m.recommend(["u1"], k=0), pagoda.UsageError, "at least 1"),
    (lambda m: m.recommend(["u1"], filter="yaer > 3"), pagoda.UsageError, "did you mean"),
    (lambda m: m.recommend(["u1"], context={"device": "tv"}), pagoda.InputError, "device"),
    (lambda m: m.recommend(["u1", "u2"], history=[["i1"]]), pagoda.InputError, "one a user"),
    (lambda m: m.similar(["nowhere"]), pagoda.InputError, "not in the catalogue"),
    (lambda m: m.search(np.zeros((2, 3))), pagoda.InputError, "3"),
    (lambda m: m.search(np.full((1, 16), np.nan)), pagoda.InputError, "finite"),
    (lambda m: pagoda.load("/nowhere.pagoda"), pagoda.InputError, "no such file"),
    (lambda m: pagoda.load(__file__), pagoda.FailedError, ""),
    (lambda m: m.recommend(["u1"], recall=2), pagoda.UsageError, "recall"),
])
def test_errors_are_the_command_lines(model, call, kind, words):
    with pytest.raises(kind) as caught:
        call(model)
    assert words in str(caught.value)


def test_a_wrong_key_names_the_nearest(log):
    with pytest.raises(pagoda.UsageError, match="temperature"):
        pagoda.train(log, loss=dict(temprature=0.1), **FAST)


def test_negatives_and_settings_reach_the_config(log):
    model = pagoda.train(log, negatives=["in_batch", pagoda.uniform(64)], loss=dict(temperature=0.2),
                         settings={"user.history.last": 7, "loss": {"temperature_ratio": 1.1}}, **FAST)
    assert 'source = "uniform"' in model.config and "count = 64" in model.config
    assert "temperature = 0.2" in model.config and "last = 7" in model.config and "temperature_ratio = 1.1" in model.config


def test_callbacks_get_the_records(log):
    records = []
    model = pagoda.train(log, callbacks=[records.append], **FAST)
    assert records == model.history
    assert {"phase", "epoch", "loss"} <= set(records[0])
    assert any("recall@20" in r.get("validation", {}) or r.get("validation") for r in records)


def test_a_callback_may_end_it(log, tmp_path):
    class Enough(Exception):
        pass

    def stop(record):
        raise Enough

    with pytest.raises(Enough):
        pagoda.train(log, callbacks=[stop], output=tmp_path / "m.pagoda", **FAST)
    assert not (tmp_path / "m.pagoda").exists()
    whole = pagoda.train(log, output=tmp_path / "m.pagoda", resume=True, **FAST)
    assert len(whole) == ITEMS


def test_ctrl_c_ends_it_and_keeps_a_checkpoint(tmp_path):
    script = f"""
import sys; sys.path.insert(0, {str(BUILD / 'python')!r}); sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import pagoda
from conftest import make_log
try:
    pagoda.train(make_log(), output="m.pagoda", epochs=100000, threads=1, callbacks=[lambda r: print("epoch", flush=True)],
                 settings={{"train.patience": 100000}})
except KeyboardInterrupt:
    print("interrupted")
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "epoch\n"
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said.endswith("interrupted\n") and process.returncode == 0
    assert (tmp_path / "m.pagoda.run" / "checkpoint").exists() and not (tmp_path / "m.pagoda").exists()


def test_the_gil_is_free_while_it_trains(log):
    ticks = []
    ended = threading.Event()

    def tick():
        while not ended.is_set():
            ticks.append(None)
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    started = time.monotonic()
    pagoda.train(log, **FAST)
    seconds = time.monotonic() - started
    ended.set()
    ticker.join()
    assert len(ticks) > 50 * seconds  # of a thousand a second


def test_threads_may_ask_at_once(model):
    wanted = model.recommend(["u1", "u2"], k=20).ids.tolist()
    found = [None] * 8

    def ask(n):
        found[n] = [model.recommend(["u1", "u2"], k=20).ids.tolist() for _ in range(20)]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(lists == wanted for of_thread in found for lists in of_thread)


def test_notebooks_show_it(model):
    for shown in (model, model.evaluate(k=[5, 10]), model.recommend(["u1"], k=5)):
        html = shown._repr_html_()
        assert html.startswith("<style>") and "<table>" in html and repr(shown)


def test_what_a_log_needs(log, items):
    found = pagoda.diagnose(log, items=items)
    assert found["rows"] == len(log["ts"]) and found["advice"] and found["blocks"]
    assert "[data]" in pagoda.propose(log, items=items)


def test_a_lab_and_a_tuning(log, tmp_path):
    told = {"train.epochs": 1, "model.dim": 8, "train.threads": 1}
    lab = pagoda.lab(log, {"plain": {"loss.correction": "none"}, "corrected": {}}, output=tmp_path / "lab", seeds=[1],
                     settings=told)
    assert (tmp_path / "lab" / "report.html").exists() and lab
    best = pagoda.tune(log, output=tmp_path / "tune", trials=2, settings=told)
    assert len(pagoda.train(log, config=best)) == ITEMS
