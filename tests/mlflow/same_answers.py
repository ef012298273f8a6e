"""same_answers.py REGISTRY SERVING DATA.csv: the stock client sets the alias champion, loads the model
by it, and both its flavours must predict what `serin serve` answers. Prints one JSON line."""

import json
import sys
import time
import urllib.request

import mlflow
import numpy
import onnxruntime
import pandas

registry, serving, data = sys.argv[1:4]
mlflow.set_tracking_uri(registry)
client = mlflow.MlflowClient()
client.set_registered_model_alias("electricity", "champion", "1")

# The server follows the alias: it is ready when the version is warm.
deadline = time.monotonic() + 60
while True:
    try:
        urllib.request.urlopen(f"{serving}/v2/health/ready", timeout=5)
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)

frame = pandas.read_csv(data).drop(columns=["target"]).head(500).astype("float32")
body = {"dataframe_split": json.loads(frame.to_json(orient="split", index=False, double_precision=15))}
request = urllib.request.Request(
    f"{serving}/invocations",
    data=json.dumps(body).encode(),
    headers={"content-type": "application/json"},
)
answer = json.load(urllib.request.urlopen(request, timeout=30))["predictions"]
served = numpy.array([row["probabilities"] for row in answer])
labels = [row["label"] for row in answer]

model = mlflow.onnx.load_model("models:/electricity@champion")
session = onnxruntime.InferenceSession(model.SerializeToString())
feeds = {name: frame[[name]].to_numpy() for name in frame.columns}
named = dict(zip([output.name for output in session.get_outputs()], session.run(None, feeds)))
native = numpy.asarray(named["probabilities"])

pyfunc = mlflow.pyfunc.load_model("models:/electricity@champion").predict(frame)

print(json.dumps({
    "rows": len(labels),
    "onnx_difference": float(abs(native - served).max()),
    "pyfunc_difference": float(abs(numpy.asarray(pyfunc["probabilities"]) - served).max()),
    "labels_equal": labels == [int(label) for label in named["label"]],
}))
