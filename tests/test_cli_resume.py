"""A run that is killed or stopped at any moment and resumed ends in the bits of one that never was."""

import json
import random
import signal
import subprocess
import time

import pytest

TIMES = {"run_log"}  # holds seconds, and so does the fingerprint over it
WHERE = TIMES | {"config"}  # the config names threads and checkpoints


def without(all_sections, names):
    return {name: value for name, value in all_sections.items() if name not in names}


class Run:
    """One command line of a training run."""

    def __init__(self, cli, config, output, *extra):
        self.cli, self.output = cli, output
        self.words = ["train", "-c", config, "-o", output, *extra]

    def start(self, *more):
        return subprocess.Popen([self.cli.binary, *map(str, [*self.words, *more])], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait_for_epoch(self, process, least):
        """Until it has logged that many epochs (of both phases), or has ended."""
        log = self.output.parent / (self.output.name + ".run") / "metrics.jsonl"
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if log.is_file() and log.read_bytes().count(b"\n") >= least:
                return
            time.sleep(0.01)


LONG = ("--set", "train.epochs=30", "--set", "train.patience=30", "--set", "train.batch=64", "--set", "model.dropout=0.1")
CATALOGUE = ("--set", "sampling.negatives=[{source='catalogue'}]", "--set", "train.rows='user'", "--set", "train.targets='half'",
             "--set", "train.batch=32", "--set", "train.epochs=20", "--set", "loss.temperature='learned'", "--set", "loss.top_k=20", "--set", "loss.top_k_refresh=3")
SHORT = ("--set", "train.epochs=6", "--set", "train.batch=128", "--set", "model.dropout=0.1", "--set", "item.id.dropout=0.2")

RATIO = (*SHORT, "--set", "loss.temperature_ratio='auto'", "--set", "evaluate.k=[5]", "--set", "train.choose_by='recall@5'")


@pytest.mark.parametrize("extra", [SHORT, CATALOGUE, (*SHORT, "--set", "train.epochs=4", "--set", "train.refit=false", "--set", "train.optimizer='adam'",
                                                      "--set", "sampling.frequency.kind='streaming'"),
                                   (*SHORT, "--set", "user.history.encoder='attention'"),
                                   (*SHORT, "--set", "train.history='before'", "--set", "user.history.encoder='transformer'", "--set", "train.order='sequences'"), RATIO, (*RATIO, "--set", "train.refit=false")],
                         ids=["sampled", "catalogue", "streaming, no refit", "attention", "transformer", "ratio", "ratio, no refit"])
def test_killed_at_any_moment_and_resumed_to_the_same_bits(cli, config, tmp_path, extra):
    whole = tmp_path / "whole.pagoda"
    start = time.monotonic()
    cli("train", "-c", config, "-o", whole, *extra)
    seconds = time.monotonic() - start
    # Never more than a third of what the whole run takes: at least two kills come before the end, on any machine.
    # A checkpoint after every step: most kills fall into the saving of one.
    run = Run(cli, config, tmp_path / "killed.pagoda", *extra, "--set", "train.checkpoint_seconds=0")
    chance = random.Random(str(extra))
    kills = 0
    for _ in range(6):
        process = run.start("--resume")
        try:
            process.wait(timeout=seconds * chance.uniform(0.1, 0.33))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        if run.output.exists():  # ended, or killed on its way out: the bundle is whole, the checkpoint may still be there
            break
        assert process.returncode != 0
    if not run.output.exists() or (tmp_path / "killed.pagoda.run" / "checkpoint").exists():
        cli(*run.words, "--resume")
    assert kills > 1
    assert without(cli.sections(run.output), WHERE) == without(cli.sections(whole), WHERE)
    left = {p.name for p in (tmp_path / "killed.pagoda.run").iterdir() if not p.name.startswith("events.")}
    assert left == {"metrics.jsonl"}, "nothing of a checkpoint stays behind"
    told, reference = ([json.loads(line) for line in (tmp_path / f"{name}.pagoda.run" / "metrics.jsonl").read_text().splitlines()]
                       for name in ("killed", "whole"))
    assert [(r["step"], r["loss"]) for r in told] == [(r["step"], r["loss"]) for r in reference], "no epoch is lost or told twice"


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_a_checkpoint_and_resume_goes_on(cli, config, tmp_path, signal_number):
    whole = tmp_path / "whole.pagoda"
    cli("train", "-c", config, "-o", whole, *LONG)
    run = Run(cli, config, tmp_path / "stopped.pagoda", *LONG)
    process = run.start()
    run.wait_for_epoch(process, 2)
    process.send_signal(signal_number)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, said
    assert "interrupted" in said and "--resume" in said and "terminate" not in said
    assert not run.output.exists()
    assert (tmp_path / "stopped.pagoda.run" / "checkpoint").is_file()

    # Another config does not go on from there.
    cli(*run.words, "--set", "train.learning_rate=0.05", "--resume", code=2, says=["checkpoint", "another config", "train.learning_rate is 0.05", "--resume"])
    assert not run.output.exists()
    cli(*run.words, "--resume")
    assert without(cli.sections(run.output), TIMES) == without(cli.sections(whole), TIMES)


def test_a_checkpoint_of_an_earlier_run_is_not_mistaken_for_this_ones(cli, config, tmp_path):
    run = Run(cli, config, tmp_path / "m.pagoda", *LONG)
    process = run.start()
    run.wait_for_epoch(process, 3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    process = run.start()  # anew
    run.wait_for_epoch(process, 0)
    time.sleep(0.2)
    process.kill()
    process.communicate()
    done = cli(*run.words, "--resume", "--set", "train.epochs=30")
    cli("train", "-c", config, "-o", tmp_path / "whole.pagoda", *LONG)
    assert without(cli.sections(run.output), TIMES) == without(cli.sections(tmp_path / "whole.pagoda"), TIMES), done.stderr


def test_a_damaged_checkpoint_is_told_and_not_used(cli, config, tmp_path):
    run = Run(cli, config, tmp_path / "m.pagoda", *LONG, "--set", "train.epochs=3000", "--set", "train.patience=3000")
    process = run.start()
    run.wait_for_epoch(process, 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    checkpoint = tmp_path / "m.pagoda.run" / "checkpoint"
    good = bytearray(checkpoint.read_bytes())
    for at in (0, 5000, len(good) // 2, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 1
        checkpoint.write_bytes(bad)
        cli(*run.words, "--resume", code=1, says=["checkpoint"])
    checkpoint.write_bytes(good[:-4096])
    cli(*run.words, "--resume", code=1, says=["checkpoint", "damaged"])


def test_resume_without_a_checkpoint_begins_anew(cli, config, tmp_path):
    cli("train", "-c", config, "-o", tmp_path / "m.pagoda", "--set", "train.epochs=1", "--resume", says="no checkpoint")
    assert (tmp_path / "m.pagoda").is_file()


@pytest.mark.parametrize("extra", [("--set", "train.epochs=3"), CATALOGUE, ("--set", "train.epochs=1", "--set", "user.history.encoder='attention'")],
                         ids=["sampled", "catalogue", "attention"])
def test_one_thread_and_two_give_the_same_bits(cli, config, tmp_path, extra):
    bundles = []
    for threads in (1, 2, 5):
        path = tmp_path / f"{threads}.pagoda"
        cli("train", "-c", config, "-o", path, *extra, "--set", f"train.threads={threads}")
        bundles.append(without(cli.sections(path), WHERE))
    assert bundles[0] == bundles[1] == bundles[2]


def test_another_seed_gives_other_bits(cli, config, tmp_path):
    for seed in (1, 2):
        cli("train", "-c", config, "-o", tmp_path / f"{seed}.pagoda", "--set", "train.epochs=1", "--set", f"train.seed={seed}")
    assert cli.sections(tmp_path / "1.pagoda")["item_vectors"] != cli.sections(tmp_path / "2.pagoda")["item_vectors"]
