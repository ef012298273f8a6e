/** Tables: reading CSV, typed columns, digests, splits and binning. */
export { binBounds, binCodes, MISSING_BIN } from "./bins.ts";
export { type CsvOptions, parseCsv, readCsv } from "./csv.ts";
export {
  type Column,
  type Dataset,
  findNonNumber,
  getColumn,
  isNumberText,
  type NumericColumn,
  sliceRows,
  type TextColumn,
} from "./dataset.ts";
export { MISSING_TEXTS } from "./text_dictionary.ts";
export { datasetDigest } from "./digest.ts";
export { type Split, type SplitOptions, splitRows } from "./split.ts";
