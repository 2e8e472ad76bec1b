import { onOneLine } from "../errors/index.js";
import { MAX_JSON_LENGTH, MAX_TEXT_LENGTH } from "../limits.js";
import type { Field } from "./field.js";
import { checked, FieldProblem } from "./field.js";

const MAX_UINT32 = 0xffff_ffff;

/** An integer from `least` (0 unless said otherwise) to 2^32 - 1. */
export function uint32(least = 0): Field<number, number> {
  return checked((value) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least) {
      throw new FieldProblem(`is ${show(value)}; it must be an integer from ${least}`);
    }
    if (value > MAX_UINT32) {
      throw new FieldProblem(`is ${value}; it must be an integer up to ${MAX_UINT32}`);
    }
    return value;
  });
}

/** Any float64, also one that is not finite: what that means is not the wire's to say. */
export const float64: Field<number, number> = checked((value) => {
  if (typeof value !== "number") throw new FieldProblem(`is ${show(value)}; it must be a number`);
  return value;
});

export const flag: Field<boolean, boolean> = checked((value) => {
  if (typeof value !== "boolean") throw new FieldProblem(`is ${show(value)}; it must be a boolean`);
  return value;
});

/** One line of text, no control characters in it, such as a name or a digest; may be empty. */
export const text: Field<string, string> = checked((value) => {
  const line = boundedString(value, MAX_TEXT_LENGTH);
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u.test(line)) {
    throw new FieldProblem(`is ${show(line)}; it must be one line of text`);
  }
  return line;
});

/** Text that may not be empty, such as an id. */
export const identifier: Field<string, string> = checked((value) => {
  const line = text.fromWire(value as string);
  if (line === "") throw new FieldProblem("is empty or missing");
  return line;
});

/**
 * What a person reads, such as a reason or an error's text. It is made one line of a bounded length
 * when sent, so that an odd character in it never costs the message.
 */
export const prose: Field<string, string> = {
  // As it would be sent on.
  fromWire: (wire) => text.fromWire(wire).trimEnd(),
  toWire: (value) => text.toWire(onOneLine(value, MAX_TEXT_LENGTH)),
};

/** A JSON document; whoever reads it parses and checks it. */
export const json: Field<string, string> = checked((value) => {
  const document = boundedString(value, MAX_JSON_LENGTH);
  if (document === "") throw new FieldProblem("is empty or missing");
  if (/\p{Surrogate}/u.test(document)) throw new FieldProblem("is not well-formed text");
  return document;
});

/** Bytes of exactly this size. */
export function bytesOfSize(numBytes: number): Field<Uint8Array, Uint8Array> {
  return checked((value) => {
    const bytes = anyBytes(value);
    if (bytes.byteLength !== numBytes) {
      throw new FieldProblem(`has ${bytes.byteLength} bytes; it must have ${numBytes}`);
    }
    return bytes;
  });
}

/** At most so many bytes. */
export function bytesUpTo(
  maxBytes: number,
  code: "badMessage" | "frameTooLarge",
): Field<Uint8Array, Uint8Array> {
  return checked((value) => {
    const bytes = anyBytes(value);
    if (bytes.byteLength > maxBytes) {
      throw new FieldProblem(`has ${bytes.byteLength} bytes; at most ${maxBytes} go`, code);
    }
    return bytes;
  });
}

/** A string literal union that travels as a protobuf enum. */
export function enumeration<Name extends string, Wire extends number>(
  values: Readonly<Record<Name, Wire>>,
): Field<Name, Wire> {
  const names = new Map(Object.entries(values).map(([name, wire]) => [wire as Wire, name as Name]));
  const allowed = [...names.values()].join(", ");
  return {
    fromWire: (wire) => {
      const name = names.get(wire as Wire);
      if (name === undefined) throw new FieldProblem(`is ${show(wire)}; it must be ${allowed}`);
      return name;
    },
    toWire: (name) => {
      if (!Object.hasOwn(values, name)) {
        throw new FieldProblem(`is ${show(name)}; it must be ${allowed}`);
      }
      return values[name];
    },
  };
}

/** An enumeration one of whose values, its default, says that it is none of the others. */
export function enumerationOrNone<Name extends string, Wire extends number>(
  values: Readonly<Record<Name, Wire>>,
  none: Wire,
): Field<Name | undefined, Wire> {
  const some = enumeration(values);
  return {
    fromWire: (wire) => (wire === none ? undefined : some.fromWire(wire)),
    toWire: (name) => (name === undefined ? none : some.toWire(name)),
  };
}

/** A string literal union that travels as text. */
export function choice<Name extends string>(...names: readonly Name[]): Field<Name, string> {
  const check = (value: unknown): Name => {
    const name = names.find((allowed) => allowed === value);
    if (name === undefined) {
      throw new FieldProblem(`is ${show(value)}; it must be ${names.join(", ")}`);
    }
    return name;
  };
  return { fromWire: check, toWire: check };
}

function boundedString(value: unknown, maxLength: number): string {
  if (typeof value !== "string") throw new FieldProblem(`is ${show(value)}; it must be text`);
  if (value.length > maxLength) {
    throw new FieldProblem(`has ${value.length} characters; at most ${maxLength} go`);
  }
  return value;
}

function anyBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  // protobufjs' default for an absent field is an empty plain array.
  if (Array.isArray(value) && value.length === 0) return new Uint8Array(0);
  throw new FieldProblem(`is ${show(value)}; it must be bytes`);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(onOneLine(value, 60)) : String(value);
}
