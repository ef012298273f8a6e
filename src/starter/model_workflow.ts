import { ACTIONS, type Job, type Step, type Workflow } from "./workflow.ts";

const RUNNER = "ubuntu-latest";
const TOKEN = { SERIN_REGISTRY_TOKEN: "${{ secrets.SERIN_REGISTRY_TOKEN }}" };
const MODEL_URI = { MODEL_URI: "${{ needs.register.outputs.model_uri }}" };
const IS_ROLLBACK = "github.event_name == 'workflow_dispatch' && inputs.action == 'rollback'";

/** The longest line of a command; longer ones go on in the next. */
const COMMAND_COLUMNS = 90;

/**
 * The workflow of a model repository. Values of GitHub's contexts reach commands by environment
 * variables alone, never inside a command's text.
 *
 * @param model the registered model's name
 */
export function modelWorkflow(model: string): Workflow {
  return {
    name: "model",
    on: {
      push: {
        branches: ["main"],
        paths: ["data/**", "*.yaml", ".github/workflows/model.yml"],
      },
      workflow_dispatch: {
        inputs: {
          action: {
            description: "release: from the data to the rollout; rollback: to the version before",
            type: "choice",
            options: ["release", "rollback"],
            default: "release",
          },
          version: {
            description: "Of a rollback: the version's number; empty: the champion before",
            type: "string",
            default: "",
          },
        },
      },
    },
    permissions: { contents: "read" },
    // A rollback does not wait behind a rollout.
    concurrency: {
      group: "model-${{ inputs.action || 'release' }}",
      "cancel-in-progress": false,
    },
    env: {
      MODEL: model,
      SERIN_REGISTRY: "${{ vars.SERIN_REGISTRY }}",
      SERIN_SERVING_URL: "${{ vars.SERIN_SERVING_URL }}",
    },
    jobs: {
      "data-check": dataCheckJob(),
      train: trainJob(),
      gate: gateJob(),
      register: registerJob(),
      deploy: deployJob(),
      smoke: smokeJob(),
      rollout: rolloutJob(),
      rollback: rollbackJob(),
    },
  };
}

function dataCheckJob(): Job {
  return job({
    name: "Data check",
    if: "inputs.action != 'rollback'",
    env: TOKEN,
    steps: [
      ...start(),
      {
        name: "Is the data fit to train on?",
        run: command(
          "data check",
          ...["--data data/train.csv", "--spec train.yaml"],
          ...['--reference "models:/$MODEL@champion"', "--allow-first", "--junit data-check.xml"],
        ),
      },
      upload("data-check", "data-check.xml", "always()"),
    ],
  });
}

function trainJob(): Job {
  return job({
    name: "Train",
    needs: ["data-check"],
    minutes: 60,
    env: TOKEN,
    steps: [
      ...start(),
      {
        name: "Train, and record the run",
        run: command("train", "--data data/train.csv", "--spec train.yaml", "--out model"),
      },
      upload("model", "model"),
    ],
  });
}

function gateJob(): Job {
  return job({
    name: "Gate",
    needs: ["train"],
    env: TOKEN,
    steps: [
      ...start(),
      download("model", "model"),
      {
        name: "Is it good enough, and no worse than the champion?",
        run: command(
          "gate",
          ...["--candidate model", '--champion "models:/$MODEL@champion"', "--allow-first"],
          ...["--data data/holdout.csv", "--spec gate.yaml", "--verdict verdict.json"],
          ...["--junit gate.xml", '--markdown "$GITHUB_STEP_SUMMARY"'],
        ),
      },
      upload("verdict", "verdict.json"),
      upload("gate", "gate.xml", "always()"),
    ],
  });
}

function registerJob(): Job {
  return job({
    name: "Register",
    needs: ["gate"],
    env: TOKEN,
    outputs: { model_uri: "${{ steps.register.outputs.model_uri }}" },
    steps: [
      ...start(),
      download("model", "model"),
      download("verdict", "."),
      {
        name: "Make it a version, with the gate's verdict",
        id: "register",
        run: command(
          "register",
          ...["--model model", '--name "$MODEL"', "--verdict verdict.json"],
          ...['--tag "mlflow.source.git.commit=$GITHUB_SHA"', '--outputs "$GITHUB_OUTPUT"'],
        ),
      },
    ],
  });
}

function deployJob(): Job {
  return job({
    name: "Deploy",
    needs: ["register"],
    // A person may be put in front of it: Settings, Environments, production.
    environment: "production",
    env: { ...TOKEN, ...MODEL_URI },
    steps: [
      ...start(),
      {
        name: "Set the plan of the rollout",
        run: command("canary plan", '--model "$MODEL"', "--file rollout.yaml"),
      },
      {
        name: "Begin the rollout",
        run: command("deploy model", '--model "$MODEL_URI"', "--canary", "--allow-first"),
      },
    ],
  });
}

function smokeJob(): Job {
  return job({
    name: "Smoke test",
    needs: ["register", "deploy"],
    env: { ...TOKEN, ...MODEL_URI },
    steps: [
      ...start(),
      download("model", "model"),
      {
        name: "Does the version answer?",
        run: command(
          "smoke",
          ...['--model "$MODEL_URI"', "--example model/serving_input_example.json"],
          "--junit smoke.xml",
        ),
      },
      {
        name: "If not, end its rollout",
        if: "failure()",
        run: command("canary abort", '--canary "$MODEL_URI"'),
      },
      upload("smoke", "smoke.xml", "always()"),
    ],
  });
}

function rolloutJob(): Job {
  return job({
    name: "Rollout",
    needs: ["register", "smoke"],
    // Longer than the command waits.
    minutes: 150,
    env: { ...TOKEN, ...MODEL_URI },
    steps: [
      ...start(),
      {
        name: "Wait until it is promoted or rolled back",
        run: command("canary wait", '--canary "$MODEL_URI"', "--timeout-seconds 7200"),
      },
    ],
  });
}

function rollbackJob(): Job {
  return job({
    name: "Rollback",
    if: IS_ROLLBACK,
    env: { ...TOKEN, VERSION: "${{ inputs.version }}" },
    steps: [
      ...start(),
      {
        name: "Go back to the version before, or to the one that was named",
        run: command(
          "deploy rollback",
          ...['--model "$MODEL"', '${VERSION:+--to "$VERSION"}', "--timeout-seconds 60"],
        ),
      },
    ],
  });
}

function job(given: Omit<Job, "runs-on" | "timeout-minutes"> & { readonly minutes?: number }): Job {
  const { name, if: condition, needs, environment, minutes = 15, outputs, env, steps } = given;
  return {
    name,
    ...(condition === undefined ? {} : { if: condition }),
    ...(needs === undefined ? {} : { needs }),
    "runs-on": RUNNER,
    "timeout-minutes": minutes,
    ...(environment === undefined ? {} : { environment }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(env === undefined ? {} : { env }),
    steps,
  };
}

/** The repository, and serin in PATH. */
function start(): Step[] {
  return [
    { uses: ACTIONS.checkout, with: { "persist-credentials": false } },
    {
      uses: "./.github/actions/setup-serin",
      with: { url: "${{ vars.SERIN_DOWNLOAD_URL }}", sha256: "${{ vars.SERIN_SHA256 }}" },
    },
  ];
}

function upload(name: string, path: string, condition?: string): Step {
  return {
    ...(condition === undefined ? {} : { if: condition }),
    uses: ACTIONS.upload,
    with: { name, path, overwrite: true },
  };
}

function download(name: string, path: string): Step {
  return { uses: ACTIONS.download, with: { name, path } };
}

/** One command of serin, on as few lines as it needs. */
function command(words: string, ...args: readonly string[]): string {
  const lines = [`serin ${words}`];
  for (const arg of args) {
    const last = lines.length - 1;
    if (`${lines[last]} ${arg} \\`.length <= COMMAND_COLUMNS) lines[last] += ` ${arg}`;
    else lines.push(`  ${arg}`);
  }
  return lines.join(" \\\n");
}
