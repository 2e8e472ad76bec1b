import { DataError } from "../data-error.js";

/** @throws DataError 'invalidLayout' naming the argument, its value and its range */
export function requireInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new DataError(
    "invalidLayout",
    `${name} is ${value}; it must be an integer from ${min} to ${max}`,
    { name, value },
  );
}
