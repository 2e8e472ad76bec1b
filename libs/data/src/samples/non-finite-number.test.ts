import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { nonFiniteNumber } from "./non-finite-number.js";

describe("a number that is not finite", () => {
  it.each([
    ['{"inputs": [[1], [NaN]]}', "inputs[1][0]", "NaN"],
    ['{"inputs": [1, 2], "targets": [0, -Infinity, NaN]}', "targets[1]", "-Infinity"],
    ['{"weight": Infinity, "inputs": [NaN]}', "weight", "Infinity"],
    ['{"a NaN": "[{,\\"NaN,", "b\\\\": [[], {}, [[3, 4], [NaN]]]}', "b\\\\[2][1][0]", "NaN"],
    ['{"a": {"b": [{"c": 1, "d": NaN}]}}', "a.b[0].d", "NaN"],
    ["[1,2,NaN]", "[2]", "NaN"],
  ])("has its place in %s", (text, path, value) => {
    expect(nonFiniteNumber(text)).toEqual({ path, value });
  });

  it.each([
    ["all are finite", '{"inputs": [1, 2], "targets": "NaN"}'],
    ["a bracket is missing too", '{"inputs": [[1], [NaN]'],
    ["a string has no end", '{"inputs": [NaN], "targets": "x}'],
    ["it is a part of a word", '{"inputs": [NaNs]}'],
    ["a digit stands beside it", '{"inputs": [1NaN]}'],
    ["it is a key", '{NaN: 1, "b": [NaN]}'],
    ["it has a sign too many", '{"inputs": [--Infinity]}'],
    ["the text is nothing else", "NaN"],
    ["there are no lists at all", "]]NaN[[,:"],
  ])("is not told of where %s", (_, text) => {
    expect(nonFiniteNumber(text)).toBeUndefined();
  });

  it("is the first, wherever it stands in whatever lists, objects and strings", () => {
    type Place = readonly [path: string, text: string];
    /** Values whose innermost one is not finite: where it is, and how it is written. */
    const { place } = fc.letrec<{ place: Place }>((tie) => ({
      place: fc.oneof(
        { depthSize: "medium" },
        fc.constant<Place>(["", "NaN"]),
        fc
          .record({ before: fc.array(fc.jsonValue(), { maxLength: 3 }), of: tie("place") })
          .map(({ before, of: [path, text] }): Place => {
            const entries = [...before.map((value) => JSON.stringify(value)), text, "Infinity"];
            return [`[${before.length}]${path}`, `[${entries.join(", ")}]`];
          }),
        fc
          .record({
            key: fc.stringMatching(/^[a-z]{1,4}$/),
            before: fc.jsonValue(),
            of: tie("place"),
          })
          .map(({ key, before, of: [path, text] }): Place => [
            `.${key}${path}`,
            `{"é\\"": ${JSON.stringify(before)}, "${key}":${text}}`,
          ]),
      ),
    }));
    fc.assert(
      fc.property(place, ([path, text]) => {
        const expected = path === "" ? undefined : { path: path.replace(/^\./, ""), value: "NaN" };
        expect(nonFiniteNumber(text)).toEqual(expected);
      }),
    );
  });
});
