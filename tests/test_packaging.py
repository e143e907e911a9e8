"""packaging/ says what the server takes: its flags, ports, calls and keys."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"  # Debian's, with its python3-yaml


def parts(path):
    """The objects of a file of YAML, by kind."""
    script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"
    done = subprocess.run([PYTHON, "-c", script, path], capture_output=True, text=True)
    if "No module named 'yaml'" in done.stderr or not pathlib.Path(PYTHON).exists():
        pytest.skip("python3-yaml is not there")
    assert done.returncode == 0, done.stderr
    return {part["kind"]: part for part in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def kubernetes():
    return parts(ROOT / "packaging/kubernetes.yaml")


@pytest.fixture(scope="module")
def container(kubernetes):
    return kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"][0]


@pytest.fixture(scope="module")
def flags(cli):
    return set(re.findall(r"--[a-z-]+", cli("serve", "--help").stdout))


def serve_keys(cli):
    text = cli("config").stdout
    return dict(re.findall(r"^(\w+) = (\S+)", text[text.index("[serve]"):], re.M))


def test_the_arguments_are_those_of_serve(container, flags):
    assert container["args"][0] == "serve"
    given = [word.split("=")[0] for word in container["args"] if word.startswith("--")]
    assert given and set(given) <= flags


def test_keys_of_the_config_are_known(container, cli, tmp_path):
    settings = [word.split("=", 1)[1] for word in container["args"] if word.startswith("--set=")]
    cli("config", *(word for setting in settings for word in ("--set", setting)))


def test_ports_are_the_same_everywhere(kubernetes, container):
    given = re.findall(r"--(http|grpc)=[\d.]+:(\d+)", " ".join(container["args"]))
    listening = {flag: int(port) for flag, port in given}
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == listening
    assert {port["targetPort"] for port in kubernetes["Service"]["spec"]["ports"]} == set(listening)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] in listening


def test_probes_ask_what_the_server_answers(container, serve, model):
    with serve(model) as server:
        for probe, path in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
            assert container[probe]["httpGet"]["path"] == path
            assert server.call("GET", path)[0] == 200


def test_nothing_is_killed_that_was_begun(kubernetes, container, cli):
    keys = serve_keys(cli)
    for word in container["args"]:
        if word.startswith("--set=serve."):
            name, value = word.removeprefix("--set=serve.").split("=")
            keys[name] = value
    before = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = kubernetes["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > before + (int(keys["drain_ms"]) + int(keys["timeout_ms"])) / 1000
    readiness = container["readinessProbe"]
    assert before > readiness["periodSeconds"] * readiness["failureThreshold"]


def test_names_and_mounts_meet(kubernetes, container):
    spec = kubernetes["Deployment"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == labels == kubernetes["Service"]["spec"]["selector"]
    assert kubernetes["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    volumes = {volume["name"]: volume for volume in spec["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    claim = volumes["models"]["persistentVolumeClaim"]["claimName"]
    assert kubernetes["PersistentVolumeClaim"]["metadata"]["name"] == claim
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    for word in container["args"][1:]:
        if word.startswith("/") or "=/" in word:
            assert any(f"{path}/" in word for path in paths), word
    assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["memory"]


def test_the_image_runs_as_nobody_and_is_asked_whether_it_lives(flags):
    text = (ROOT / "packaging/Dockerfile").read_text().replace("\\\n", " ")
    last = text[text.rindex("\nFROM "):]
    user = re.search(r"^USER (\d+)$", last, re.M)[1]
    assert int(user) > 0 and f"--uid {user} " in last
    assert "GET /livez " in re.search(r"^HEALTHCHECK .*$", last, re.M)[0]
    command = json.loads(re.search(r"^CMD (.*)$", last, re.M)[1])
    assert command[0] == "serve" and {word for word in command if word.startswith("--")} <= flags
    port = re.search(r"^EXPOSE (\d+)$", last, re.M)[1]
    assert command[-1].endswith(f":{port}") and f"/127.0.0.1/{port} " in last


def test_the_health_check_tells_a_server_from_none(serve, model):
    text = (ROOT / "packaging/Dockerfile").read_text().replace("\\\n", " ")
    words = json.loads(re.search(r"^HEALTHCHECK .*?(\[.*\])$", text, re.M)[1])
    with serve(model) as server:
        here = [word.replace("/127.0.0.1/8080", f"/127.0.0.1/{server.port}") for word in words]
        assert subprocess.run(here, capture_output=True, timeout=10).returncode == 0
    assert subprocess.run(here, capture_output=True, timeout=10).returncode != 0


@pytest.mark.slow
def test_the_package_installs_and_works_in_a_clean_debian():
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not there")
    done = subprocess.run([ROOT / "run", "package", "--try"], capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "served and ended with status 0" in done.stdout
