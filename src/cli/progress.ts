import { formatDuration } from "../core/mod.ts";

/** Says on stderr what happens meanwhile: one line redrawn on a terminal, lines elsewhere. */
export interface Progress {
  /** Replaces the current line. */
  update(text: string): void;
  /** Leaves a line behind. */
  say(text: string): void;
  /** Removes the current line. */
  end(): void;
}

const encoder = new TextEncoder();

/**
 * @param options.interactive whether stderr is a terminal; elsewhere `update` prints a line at most
 *   every five seconds
 */
export function openProgress(
  options: { interactive: boolean; write?: (text: string) => void; now?: () => number },
): Progress {
  const write = options.write ?? ((text) => void Deno.stderr.writeSync(encoder.encode(text)));
  const now = options.now ?? (() => performance.now());
  const started = now();
  let printed = options.interactive ? -Infinity : started;
  const clear = options.interactive ? "\r\x1b[2K" : "";
  return {
    update(text) {
      const least = options.interactive ? 80 : 5000;
      if (now() - printed < least) return;
      printed = now();
      const line = `[${formatDuration(printed - started).padStart(7)}] ${text}`;
      write(options.interactive ? `${clear}${line.slice(0, 160)}` : `${line}\n`);
    },
    say(text) {
      write(`${clear}${text}\n`);
    },
    end() {
      write(clear);
    },
  };
}
