import { Sha256 } from "../core/mod.ts";
import type { Column, Dataset } from "./dataset.ts";

const encoder = new TextEncoder();
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const BLOCK_ROWS = 65536;

/**
 * A digest of what the data says: names, types and values in order. How it was written (quotes, line
 * ends, "1" or "1.0") and how text is coded do not matter; a changed value, row order or column does.
 *
 * @returns `sha256:` and 64 hexadecimal digits
 */
export function datasetDigest(dataset: Dataset): string {
  const hash = new Sha256();
  hash.update(encoder.encode(JSON.stringify(["serin-dataset-1", dataset.rows])));
  for (const column of dataset.columns) {
    hash.update(encoder.encode(JSON.stringify([column.kind, column.name])));
    hashColumn(hash, column);
  }
  return `sha256:${hash.hex()}`;
}

function hashColumn(hash: Sha256, column: Column): void {
  if (column.kind === "numeric") {
    hashDoubles(hash, column.values);
    return;
  }
  // Codes by first appearance: the same whatever rows stood before a slice.
  const renamed = new Int32Array(column.dictionary.length).fill(-1);
  const seen: string[] = [];
  const codes = Float64Array.from(column.codes, (code) => {
    if (code < 0) return -1;
    if (renamed[code] < 0) renamed[code] = seen.push(column.dictionary[code]) - 1;
    return renamed[code];
  });
  hashDoubles(hash, codes);
  hash.update(encoder.encode(JSON.stringify(seen)));
}

/** Little-endian; one NaN and one zero, whatever their bits. */
function hashDoubles(hash: Sha256, values: Float64Array): void {
  const block = new Float64Array(Math.min(BLOCK_ROWS, values.length));
  const view = new DataView(block.buffer);
  for (let start = 0; start < values.length; start += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, values.length - start);
    for (let i = 0; i < count; i++) {
      const value = values[start + i];
      const plain = value !== value ? NaN : value === 0 ? 0 : value;
      if (LITTLE_ENDIAN) block[i] = plain;
      else view.setFloat64(8 * i, plain, true);
    }
    hash.update(new Uint8Array(block.buffer, 0, 8 * count));
  }
}
