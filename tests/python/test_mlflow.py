"""The flavor for MLflow, in a store on disk."""

import pagoda
import pandas
import pytest
from conftest import FAST, make_log

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("recall", artifact_location=str(folder / "artifacts")))


def test_curves_and_model_are_logged_and_answer():
    import mlflow
    import pagoda.mlflow

    with mlflow.start_run() as run:
        model = pagoda.train(make_log(), callbacks=[pagoda.mlflow.log_curves()], **FAST)
        info = pagoda.mlflow.log_model(model, name="recall", input_example=pandas.DataFrame({"user": ["u1"]}))
    logged = mlflow.get_run(run.info.run_id).data.metrics
    assert logged["choose/loss"] > 0 and any(name.startswith("choose/recall_at_") for name in logged)
    wanted = model.recommend(["u1", "u2"], k=7)
    assert pagoda.mlflow.load_model(info.model_uri).fingerprint == model.fingerprint
    found = mlflow.pyfunc.load_model(info.model_uri).predict(pandas.DataFrame({"user": ["u1", "u2"]}), params={"k": 7})
    assert found["item"].tolist() == [*wanted.ids[0], *wanted.ids[1]] and found["rank"].tolist() == [*range(1, 8)] * 2
