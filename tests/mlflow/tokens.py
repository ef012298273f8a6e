"""What MLflow's own Python client is told without the right token.

usage: SERIN_TEST_ADMIN=… SERIN_TEST_REPLICA=… tokens.py TRACKING_URI

Prints "ok NAME" for each step; a step that fails ends the script with its traceback.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from requests import HTTPError  # noqa: E402

mlflow.set_tracking_uri(sys.argv[1])
ADMIN, REPLICA = os.environ["SERIN_TEST_ADMIN"], os.environ["SERIN_TEST_REPLICA"]
NAMES = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


def log_in(**values):
    for name in NAMES:
        os.environ.pop(name, None)
    os.environ.update(values)
    return MlflowClient()


def refused(code, part, call):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        assert part in str(error), str(error)
        assert ADMIN not in str(error) and REPLICA not in str(error), str(error)
        return
    raise AssertionError(f"no error, expected {code}")


def upload(client, run_id):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.txt")
        path.write_text("a")
        client.log_artifact(run_id, str(path))


client = log_in(MLFLOW_TRACKING_TOKEN=ADMIN)
run_id = client.create_run("0").info.run_id
upload(client, run_id)
client.create_registered_model("m")
client.create_model_version("m", client.get_run(run_id).info.artifact_uri, run_id)
client.set_registered_model_alias("m", "champion", "1")

client = log_in()
refused("UNAUTHENTICATED", "wants a token", lambda: client.create_run("0"))
refused("UNAUTHENTICATED", "wants a token", lambda: client.get_run(run_id))
print("ok no_token")

client = log_in(MLFLOW_TRACKING_TOKEN="not-the-token-at-all")
refused("UNAUTHENTICATED", "none of this registry's", lambda: client.create_run("0"))
print("ok wrong_token")

client = log_in(MLFLOW_TRACKING_USERNAME="me", MLFLOW_TRACKING_PASSWORD="not-the-token")
refused("UNAUTHENTICATED", "none of this registry's", lambda: client.get_registered_model("m"))
print("ok wrong_password")

client = log_in(MLFLOW_TRACKING_TOKEN=REPLICA)
assert client.get_model_version_by_alias("m", "champion").version == "1"
with tempfile.TemporaryDirectory() as folder:
    files = mlflow.artifacts.download_artifacts("models:/m@champion", dst_path=folder)
    assert Path(files, "a.txt").read_text() == "a", files
move = lambda: client.set_registered_model_alias("m", "champion", "1")  # noqa: E731
refused("PERMISSION_DENIED", "replica's token may not", move)
refused("PERMISSION_DENIED", "replica's token may not", lambda: client.create_run("0"))
try:
    upload(client, run_id)
    raise AssertionError("a replica uploaded a file")
except HTTPError as error:
    assert "PERMISSION_DENIED" in str(error), error
print("ok replica_token")
