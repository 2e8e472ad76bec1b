/**
 * The plots of a diagnosis. This room loads ECharts.
 *
 * @example
 * ```ts
 * await writeFile("adding.svg", chartsSvg({ file: "adding.yaml", comparedKey: undefined, variants }));
 * ```
 */
export { chartsSvg } from "./charts-svg.js";
