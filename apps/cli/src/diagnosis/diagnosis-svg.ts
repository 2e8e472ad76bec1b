import type { Report } from "./report/index.js";

/** The diagnosis as one SVG. What draws it is loaded now and not before. */
export async function diagnosisSvg(report: Report): Promise<string> {
  const { chartsSvg } = await import("./charts/index.js");
  return chartsSvg(report);
}
