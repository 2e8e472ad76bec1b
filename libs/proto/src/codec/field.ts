import type { WireErrorCode } from "../errors/index.js";

/**
 * One field of a message: its plain value, and what protobufjs holds for it. Both directions check
 * the same rules, so that a value that can be sent is one that can be received.
 */
export interface Field<Value, Wire> {
  /** @throws {FieldProblem} when the value breaks the field's rule */
  fromWire(wire: Wire | null | undefined): Value;
  /** @throws {FieldProblem} when the value breaks the field's rule */
  toWire(value: Value): Wire;
}

/** What is wrong with a field; the path to it is added while the message is unwound. */
export class FieldProblem extends Error {
  override readonly name = "FieldProblem";
  readonly code: WireErrorCode;
  readonly #path: (string | number)[] = [];

  constructor(problem: string, code: WireErrorCode = "badMessage") {
    super(problem);
    this.code = code;
  }

  /** Runs `work`, and says of a problem in it that it is within the field `name`. */
  static within<Result>(name: string | number, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (error instanceof FieldProblem) error.#path.unshift(name);
      throw error;
    }
  }

  /** Such as `.node.numLeaves` or `.leaves[3].leaf`. */
  get path(): string {
    return this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  }
}

/** A field whose rule is a check, the same both ways, on a value that protobufjs holds as it is. */
export function checked<Value>(check: (value: unknown) => Value): Field<Value, Value> {
  return { fromWire: check, toWire: check };
}
