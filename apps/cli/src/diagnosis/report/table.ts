/** A table of aligned columns: the first is text, the others stand at the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `  ${padded.join("  ").trimEnd()}\n`;
  };
  return line(head) + rows.map(line).join("");
}

/** A number of any size, short: three significant digits. */
export function short(value: number | undefined): string {
  if (value === undefined) return "–";
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e4) return String(Number(value.toPrecision(3)));
  return value.toExponential(1).replace("e+", "e");
}

/** A share, in percent. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
