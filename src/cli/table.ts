/**
 * A plain table for a terminal: columns as wide as their widest cell, numbers to the right.
 *
 * @param header the column names
 * @param rows cells as text; a row shorter than the header is padded
 * @returns lines without a final newline
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => [...(row[i] ?? "")].length)));
  const numeric = header.map((_, i) =>
    rows.length > 0 &&
    rows.every((row) => /^[-+]?[\d.,]+( ?(%|ms|s|MB|kB))?$|^$|^—$/.test(row[i] ?? ""))
  );
  const line = (row: readonly string[]) =>
    header.map((_, i) => {
      const cell = row[i] ?? "";
      const gap = " ".repeat(widths[i] - [...cell].length);
      return numeric[i] ? gap + cell : cell + gap;
    }).join("  ").trimEnd();
  return [line(header), widths.map((w) => "─".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}
