import { z } from "zod";

type Schema = z.core.$ZodType;
/** The keys of a group and their schemas. */
export type Shape = Readonly<Record<string, Schema>>;

/** The shape of a group, or those of its alternatives; none for anything else. */
export function shapesOf(schema: Schema): readonly Shape[] {
  if (schema instanceof z.ZodObject) return [schema.shape];
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(shapesOf);
  if (schema instanceof z.ZodPipe) return shapesOf(schema.out);
  if (
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return shapesOf(schema.def.innerType);
  }
  return [];
}

/** What the members of a list are; undefined for anything else. */
export function elementOf(schema: Schema): Schema | undefined {
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodPipe) return elementOf(schema.out);
  if (
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return elementOf(schema.def.innerType);
  }
  return undefined;
}

/** The kind that a group of alternatives has if it names none; undefined if it must name one. */
export function defaultKindOf(schema: Schema): unknown {
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform) {
    const filled = z.safeParse(schema.in, {}).data;
    return typeof filled === "object" && filled !== null && "kind" in filled
      ? filled.kind
      : undefined;
  }
  if (
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return defaultKindOf(schema.def.innerType);
  }
  return undefined;
}
