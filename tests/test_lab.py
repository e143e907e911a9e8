"""A lab end to end on a tiny world: its figures, what it does not do twice, and what it says of a bad file."""

import json
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

LAB = """
base = "{config}"
seeds = [1, 2]
k = [20]
truth = "{world}/truth.parquet"
truth_good = 30
bootstrap = {{ resamples = 1000 }}
set = {{ "train.epochs" = 2 }}

[[variant]]
name = "plain"
set = {{ "loss.correction" = "none" }}
[[variant]]
name = "corrected"
tune = {{ "loss.temperature" = [0.1, 0.3] }}
"""


@pytest.fixture(scope="module")
def lab_toml(config, world, tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.toml"
    path.write_text(LAB.format(config=config, world=world))
    return path


@pytest.fixture(scope="module")
def done(cli, lab_toml):
    """(folder, stdout, stderr) of a lab that ran through. Borrowed."""
    folder = lab_toml.parent / "whole"
    ran = cli("lab", "-c", lab_toml, "-o", folder)
    return folder, ran.stdout, ran.stderr


def figures(folder):
    return json.loads((folder / "lab.json").read_text())


def without_times(lab):
    """All that the same lab must say again, bit by bit; the fingerprint is over the config, which names checkpoint_seconds."""
    for variant in lab["variants"]:
        for key in ("mean", "spread"):
            variant[key].pop("seconds", None), variant[key].pop("model", None)
        for run in variant["runs"]:
            del run["seconds"], run["run_log"], run["fingerprint"], run["evaluation"]["seconds"], run["evaluation"]["model"]
    return lab


def test_a_lab_says_of_each_variant_what_its_runs_came_to(done):
    folder, stdout, _ = done
    lab = figures(folder)
    assert [v["name"] for v in lab["variants"]] == ["plain", "corrected"] and lab["baseline"] == "plain"
    assert lab["metrics"] == ["recall@20", "ndcg@20"] and lab["goal_metric"] == "recall@20"
    plain, corrected = lab["variants"]
    assert plain["tuned"] is None and corrected["differs"] == {"loss.correction": "standard"}
    assert [t["settings"] for t in corrected["tuned"]["tried"]] == [{"loss.temperature": 0.1}, {"loss.temperature": 0.3}]
    best = max(corrected["tuned"]["tried"], key=lambda t: t["value"])
    assert corrected["tuned"]["chosen"] == best["settings"]
    assert f"temperature = {best['settings']['loss.temperature']}\n" in corrected["config"]

    users = {}
    for variant in lab["variants"]:
        assert [run["seed"] for run in variant["runs"]] == [1, 2]
        for run in variant["runs"]:
            assert (folder / run["bundle"]).is_file()
            table = pq.read_table(folder / run["users"]).to_pydict()
            users[variant["name"], run["seed"]] = table
            recall = table["recall@20"]
            assert run["evaluation"]["metrics"]["recall@20"] == pytest.approx(sum(recall) / len(recall), abs=1e-12)
            assert len(recall) == lab["users"]
        values = [run["evaluation"]["metrics"]["recall@20"] for run in variant["runs"]]
        metric = variant["metrics"]["recall@20"]
        assert metric["seeds"] == values and metric["mean"] == pytest.approx(sum(values) / 2)
        assert metric["spread"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
        assert variant["mean"]["metrics"]["recall@20"] == pytest.approx(metric["mean"])
        assert {"recall@20", "never_shown_rank", "intrusion@100"} <= set(variant["truth"]["mean"])
    difference = corrected["metrics"]["recall@20"]["difference"]
    assert difference["mean"] == pytest.approx(corrected["metrics"]["recall@20"]["mean"] - plain["metrics"]["recall@20"]["mean"])
    assert difference["low"] < difference["mean"] < difference["high"]
    assert len({tuple(table["user_id"]) for table in users.values()}) == 1
    assert [goal["goal"] for goal in lab["goals"]][0] == "best overall"

    assert f"{plain['metrics']['recall@20']['mean']:.4f} ±" in stdout
    for goal in lab["goals"]:
        assert f"{goal['goal']}: {goal['words']}" in stdout
    page = (folder / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "never-shown good items" in page and "http" not in page.replace("http://www.w3.org", "")


def test_the_figures_of_a_run_are_those_of_evaluate(cli, done, tmp_path):
    folder, _, _ = done
    run = figures(folder)["variants"][1]["runs"][0]
    evaluated = json.loads(cli("evaluate", folder / run["bundle"], "--k", 20, "--no-baselines", "--json", "-").stdout)
    evaluated.pop("warnings")  # of that command
    for key in ("seconds", "model"):
        evaluated.pop(key)
        run["evaluation"].pop(key)
    assert evaluated == run["evaluation"]


def test_what_is_done_is_not_done_again(cli, lab_toml, done):
    folder, stdout, _ = done
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix in (".pagoda", ".parquet")}
    again = cli("lab", "-c", lab_toml, "-o", folder)
    assert again.stdout == stdout and "run " not in again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_changed_variant_alone_is_run_anew_and_new_lengths_are_only_judged(cli, lab_toml, done, tmp_path):
    folder, _, _ = done
    text = lab_toml.read_text()
    changed = lab_toml.parent / "changed.toml"
    changed.write_text(text.replace('"loss.correction" = "none"', '"loss.correction" = "none", "train.epochs" = 1'))
    copy = tmp_path / "lab"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    said = cli("lab", "-c", changed, "-o", copy).stderr
    assert "plain-1: its config has changed" in said and "run 1 of 6: plain, seed 1" in said and "corrected, seed" not in said

    longer = lab_toml.parent / "longer.toml"
    longer.write_text(text.replace("k = [20]", "k = [20, 50]"))
    copy = tmp_path / "longer"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    said = cli("lab", "-c", longer, "-o", copy).stderr
    assert "is evaluated again" in said and "epoch" not in said
    assert "recall@50" in figures(copy)["variants"][0]["metrics"]


def test_a_lab_that_was_killed_or_stopped_goes_on_to_the_same_figures(cli, lab_toml, done, tmp_path):
    folder = tmp_path / "lab"
    command = [cli.binary, "lab", "-c", str(lab_toml), "-o", str(folder), "--set", "train.checkpoint_seconds=0"]

    def started(until):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while process.poll() is None and not until() and time.monotonic() < deadline:
            time.sleep(0.002)
        return process

    process = started((folder / "plain-1.pagoda.run" / "checkpoint").is_file)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    killed_within = not (folder / "plain-1.json").exists()  # nearly always; on a busy machine the run may be over

    process = started((folder / "plain-2.pagoda.run").is_dir)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130 and "the same command continues from there" in said, said
    assert ("run 1 of 6: plain, seed 1, from its checkpoint" in said) == killed_within

    said = cli("lab", "-c", lab_toml, "-o", folder).stderr
    assert "plain, seed 1" not in said
    assert without_times(figures(folder))["variants"] == without_times(figures(done[0]))["variants"]


def test_without_models_only_results_stay(cli, config, tmp_path):
    slim = tmp_path / "slim.toml"
    slim.write_text(f'base = "{config}"\nseeds = [1]\nk = [20]\nkeep_models = false\n'
                    '[[sweep]]\nover = { "loss.logq_weight" = [0, 1] }\n')
    done = cli("lab", "-c", slim, "-o", tmp_path / "lab", "--set", "train.epochs=1")
    assert not list((tmp_path / "lab").glob("*.pagoda*"))
    lab = figures(tmp_path / "lab")
    assert [v["name"] for v in lab["variants"]] == ["logq_weight=0", "logq_weight=1"]
    assert [v["value"] for v in lab["variants"]] == [0, 1] and lab["variants"][0]["runs"][0]["bundle"] is None
    assert lab["variants"][0]["metrics"]["recall@20"]["spread"] is None
    assert "±" not in done.stdout
    assert "run " not in cli("lab", "-c", slim, "-o", tmp_path / "lab", "--set", "train.epochs=1").stderr


@pytest.mark.parametrize("old, new, says", [
    ("seeds = [1, 2]", "sedes = [1, 2]", ["lab.toml:3", "'sedes'", "did you mean 'seeds'?"]),
    ('"loss.correction" = "none"', '"loss.corection" = "none"', ["'corection' in [loss]", "did you mean 'correction'?"]),
    ('name = "corrected"', 'name = "plain"', ["two variants are called 'plain'"]),
    ('base = "', 'base = "no', ["lab.toml: base", "there is no file"]),
])
def test_a_bad_lab_is_told_before_anything_runs(cli, lab_toml, tmp_path, old, new, says):
    bad = tmp_path / "lab.toml"
    bad.write_text(lab_toml.read_text().replace(old, new))
    cli("lab", "-c", bad, "-o", tmp_path / "out", code=2, says=says)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("text, says", [
    (None, ["truth"]),
    ("user_id,item_id\nu1,i1\n", ["truth.csv", "rank"]),
    ("user_id,item_id,rank,shown\nu1,i1,first,true\n", ["truth.csv:2", "'rank'"]),
    ("user_id,item_id,rank,shown\nnobody,i1,1,true\n", ["another world"]),
])
def test_a_truth_that_is_none_is_told(cli, lab_toml, world, tmp_path, text, says):
    truth = tmp_path / "truth.csv"
    if text:
        truth.write_text(text)
    bad = tmp_path / "lab.toml"
    bad.write_text(lab_toml.read_text().replace(f"{world}/truth.parquet", str(truth)))
    cli("lab", "-c", bad, "-o", tmp_path / "out", "--set", "train.refit=false", code=3, says=says)
