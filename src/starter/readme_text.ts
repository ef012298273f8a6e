/** @returns the README of a model repository */
export function readmeText(model: string): string {
  return README.replaceAll("MODEL_NAME", () => model);
}

const README = `# MODEL_NAME

A model from its data to its rollout, by serin. What changes here on \`main\` is trained, judged,
registered and rolled out by \`.github/workflows/model.yml\`.

| file               | what it says                                              |
| ------------------ | --------------------------------------------------------- |
| \`data/train.csv\`   | what the model learns from                                |
| \`data/holdout.csv\` | rows that no version learns from: the gate judges by them |
| \`train.yaml\`       | how it is trained                                         |
| \`gate.yaml\`        | what a version must show before it is registered          |
| \`rollout.yaml\`     | how traffic goes over to a new version                    |

The data are made up (parcels, and whether each came late): put yours in their place, with the
target's name in \`train.yaml\` and \`gate.yaml\`.

## What the workflow does

| job          | command                 | what it decides                                                |
| ------------ | ----------------------- | -------------------------------------------------------------- |
| \`data-check\` | \`serin data check\`      | is the data fit to train on, and like what the champion knows? |
| \`train\`      | \`serin train\`           | the run, its metrics and files are on the registry             |
| \`gate\`       | \`serin gate\`            | good enough, and no worse than the champion on the same rows?  |
| \`register\`   | \`serin register\`        | a version, with the gate's verdict as its tags                 |
| \`deploy\`     | \`serin deploy model\`    | the version is the challenger: its rollout begins              |
| \`smoke\`      | \`serin smoke\`           | does it answer? If not, the rollout is ended                   |
| \`rollout\`    | \`serin canary wait\`     | promoted, or rolled back by evidence                           |
| \`rollback\`   | \`serin deploy rollback\` | by hand: _Run workflow_, action _rollback_                     |

Exit codes are the same everywhere: 0 well, 3 refused or rolled back, 1 failed or not to be told, 2
a wrong command line or file. A first version has no champion to be held against: it becomes the
champion itself.

## Before the first run

Settings → Secrets and variables → Actions:

| name                   | kind     | what it is                                                         |
| ---------------------- | -------- | ------------------------------------------------------------------ |
| \`SERIN_REGISTRY\`       | variable | address of \`serin registry\`, e.g. \`https://registry.example\`       |
| \`SERIN_SERVING_URL\`    | variable | address of \`serin serve\`, for the smoke test                       |
| \`SERIN_REGISTRY_TOKEN\` | secret   | the registry's admin token                                         |
| \`SERIN_DOWNLOAD_URL\`   | variable | address of the executable serin; not on runners with serin in PATH |
| \`SERIN_SHA256\`         | variable | its SHA-256                                                        |

Runners must reach the registry and the serving address. No cluster's credentials are needed: a
deployment is an alias of the registry, which replicas follow wherever they run. The environment
\`production\` of the job \`deploy\` may ask a person first.

## On your own machine

\`\`\`sh
serin registry --data serin-data &
serin serve --registry http://localhost:5000 --model models:/MODEL_NAME@champion &
export SERIN_REGISTRY=http://localhost:5000

serin data check --data data/train.csv --spec train.yaml
serin train --data data/train.csv --spec train.yaml --out model
serin gate --candidate model --champion models:/MODEL_NAME@champion --allow-first \\
  --data data/holdout.csv --spec gate.yaml --verdict verdict.json
serin register --model model --name MODEL_NAME --verdict verdict.json
serin canary plan --model MODEL_NAME --file rollout.yaml
serin deploy model --model models:/MODEL_NAME/1 --canary --allow-first
serin smoke --model models:/MODEL_NAME/1 --example model/serving_input_example.json
serin canary wait --canary models:/MODEL_NAME/1
\`\`\`
`;
