import type { Report } from "./report.js";

/** The diagnosis as one JSON object; a number that is not finite, and what there is none of, is null. */
export function diagnosisJson({ file, comparedKey, variants }: Report): string {
  const object = {
    event: "diagnosis",
    config: file,
    compared: comparedKey,
    variants: variants.map(({ label, start, training, end }) => ({
      value: label,
      start,
      training,
      end,
    })),
  };
  return JSON.stringify(object, (_, value: unknown) => (value === undefined ? null : value));
}
