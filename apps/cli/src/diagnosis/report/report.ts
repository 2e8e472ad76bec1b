import type { Diagnosis, LayerDiagnosis, LayerDistances } from "@ostinato/lstm/model";

import type { VariantDiagnosis } from "../diagnose-config.js";

/** All that a diagnosis shows. */
export interface Report {
  /** The config file. */
  readonly file: string;
  /** The key in which the variants differ; undefined for a single one. */
  readonly comparedKey: string | undefined;
  readonly variants: readonly VariantDiagnosis[];
}

/** A variant as it stands at the end. */
export function newest({ start, end }: VariantDiagnosis): Diagnosis {
  return end ?? start;
}

/** One line of a plot over time distances. */
export interface DistanceCurve {
  readonly name: string;
  /** The variant's place among all. */
  readonly variant: number;
  readonly layer: LayerDiagnosis;
  readonly diagnosis: Diagnosis;
}

/** Whose gradient's norm it is: of the hidden state h_t, or of the gates before their activations. */
export type DistanceOf = keyof LayerDistances;

/** [T]; none for a loss of sequences as a whole. */
export function normsOf({ layer }: DistanceCurve, of: DistanceOf): readonly number[] {
  return layer.byDistance?.[of].norms ?? [];
}

/** A curve for each layer of each variant. */
export function curvesOf(
  { variants }: Report,
  diagnosisOf: (variant: VariantDiagnosis) => Diagnosis | undefined = newest,
): readonly DistanceCurve[] {
  return variants.flatMap((found, variant) => {
    const diagnosis = diagnosisOf(found);
    if (diagnosis === undefined) return [];
    return diagnosis.layers.map((layer) => {
      const name = found.label === undefined ? layer.name : `${found.label} ${layer.name}`;
      const isOnly = diagnosis.layers.length === 1 && found.label !== undefined;
      return { name: isOnly ? found.label : name, variant, layer, diagnosis };
    });
  });
}
