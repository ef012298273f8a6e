import { z } from "zod";

/** Of every command whose `--data` may be an address. */
export const dataOptions = {
  dataTokenFile: z.string().min(1).optional().meta({
    description: "File that holds the token which the address of --data wants",
    placeholder: "FILE",
  }),
  dataToken: z.string().optional().meta({
    description:
      "The token which the address of --data wants, where --data-token-file names no file",
    env: "SERIN_DATA_TOKEN",
    secret: true,
  }),
  dataTokenOrigin: z.string().min(1).optional().meta({
    description: "Send the token there only; default to whatever address --data names",
    placeholder: "URL",
  }),
  dataWaitSeconds: z.number().min(0).max(3600).default(30).meta({
    description: "How long an address that is out of reach, or fails, is tried again",
    placeholder: "S",
  }),
} as const;
