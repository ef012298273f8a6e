import { z } from "zod";
import { createRetrainClient, type RetrainClient } from "../control/mod.ts";
import { checkToken, readTokenFile } from "./token_file.ts";

/** Of every command that asks the process that retrains. */
export const retrainOptions = {
  retrain: z.string().min(1).default("http://localhost:8083").meta({
    description: "serin retrain serve; a path is kept, such as that of Kubernetes' service proxy",
    placeholder: "URL",
    env: "SERIN_RETRAIN",
  }),
  tokenFile: z.string().min(1).optional().meta({
    description: "File that holds its token",
    placeholder: "FILE",
  }),
  token: z.string().optional().meta({
    description: "Its token, where --token-file names no file",
    env: "SERIN_RETRAIN_TOKEN",
    secret: true,
  }),
};

/** Those options, parsed. */
export interface RetrainAccess {
  readonly retrain: string;
  readonly tokenFile?: string | undefined;
  readonly token?: string | undefined;
}

/** @throws {SerinError} `configuration` */
export async function openRetrainClient(access: RetrainAccess): Promise<RetrainClient> {
  const { tokenFile, token } = access;
  const secret = tokenFile !== undefined
    ? await readTokenFile(tokenFile, "--token-file")
    : token === undefined
    ? undefined
    : checkToken("SERIN_RETRAIN_TOKEN", token);
  // Not Authorization: on the way through Kubernetes' service proxy that is the API server's own.
  const headers: Record<string, string> = secret === undefined
    ? {}
    : { "x-serin-authorization": `Bearer ${secret}` };
  return createRetrainClient({ baseUrl: access.retrain, fetch: globalThis.fetch, headers });
}
