import { ACTIONS, type CompositeAction } from "./workflow.ts";

/** Gets the executable, unless the runner has one; what is not the wanted file is never run. */
const GET_SERIN = `set -euo pipefail
if command -v serin >/dev/null; then
  serin version
  exit 0
fi
: "\${URL:?set the variable SERIN_DOWNLOAD_URL: an address of the executable serin}"
: "\${SHA256:?set the variable SERIN_SHA256: the SHA-256 of that file}"
folder="$RUNNER_TEMP/serin"
mkdir -p "$folder"
if ! printf '%s  %s\\n' "$SHA256" "$folder/serin" | sha256sum --check --quiet 2>/dev/null; then
  curl --fail --silent --show-error --location --retry 3 --max-time 300 \\
    --output "$folder/serin" "$URL"
  printf '%s  %s\\n' "$SHA256" "$folder/serin" | sha256sum --check --quiet
fi
chmod 755 "$folder/serin"
printf '%s\\n' "$folder" >>"$GITHUB_PATH"
"$folder/serin" version
`;

/** `.github/actions/setup-serin`: serin in PATH, kept between jobs by its digest. */
export function setupAction(): CompositeAction {
  return {
    name: "Set up serin",
    description: "Puts the executable serin in PATH, once its SHA-256 is the wanted one",
    inputs: {
      url: {
        description: "Where the executable is; not needed on runners that have serin in PATH",
        required: false,
      },
      sha256: { description: "SHA-256 of the executable", required: false },
    },
    runs: {
      using: "composite",
      steps: [
        {
          if: "inputs.sha256 != ''",
          uses: ACTIONS.cache,
          with: {
            path: "${{ runner.temp }}/serin",
            key: "serin-${{ runner.os }}-${{ runner.arch }}-${{ inputs.sha256 }}",
          },
        },
        {
          shell: "bash",
          env: { URL: "${{ inputs.url }}", SHA256: "${{ inputs.sha256 }}" },
          run: GET_SERIN,
        },
      ],
    },
  };
}
