import { SerinError } from "../../core/mod.ts";

const LOCATION_CHARACTERS_MAX = 2048;

/**
 * Checks an artifact location that a caller gives (`_validate_storage_location_uri` of MLflow).
 *
 * @param field the request's field, for the message
 * @throws {SerinError} `invalid_input`
 */
export function checkLocation(location: string, field: string): void {
  const refuse = (message: string) => new SerinError("invalid_input", message);
  if (location.includes("#") || location.includes(";")) {
    throw refuse(`'${field}' URL can't include fragments or params.`);
  }
  const query = location.split("?").slice(1).join("?");
  if (decode(query).includes("..")) throw refuse("Invalid query string");
  if (location.startsWith("runs:")) {
    throw refuse(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  }
  if (location.length > LOCATION_CHARACTERS_MAX) {
    throw refuse(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ` +
        `${LOCATION_CHARACTERS_MAX}. To configure this limit, please set the ` +
        "MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.",
    );
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
