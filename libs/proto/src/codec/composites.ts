import { MAX_LIST_LENGTH } from "../limits.js";
import type { Field } from "./field.js";
import { FieldProblem } from "./field.js";

/** protobufjs' own field for what it did not know; never sent, never read. */
type Unknowns = "$unknowns";

/** A field for each name of the value, and no name of the generated message left out. */
type FieldsOf<Value, Wire> = {
  readonly [Name in keyof Value | Exclude<keyof Wire, Unknowns>]-?: Name extends keyof Value
    ? Name extends keyof Wire
      ? Field<Value[Name], NonNullable<Wire[Name]>>
      : never
    : never;
};

/** A message without fields; those of a later version are skipped. */
export const nothing: Field<undefined, object> = {
  fromWire: () => undefined,
  toWire: () => ({}),
};

type AnyField = Field<unknown, unknown>;

/**
 * A message whose fields have the names of the value's.
 *
 * @param check says what is wrong with the message as a whole, if anything is
 */
export function record<Value extends object, Wire extends object>(
  fields: FieldsOf<Value, Wire>,
  check: (value: Value) => string | undefined = () => undefined,
): Field<Value, Wire> {
  const entries = Object.entries<AnyField>(fields as unknown as Record<string, AnyField>);
  const convert = (
    source: Readonly<Record<string, unknown>>,
    convertField: (field: AnyField, value: unknown) => unknown,
  ): Record<string, unknown> => {
    const target: Record<string, unknown> = {};
    for (const [name, field] of entries) {
      target[name] = FieldProblem.within(name, () => convertField(field, source[name]));
    }
    return target;
  };
  const checkWhole = (value: Value): void => {
    const problem = check(value);
    if (problem !== undefined) throw new FieldProblem(problem);
  };
  return {
    fromWire: (wire) => {
      if (wire === null || wire === undefined) throw new FieldProblem("is missing");
      const value = convert(wire as Record<string, unknown>, (field, part) => field.fromWire(part));
      checkWhole(value as Value);
      return value as Value;
    },
    toWire: (value) => {
      const wire = convert(value as Record<string, unknown>, (field, part) => field.toWire(part));
      checkWhole(value);
      return wire as Wire;
    },
  };
}

/** A message that may be absent. */
export function optional<Value, Wire>(message: Field<Value, Wire>): Field<Value | undefined, Wire> {
  return {
    fromWire: (wire) => (wire === null || wire === undefined ? undefined : message.fromWire(wire)),
    // protobufjs writes nothing for what is undefined.
    toWire: (value) => (value === undefined ? undefined : message.toWire(value)) as Wire,
  };
}

/** A repeated field of `least` to `MAX_LIST_LENGTH` entries. */
export function list<Value, Wire>(
  entry: Field<Value, Wire>,
  least = 0,
): Field<readonly Value[], Wire[]> {
  const convert = <From, To>(
    source: readonly From[],
    convertEntry: (from: From) => To,
  ): readonly To[] => {
    if (source.length < least || source.length > MAX_LIST_LENGTH) {
      throw new FieldProblem(
        `has ${source.length} entries; it must have ${least} to ${MAX_LIST_LENGTH}`,
      );
    }
    return source.map((from, index) => FieldProblem.within(index, () => convertEntry(from)));
  };
  return {
    fromWire: (wire) => convert(wire ?? [], (part) => entry.fromWire(part)),
    toWire: (values) => [...convert(values, (value) => entry.toWire(value))],
  };
}

/** The part `name` of a value, where the wire has the part alone. */
export function wrapped<Name extends string, Value, Wire>(
  name: Name,
  field: Field<Value, Wire>,
): Field<Readonly<Record<Name, Value>>, Wire> {
  return {
    fromWire: (wire) => ({ [name]: field.fromWire(wire) }) as Record<Name, Value>,
    toWire: (value) => field.toWire(value[name]),
  };
}

type Kind<Value> = Value extends { readonly kind: infer Name extends string } ? Name : never;

/** What a value of this kind has beside `kind`. */
export type BodyOf<Value, Name extends string> = Omit<
  Extract<Value, { readonly kind: Name }>,
  "kind"
>;

type VariantsOf<Value, Wire> = {
  readonly [Name in Kind<Value> | Exclude<keyof Wire, Unknowns | "body">]-?: Name extends keyof Wire
    ? Field<BodyOf<Value, Name & string>, NonNullable<Wire[Name]>>
    : never;
};

/** A message that is one `oneof body`, as a union tagged by `kind`, the name of the body's field. */
export function oneOf<
  Value extends { readonly kind: string },
  Wire extends { readonly body?: string | undefined },
>(variants: VariantsOf<Value, Wire>): Field<Value, Wire> {
  const fields = new Map(Object.entries<AnyField>(variants as unknown as Record<string, AnyField>));
  return {
    fromWire: (wire) => {
      const kind = wire?.body;
      const field = kind === undefined ? undefined : fields.get(kind);
      if (kind === undefined || field === undefined) throw new FieldProblem("has no body");
      const body = FieldProblem.within(kind, () =>
        field.fromWire((wire as Record<string, unknown>)[kind]),
      );
      return { kind, ...(body as object) } as unknown as Value;
    },
    toWire: (value) => {
      const field = fields.get(value.kind);
      if (field === undefined) {
        throw new FieldProblem(
          `.kind is ${value.kind}; it must be ${[...fields.keys()].join(", ")}`,
        );
      }
      const body = FieldProblem.within(value.kind, () => field.toWire(value));
      return { [value.kind]: body } as Wire;
    },
  };
}
