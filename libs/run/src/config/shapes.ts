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
