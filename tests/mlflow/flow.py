"""What MLflow's own Python client does, against a running registry.

usage: flow.py TRACKING_URI

Prints "ok NAME" for each step; a step that fails prints its traceback and makes the exit code 1.
"""

import json
import logging
import math
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param, RunTag, ViewType  # noqa: E402
from mlflow.exceptions import MlflowException, RestException  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

logging.getLogger("mlflow").setLevel(logging.ERROR)

URI = sys.argv[1]
mlflow.set_tracking_uri(URI)
client = MlflowClient()
STEPS = []
state = {}


def step(function):
    STEPS.append(function)
    return function


def raises(code, part, call):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        assert part in str(error), str(error)
        return
    raise AssertionError(f"no error, expected {code} with {part!r}")


def doubling_onnx():
    node = helper.make_node("Mul", ["x", "two"], ["y"])
    two = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])
    graph = helper.make_graph(
        [node],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        [two],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


X = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)


@step
def experiment():
    made = mlflow.set_experiment("flow")
    assert made.artifact_location.startswith(("mlflow-artifacts:/", "/")), made
    state["experiment"] = made.experiment_id
    client.set_experiment_tag(made.experiment_id, "team", "a b")
    assert client.get_experiment(made.experiment_id).tags == {"team": "a b"}
    assert client.get_experiment_by_name("flow").experiment_id == made.experiment_id
    assert client.get_experiment_by_name("nothing") is None
    assert client.get_experiment("0").name == "Default"
    raises("RESOURCE_ALREADY_EXISTS", "already exists", lambda: client.create_experiment("flow"))
    raises("RESOURCE_DOES_NOT_EXIST", "No Experiment with id=999", lambda: client.get_experiment("999"))
    raises("INVALID_PARAMETER_VALUE", "must be a valid integer", lambda: client.get_experiment("abc"))


@step
def params_metrics_tags():
    with mlflow.start_run(run_name="first", tags={"kind": "flow"}) as run:
        state["run"] = run.info.run_id
        mlflow.log_params({"a": 1, "b": "x", "long": "y" * 6000})
        mlflow.log_metric("loss", 0.5, step=0)
        mlflow.log_metric("loss", 0.25, step=1)
        mlflow.log_metrics({"nan": math.nan, "inf": math.inf, "minus": -math.inf}, step=3)
        mlflow.set_tag("mlflow.note.content", "a note")
        mlflow.set_tags({"x": "1", "y": "2"})
    found = client.get_run(state["run"])
    assert found.info.status == "FINISHED" and found.info.run_name == "first"
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"a": "1", "b": "x", "long": "y" * 6000}
    assert found.data.metrics["loss"] == 0.25
    assert math.isnan(found.data.metrics["nan"])
    assert found.data.metrics["inf"] >= 1.797e308 and found.data.metrics["minus"] <= -1.797e308
    assert found.data.tags["kind"] == "flow" and found.data.tags["mlflow.runName"] == "first"
    history = client.get_metric_history(state["run"], "loss")
    assert [(m.step, m.value) for m in history] == [(0, 0.5), (1, 0.25)]
    assert math.isnan(client.get_metric_history(state["run"], "nan")[0].value)
    assert client.get_metric_history(state["run"], "nothing") == []
    client.delete_tag(state["run"], "y")
    assert "y" not in client.get_run(state["run"]).data.tags
    raises("RESOURCE_DOES_NOT_EXIST", "No tag with name: y", lambda: client.delete_tag(state["run"], "y"))


@step
def big_batch():
    run = client.create_run(state["experiment"])
    metrics = [Metric(f"m{i % 50}", float(i), 1000 + i, i) for i in range(1000)]
    client.log_batch(run.info.run_id, metrics=metrics)
    params = [Param(f"p{i}", str(i)) for i in range(100)]
    tags = [RunTag(f"t{i}", str(i)) for i in range(100)]
    client.log_batch(run.info.run_id, params=params, tags=tags)
    found = client.get_run(run.info.run_id)
    assert len(found.data.metrics) == 50 and len(found.data.params) == 100
    assert found.data.metrics["m49"] == 999.0
    assert len(client.get_metric_history(run.info.run_id, "m0")) == 20
    client.log_batch(run.info.run_id, metrics=metrics[:10])
    assert len(client.get_metric_history(run.info.run_id, "m0")) == 20
    client.set_terminated(run.info.run_id, "FAILED", end_time=7)
    assert client.get_run(run.info.run_id).info.end_time == 7
    client.update_run(run.info.run_id, name="renamed")
    assert client.get_run(run.info.run_id).data.tags["mlflow.runName"] == "renamed"


@step
def refusals():
    run = state["run"]
    raises("INVALID_PARAMETER_VALUE", "Changing param values is not allowed", lambda: client.log_param(run, "a", 2))
    client.log_param(run, "a", 1)
    raises("INVALID_PARAMETER_VALUE", "Invalid value", lambda: client.log_metric(run, "a$b", 1))
    raises("INVALID_PARAMETER_VALUE", "must not resolve to other names", lambda: client.log_metric(run, "../x", 1))
    raises("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_run("0" * 32))
    raises("INVALID_PARAMETER_VALUE", "exceeds", lambda: client.log_metric(run, "k" * 251, 1))


@step
def artifacts():
    with mlflow.start_run(run_id=state["run"]), tempfile.TemporaryDirectory() as folder:
        mlflow.log_text("grüezi", "notes/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        Path(folder, "deep", "er").mkdir(parents=True)
        Path(folder, "deep", "er", "with space é.bin").write_bytes(os.urandom(300_000))
        Path(folder, "empty").write_bytes(b"")
        mlflow.log_artifacts(folder, "tree")
        mlflow.log_artifact(str(Path(folder, "empty")), "single")
        mlflow.log_table({"a": [1, 2]}, "table.json")
        names = sorted(f.path for f in client.list_artifacts(state["run"]))
        assert names == ["config.json", "notes", "single", "table.json", "tree"], names
        assert client.list_artifacts(state["run"], "notes")[0].file_size == 7
        assert client.list_artifacts(state["run"], "tree")[0].is_dir
        got = mlflow.artifacts.download_artifacts(run_id=state["run"], artifact_path="tree")
        original = Path(folder, "deep", "er", "with space é.bin").read_bytes()
        assert Path(got, "deep", "er", "with space é.bin").read_bytes() == original
        assert Path(got, "empty").read_bytes() == b""
    assert mlflow.artifacts.load_text(f"runs:/{state['run']}/notes/hello.txt") == "grüezi"
    assert mlflow.artifacts.load_dict(f"runs:/{state['run']}/config.json") == {"a": [1, 2]}
    whole = client.download_artifacts(state["run"], "")
    assert Path(whole, "config.json").exists()
    raises_any(lambda: mlflow.artifacts.download_artifacts(run_id=state["run"], artifact_path="nothing.txt"))


def raises_any(call):
    try:
        call()
    except Exception:
        return
    raise AssertionError("no error")


@step
def inputs():
    frame = pd.DataFrame({"x": [1, 2], "y": [0, 1]})
    data = mlflow.data.from_pandas(frame, name="toy", targets="y")
    with mlflow.start_run(run_id=state["run"]):
        mlflow.log_input(data, context="training")
        mlflow.log_input(data, context="training")
    found = client.get_run(state["run"]).inputs.dataset_inputs
    assert len(found) == 1 and found[0].dataset.name == "toy" and found[0].dataset.digest == data.digest
    assert found[0].tags[0].value == "training"
    hits = mlflow.search_runs([state["experiment"]], "datasets.name = 'toy' and dataset.context = 'training'")
    assert list(hits.run_id) == [state["run"]]


@step
def onnx_model():
    signature = infer_signature(X, X * 2)
    with mlflow.start_run(run_name="onnx") as run:
        mlflow.log_metric("before", 1.0)
        info = mlflow.onnx.log_model(
            doubling_onnx(),
            name="model",
            signature=signature,
            input_example=X,
            registered_model_name="double",
        )
    state["onnx_run"] = run.info.run_id
    state["model_id"] = info.model_id
    assert str(info.registered_model_version) == "1"
    logged = client.get_logged_model(info.model_id)
    assert str(logged.status) in ("READY", "LoggedModelStatus.READY"), logged.status
    versions = json.loads(logged.tags["mlflow.modelVersions"])
    assert {(v["name"], str(v["version"])) for v in versions} == {("double", "1")}, versions
    outputs = client.get_run(run.info.run_id).outputs.model_outputs
    assert [o.model_id for o in outputs] == [info.model_id]
    again = mlflow.register_model(f"runs:/{run.info.run_id}/model", "double")
    assert str(again.version) == "2", again
    by_id = mlflow.register_model(f"models:/{info.model_id}", "double", tags={"from": "id"})
    assert str(by_id.version) == "3" and by_id.run_id == run.info.run_id


@step
def aliases_and_versions():
    client.set_registered_model_alias("double", "champion", "2")
    client.set_registered_model_alias("double", "challenger", 3)
    assert client.get_model_version_by_alias("double", "champion").version in ("2", 2)
    assert client.get_registered_model("double").aliases == {"champion": "2", "challenger": "3"}
    assert client.get_model_version("double", "2").aliases == ["champion"]
    client.set_registered_model_alias("double", "champion", "1")
    assert str(client.get_model_version_by_alias("double", "champion").version) == "1"
    client.delete_registered_model_alias("double", "challenger")
    client.delete_registered_model_alias("double", "challenger")
    raises("INVALID_PARAMETER_VALUE", "alias nope not found", lambda: client.get_model_version_by_alias("double", "nope"))
    raises("INVALID_PARAMETER_VALUE", "reserved", lambda: client.set_registered_model_alias("double", "latest", "1"))
    raises("INVALID_PARAMETER_VALUE", "reserved", lambda: client.set_registered_model_alias("double", "v1", "1"))
    raises("RESOURCE_DOES_NOT_EXIST", "version=9) not found", lambda: client.set_registered_model_alias("double", "x", "9"))
    client.set_model_version_tag("double", "1", "quality", "good")
    client.set_registered_model_tag("double", "owner", "me")
    client.update_model_version("double", "1", "the first")
    client.update_registered_model("double", "doubles")
    assert client.get_model_version("double", "1").description == "the first"
    assert client.get_model_version("double", "1").tags == {"quality": "good"}
    assert client.get_registered_model("double").description == "doubles"
    client.delete_model_version_tag("double", "1", "quality")
    client.delete_registered_model_tag("double", "owner")
    assert client.get_model_version("double", "1").tags == {}
    raises("RESOURCE_ALREADY_EXISTS", "already exists", lambda: client.create_registered_model("double"))
    raises("INVALID_PARAMETER_VALUE", "cannot contain", lambda: client.create_registered_model("a/b"))


@step
def load_models():
    for uri in ("models:/double@champion", "models:/double/2", "models:/double/latest", f"models:/{state['model_id']}", f"runs:/{state['onnx_run']}/model"):
        loaded = mlflow.pyfunc.load_model(uri)
        assert np.allclose(list(loaded.predict(X).values())[0], X * 2), uri
    session = mlflow.onnx.load_model("models:/double@champion")
    assert session.graph.name == "double"
    folder = mlflow.artifacts.download_artifacts("models:/double@champion")
    assert Path(folder, "MLmodel").exists() and Path(folder, "model.onnx").exists()
    assert client.get_model_version_download_uri("double", "1")


@step
def search_runs():
    ids = [state["experiment"]]
    found = client.search_runs(ids, "metrics.loss < 0.3 and params.b = 'x' and tags.kind = 'flow'")
    assert [r.info.run_id for r in found] == [state["run"]]
    for text in (
        "params.b LIKE '%x%'",
        "params.b ILIKE 'X'",
        "attributes.run_name = 'first'",
        "attributes.status = 'FINISHED' and params.a = '1'",
        f"run_id IN ('{state['run']}')",
        f"attributes.run_id = '{state['run']}'",
        "tags.`mlflow.note.content` = 'a note'",
        'params."a" = "1"',
        "params.a IS NOT NULL and tags.nothing IS NULL",
        "metrics.inf > 1",
        "metrics.nan != 3",
    ):
        hits = [r.info.run_id for r in client.search_runs(ids, text)]
        assert state["run"] in hits, (text, hits)
    assert not [r for r in client.search_runs(ids, "metrics.nan = 0")]
    assert state["run"] not in [r.info.run_id for r in client.search_runs(ids, "params.b LIKE 'X'")]
    first = client.search_runs(ids, max_results=1, order_by=["attributes.start_time ASC"])
    assert len(first) == 1 and first.token
    seen, token = [], None
    while True:
        page = client.search_runs(ids, max_results=2, page_token=token, order_by=["metrics.loss DESC"])
        seen += [r.info.run_id for r in page]
        token = page.token
        if not token:
            break
    assert len(seen) == len(set(seen)) and seen[0] == state["run"]
    assert len(mlflow.search_runs(experiment_names=["flow"])) == len(seen)
    for text, part in (
        ("metrics.loss < 0.3 OR metrics.loss > 1", "Invalid clause"),
        ("(metrics.loss < 0.3)", "Invalid clause"),
        ("metrics.loss < 'a'", "Expected numeric value"),
        ("params.a = 1", "Expected a quoted string value"),
        ("foo.a = 'x'", "Invalid entity type"),
        ("attributes.nope = 'x'", "Invalid attribute key"),
    ):
        raises("INVALID_PARAMETER_VALUE", part, lambda: client.search_runs(ids, text))
    raises("INVALID_PARAMETER_VALUE", "max_results", lambda: client.search_runs(ids, max_results=123456789))


@step
def search_others():
    assert "flow" in [e.name for e in client.search_experiments()]
    assert [e.name for e in client.search_experiments(filter_string="name LIKE 'fl%' and tags.team = 'a b'")] == ["flow"]
    assert [m.name for m in client.search_registered_models("name = 'double'")] == ["double"]
    assert [m.name for m in client.search_registered_models("name ILIKE 'DOU%'", order_by=["name DESC"])] == ["double"]
    versions = client.search_model_versions("name='double'", order_by=["version_number ASC"])
    assert [str(v.version) for v in versions] == ["1", "2", "3"]
    assert len(client.search_model_versions(f"run_id = '{state['onnx_run']}'")) == 3
    assert [str(v.version) for v in client.search_model_versions("tags.`from` = 'id'")] == ["3"]
    newer = client.search_model_versions("version_number > '1' and name = 'double'")
    assert sorted(str(v.version) for v in newer) == ["2", "3"]
    models = client.search_logged_models([state["experiment"]], filter_string="name = 'model'")
    assert [m.model_id for m in models] == [state["model_id"]]
    raises("INVALID_PARAMETER_VALUE", "Invalid", lambda: client.search_registered_models("color = 'red'"))
    raises("INVALID_PARAMETER_VALUE", "Invalid", lambda: client.search_model_versions("name > 'a'"))


@step
def copy_rename_delete():
    copy = client.copy_model_version("models:/double@champion", "copied")
    assert str(copy.version) == "1" and copy.source == "models:/double/1", copy
    loaded = mlflow.pyfunc.load_model("models:/copied/1")
    assert np.allclose(list(loaded.predict(X).values())[0], X * 2)
    client.rename_registered_model("copied", "moved")
    raises("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_registered_model("copied"))
    assert str(client.get_model_version("moved", "1").version) == "1"
    client.transition_model_version_stage("double", "2", "Production")
    assert [str(v.version) for v in client.get_latest_versions("double", ["Production"])] == ["2"]
    client.transition_model_version_stage("double", "3", "production", archive_existing_versions=True)
    assert client.get_model_version("double", "2").current_stage == "Archived"
    client.delete_model_version("double", "1")
    assert client.get_registered_model("double").aliases == {}
    raises("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_model_version("double", "1"))
    made = client.create_model_version("double", f"runs:/{state['onnx_run']}/model", state["onnx_run"])
    assert str(made.version) == "4", made
    client.delete_registered_model("moved")
    raises("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_registered_model("moved"))
    for source in ("/etc/passwd", "file:///etc", "mlflow-artifacts:/0/../../etc", "mlflow-artifacts:/0/other/artifacts"):
        raises("INVALID_PARAMETER_VALUE", "Invalid model version source", lambda: client.create_model_version("double", source))


@step
def delete_restore():
    run = client.create_run(state["experiment"])
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    raises("INVALID_PARAMETER_VALUE", "must be in the 'active' state", lambda: client.log_metric(run.info.run_id, "a", 1))
    gone = client.search_runs([state["experiment"]], run_view_type=ViewType.DELETED_ONLY)
    assert run.info.run_id in [r.info.run_id for r in gone]
    client.restore_run(run.info.run_id)
    client.log_metric(run.info.run_id, "a", 1)
    other = client.create_experiment("other", tags={"a": "b"})
    inner = client.create_run(other)
    client.delete_experiment(other)
    assert client.get_experiment(other).lifecycle_stage == "deleted"
    assert client.get_run(inner.info.run_id).info.lifecycle_stage == "deleted"
    raises("INVALID_PARAMETER_VALUE", "must be in the 'active' state", lambda: client.create_run(other))
    client.restore_experiment(other)
    client.rename_experiment(other, "another")
    assert client.get_experiment(other).name == "another"


@step
def sklearn_model_and_evaluate():
    data = load_iris(as_frame=True)
    frame = data.data.copy()
    frame["target"] = data.target
    with mlflow.start_run(run_name="sklearn"):
        fitted = LogisticRegression(max_iter=500).fit(data.data, data.target)
        info = mlflow.sklearn.log_model(
            fitted, name="clf", input_example=data.data.head(2), registered_model_name="iris"
        )
        result = mlflow.models.evaluate(
            info.model_uri,
            frame,
            targets="target",
            model_type="classifier",
            evaluator_config={"log_explainer": False},
        )
    assert result.metrics["accuracy_score"] > 0.9
    logged = client.get_logged_model(info.model_id)
    assert any(m.key == "accuracy_score" for m in logged.metrics)
    hits = client.search_logged_models(
        [state["experiment"]],
        filter_string="metrics.accuracy_score > 0.9",
        order_by=[{"field_name": "metrics.accuracy_score", "ascending": False}],
    )
    assert [m.model_id for m in hits] == [info.model_id]
    assert (mlflow.sklearn.load_model("models:/iris/1").predict(data.data) == fitted.predict(data.data)).all()


@step
def autolog():
    mlflow.sklearn.autolog(log_datasets=True)
    try:
        data = load_iris()
        with mlflow.start_run(run_name="auto") as run:
            LogisticRegression(max_iter=300).fit(data.data, data.target)
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["max_iter"] == "300" and "training_accuracy_score" in found.data.metrics
    assert found.inputs.dataset_inputs and found.outputs.model_outputs


@step
def nested_and_parallel_runs():
    with mlflow.start_run(run_name="parent") as parent:
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("m", 1)
    found = mlflow.search_runs([state["experiment"]], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert list(found.run_id) == [child.info.run_id]
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id


@step
def logged_model_life():
    model = client.create_logged_model(state["experiment"], name="raw", params={"depth": "3"}, tags={"t": "1"})
    client.log_model_params(model.model_id, {"more": "x"}) if hasattr(client, "log_model_params") else None
    client.set_logged_model_tags(model.model_id, {"u": "2"})
    client.delete_logged_model_tag(model.model_id, "t")
    done = client.finalize_logged_model(model.model_id, "READY")
    assert client.get_logged_model(model.model_id).tags.get("u") == "2"
    assert done.model_id == model.model_id
    client.delete_logged_model(model.model_id)
    raises("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_logged_model(model.model_id))


@step
def prompts_are_hidden():
    prompt = mlflow.genai.register_prompt(name="a-prompt", template="Say {{what}}")
    assert prompt.version == 1 and mlflow.genai.load_prompt("prompts:/a-prompt/1").template == "Say {{what}}"
    assert "a-prompt" not in [m.name for m in client.search_registered_models()]
    assert [p.name for p in client.search_prompts()] == ["a-prompt"]
    assert "a-prompt" not in [v.name for v in client.search_model_versions()]


@step
def delete_artifacts():
    run = client.get_run(state["run"])
    repo = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(run.info.artifact_uri)
    repo.delete_artifacts("tree")
    assert "tree" not in [f.path for f in client.list_artifacts(state["run"])]
    assert client.list_artifacts(state["run"], "tree") == []


def main():
    failed = 0
    for function in STEPS:
        try:
            function()
            print(f"ok {function.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {function.__name__}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)


main()
