import { SerinError, Sha256, storageError } from "../core/mod.ts";
import type { DecisionRecord } from "./retraining.ts";

/** The rows of a retraining, as others may read them. */
export interface CollectedRows {
  readonly bytes: number;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  /** Opens the file anew. */
  open(): Promise<ReadableStream<Uint8Array>>;
}

/** The file of a retraining's rows, in the folder of the process that retrains. */
export function rowsPath(folder: string, id: string): string {
  return `${folder}/runs/${id}/data.csv`;
}

type RowsDigest = Pick<CollectedRows, "bytes" | "sha256">;

/** What a file of rows is recognised by. */
export async function digestRows(path: string): Promise<RowsDigest> {
  const hash = new Sha256();
  let bytes = 0;
  try {
    for await (const chunk of (await Deno.open(path, { read: true })).readable) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    throw storageError(`Cannot read ${path}`, cause);
  }
  return { bytes, sha256: hash.hex() };
}

/**
 * @returns the rows that a retraining has collected
 * @throws {SerinError} `conflict` before they are, `not_found` where there are none (any more)
 */
export async function findRows(
  { id, run }: DecisionRecord,
  folder: string,
): Promise<CollectedRows> {
  if (run === undefined) {
    throw new SerinError("not_found", `${id} began no retraining: it has no rows`, {
      hint: "serin retrain history shows which decisions did",
    });
  }
  const collect = run.steps.find(({ step }) => step === "collect");
  if (collect?.endedMs === undefined) {
    throw new SerinError("conflict", `The rows of ${id} are not collected: it is ${run.state}`, {
      hint: `serin retrain explain ${id} says more`,
    });
  }
  const path = rowsPath(folder, id);
  await statRows(path, id);
  const known = collect.facts as Partial<RowsDigest>;
  // Collected by an executable from before rows were told to others: it noted no digest.
  const { bytes, sha256 } = known.sha256 === undefined
    ? await digestRows(path)
    : known as RowsDigest;
  const open = async () => {
    try {
      return (await Deno.open(path, { read: true })).readable;
    } catch (cause) {
      throw cause instanceof Deno.errors.NotFound
        ? removed(id)
        : storageError(`Cannot read ${path}`, cause);
    }
  };
  return { bytes, sha256, open };
}

async function statRows(path: string, id: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw removed(id);
    throw storageError(`Cannot read ${path}`, cause);
  }
}

function removed(id: string): SerinError {
  return new SerinError("not_found", `The rows of ${id} were removed`, {
    hint: "those of the newest retrainings are kept only",
  });
}
