"""`pagoda tune` end to end on a tiny world: what it writes, that it goes on, and that it never sees the test part."""

import csv
import json
import re
import shutil
import signal
import subprocess
import time
import tomllib

import pytest

TRIALS = 7


@pytest.fixture(scope="module")
def done(cli, config, tmp_path_factory):
    """(folder, stdout, stderr) of a tuning that ran through. Borrowed."""
    folder = tmp_path_factory.mktemp("tune") / "done"
    ran = cli("tune", "-c", config, "--trials", TRIALS, "-o", folder)
    return folder, ran.stdout, ran.stderr


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def without_times(folder):
    """All that the same tuning must say again."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows(folder / "trials.tsv")]


def best_of(folder):
    return tomllib.loads((folder / "best.toml").read_text())


def test_the_table_has_each_trial_by_its_keys_and_the_repeats(done):
    folder, stdout, stderr = done
    trials = rows(folder / "trials.tsv")
    keys = [row["key"] for row in rows(folder / "space.tsv")]
    assert {"loss.temperature", "train.learning_rate", "model.dim", "train.rows", "user.history.last",
            "user.history.recency", "user.id.enabled", "sampling.negatives", "sampling.negatives.uniform.count",
            "train.weight_decay", "train.batch"} <= set(keys)
    assert list(trials[0]) == ["trial", "origin", "seed", "epochs", "best_epoch", "recall@20", *keys, "seconds"]
    tried = [row for row in trials if row["origin"] != "repeat"]
    assert [row["trial"] for row in tried] == [str(n) for n in range(TRIALS)]
    assert tried[0]["origin"] == "as it stands" and tried[0]["loss.temperature"] == "0.1" and tried[0]["epochs"] == "3"
    assert len({tuple(row[key] for key in keys) for row in tried}) == TRIALS
    assert {"1", "3"} <= {row["epochs"] for row in tried} <= {"1", "3", "5", "15"}, "some went on, some did not"
    repeats = [row for row in trials if row["origin"] == "repeat"]
    assert {row["seed"] for row in repeats} == {"2", "3"} and {row["epochs"] for row in repeats} <= {"3", "15"}
    assert "0" in {row["trial"] for row in repeats} and len(repeats) in (4, 6)
    assert stdout.startswith("recall@20 of 214 users: ")
    assert re.search(r"trial 0, as it stands: recall@20 0\.\d{4} after 1 epoch; best", stderr)


def test_a_trial_is_what_train_trains(cli, done, config, tmp_path):
    folder, _, _ = done
    for path, trial in ((config, "0"), (folder / "best.toml", winner_of(folder))):
        cli("train", "-c", path, "--set", "train.refit=false", "-o", tmp_path / "m.pagoda")
        lines = map(json.loads, (tmp_path / "m.pagoda.run/metrics.jsonl").read_text().splitlines())
        best = max(line["validation"]["recall@20"] for line in lines if "validation" in line)
        assert best == pytest.approx(next(float(row["recall@20"]) for row in rows(folder / "trials.tsv")
                                          if row["trial"] == trial), abs=1e-12)


def test_a_trial_mines_its_negatives_as_train_does(cli, config, tmp_path):
    mined = ('sampling.negatives=[{source="uniform",count=64},{source="mined",mining="offline",count=4,first_rank=5,'
             'last_rank=60,shard=1.0,start=0.0}]')
    cli("tune", "-c", config, "--trials", 1, "--set", mined, "-o", tmp_path / "tune")
    cli("train", "-c", config, "--set", mined, "--set", "train.refit=false", "-o", tmp_path / "m.pagoda")
    lines = map(json.loads, (tmp_path / "m.pagoda.run/metrics.jsonl").read_text().splitlines())
    tried = rows(tmp_path / "tune/trials.tsv")
    assert float(tried[0]["recall@20"]) == pytest.approx(max(line["validation"]["recall@20"] for line in lines), abs=1e-12)


def winner_of(folder):
    """The trial of the best mean of the fresh seeds, computed here from the table."""
    means = {}
    for row in rows(folder / "trials.tsv"):
        if row["origin"] == "repeat":
            means.setdefault(row["trial"], []).append(float(row["recall@20"]))
    return max(means, key=lambda trial: sum(means[trial]) / len(means[trial]))


def test_the_best_config_is_the_winner_with_all_else_as_it_stood(done, config):
    folder, stdout, _ = done
    best, before = best_of(folder), tomllib.loads(config.read_text())
    winner = next(row for row in rows(folder / "trials.tsv") if row["trial"] == winner_of(folder))
    assert str(best["loss"]["temperature"]) == winner["loss.temperature"]
    assert str(best["model"]["dim"]) == winner["model.dim"] and winner["train.rows"].startswith(best["train"]["rows"])
    assert best["data"]["interactions"] == before["data"]["interactions"]
    assert best["train"]["refit"] == "validation" and best["train"]["seed"] == 1 and "serve" in best
    text = (folder / "best.toml").read_text()
    head = " ".join(text[:text.index("\n\n")].replace("\n#", "").split())
    assert head.startswith("# By `pagoda tune` from ") and stdout.splitlines()[0] in head and "Next: pagoda train" in head


def test_how_sure_is_a_paired_interval_over_users(done):
    folder, stdout, _ = done
    winner = winner_of(folder)
    if winner == "0":
        assert "is better than the config as it stands" in stdout
        return
    low, high = map(float, re.search(r"95% interval over users (\S+) to (\S+)\.", stdout).groups())
    difference = float(re.search(r"The difference is (\S+)", stdout)[1])
    assert low < difference < high
    assert ("not significantly better" in stdout) == (low <= 0)


def test_the_page_is_whole_by_itself(done):
    folder, _, _ = done
    page = (folder / "tune.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and page.count("<svg") >= 1
    assert not re.search(r"https?://(?!www\.w3\.org)|<script", page)
    for heading in ("How sure", "The best over time", "Which key mattered", "What was tried", "What was searched"):
        assert f"{heading}</h2>" in page
    assert "test part was not looked at" in page and not re.search(r"NaN|\bnan\b|\binf\b", page)


def test_what_is_done_is_not_done_again(cli, config, done, tmp_path):
    folder = tmp_path / "tune"
    shutil.copytree(done[0], folder)
    before = (folder / "trials.jsonl").read_bytes()
    again = cli("tune", "-c", config, "--trials", TRIALS, "-o", folder)
    assert again.stdout == done[1]
    assert (folder / "trials.jsonl").read_bytes() == before
    assert (folder / "trials.tsv").read_bytes() == (done[0] / "trials.tsv").read_bytes()


def test_the_same_seed_comes_to_the_same_outcome_on_any_threads_and_another_to_another(cli, config, done, tmp_path):
    same = cli("tune", "-c", config, "--trials", TRIALS, "--set", "train.threads=1", "-o", tmp_path / "same")
    assert without_times(tmp_path / "same") == without_times(done[0]) and same.stdout == done[1]
    cli("tune", "-c", config, "--trials", 3, "--set", "train.seed=8", "-o", tmp_path / "other")
    assert without_times(tmp_path / "other")[:2] != without_times(done[0])[:2]


def test_more_trials_go_on_to_what_they_would_have_been_at_once(cli, config, done, tmp_path):
    cli("tune", "-c", config, "--trials", 3, "-o", tmp_path / "tune")
    assert sum(row["origin"] != "repeat" for row in rows(tmp_path / "tune/trials.tsv")) == 3
    on = cli("tune", "-c", config, "--trials", TRIALS, "-o", tmp_path / "tune", says="going on behind 3 trials")
    assert without_times(tmp_path / "tune") == without_times(done[0]) and on.stdout == done[1]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_what_was_stopped_goes_on_to_the_same_outcome(cli, config, done, tmp_path, sent):
    folder = tmp_path / "tune"
    command = [cli.binary, "tune", "-c", str(config), "--trials", str(TRIALS), "-o", str(folder)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    journal = folder / "trials.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (journal.exists() and journal.read_text().count("\n") >= 4):
        time.sleep(0.005)
    running.send_signal(sent)
    _, stderr = running.communicate(timeout=60)
    if sent == signal.SIGINT:
        assert running.returncode == 130 and "the same command goes on from there" in stderr
        assert "data" in best_of(folder), "what there is so far"
    assert not (folder / "trials.tsv").exists() or len(rows(folder / "trials.tsv")) < len(without_times(done[0]))
    cli("tune", "-c", config, "--trials", TRIALS, "-o", folder)
    assert without_times(folder) == without_times(done[0])


def test_a_time_is_kept_and_another_goes_on(cli, config, tmp_path):
    folder = tmp_path / "tune"
    cli("tune", "-c", config, "--minutes", "0.00001", "-o", folder, code=1, says=["--minutes 1e-05", "give it more"])
    began = time.monotonic()
    cli("tune", "-c", config, "--minutes", "0.1", "-o", folder)
    assert time.monotonic() - began < 30
    before = len({row["trial"] for row in rows(folder / "trials.tsv")})
    assert before >= 2
    cli("tune", "-c", config, "--minutes", "0.05", "-o", folder, says=f"going on behind {before} trials")
    assert len({row["trial"] for row in rows(folder / "trials.tsv")}) >= before


def test_the_test_part_is_not_looked_at(cli, tmp_path):
    """Two test parts that have nothing in common, and the same outcome."""
    log = tmp_path / "log.csv"
    log.write_text("user_id,item_id\n" + "".join(f"u{u},i{(u * 7 + n * n) % 60}\n" for u in range(80) for n in range(9)))
    outcomes = []
    for shift in (0, 31):
        test = tmp_path / f"test{shift}.csv"
        test.write_text("user_id,item_id\n" + "".join(f"u{u},i{(u * 5 + shift) % 60}\n" for u in range(80)))
        config = tmp_path / f"{shift}.toml"
        config.write_text(f"""
[data]
interactions = ["{log}"]
split = {{ kind = "given", test_files = ["{test}"], validation = "0.2" }}
[model]
dim = 8
[train]
history = "others"
batch = 64
epochs = 2
choose_by = "recall@5"
[evaluate]
k = [5]
""")
        folder = tmp_path / f"tune{shift}"
        ran = cli("tune", "-c", config, "--trials", 4, "-o", folder)
        outcomes.append((without_times(folder), ran.stdout))
        assert "test" not in ran.stdout.replace("the test part will tell", "")
    assert outcomes[0] == outcomes[1]


def test_keys_that_the_data_do_not_have_are_not_searched(cli, config, tmp_path):
    cli("tune", "-c", config, "--trials", 1, "--set", "data.time=", "--set", "data.split.kind=random", "--set",
        "data.split.validation=0.1", "--set", "data.split.test=0.1", "--set", "train.history=others", "--set",
        "train.epochs=1", "-o", tmp_path / "tune")
    keys = {row["key"] for row in rows(tmp_path / "tune/space.tsv")}
    assert "loss.temperature" in keys and not {"user.history.recency", "train.target_recency"} & keys


@pytest.mark.parametrize("words, says", [
    (["--trials", "0"], ["--trials 0 tries nothing", "1 is the config as it stands"]),
    (["--minutes", "0"], ["--minutes 0 is no time"]),
    (["--minutes", "1", "--trials", "2"], ["--trials", "excludes"]),
    (["--set", "loss.temperatur=0.1"], ["'temperatur'", "temperature"]),
    (["--set", "data.split.kind=none"], ["nobody can be judged on the validation part", "data.split.validation"]),
])
def test_what_cannot_be_tuned_is_told(cli, config, tmp_path, words, says):
    cli("tune", "-c", config, "-o", tmp_path / "tune", *words, code=2, says=says)


def test_another_config_in_the_folder_is_told(cli, config, done, tmp_path):
    folder = tmp_path / "tune"
    shutil.copytree(done[0], folder)
    cli("tune", "-c", config, "--trials", TRIALS, "--set", "loss.logq_weight=0.5", "-o", folder, code=2,
        says=["trials.jsonl", "loss.logq_weight is 0.5, was 1", "choose another folder with -o"])


def test_two_at_once_in_one_folder_are_told(cli, config, tmp_path):
    folder = tmp_path / "tune"
    running = subprocess.Popen([cli.binary, "tune", "-c", str(config), "--minutes", "5", "-o", str(folder)],
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (folder / "trials.jsonl").exists():
            time.sleep(0.01)
        cli("tune", "-c", config, "--trials", 1, "-o", folder, code=2, says="another `pagoda tune` is at work there")
    finally:
        running.kill()
        running.wait()
