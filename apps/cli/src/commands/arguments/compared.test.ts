import { describe, expect, it } from "vitest";

import { parseCompared } from "./compared.js";

describe("--compare", () => {
  it.each([
    ["model.cell=rnn,gru,lstm", "model.cell", ["rnn", "gru", "lstm"]],
    ["optimizer.learningRate=1e-3, 1e-2", "optimizer.learningRate", ["1e-3", "1e-2"]],
    [
      'model.initialization=[],[{match: "a,b", kind: identity}]',
      "model.initialization",
      ["[]", '[{match: "a,b", kind: identity}]'],
    ],
  ])("reads %s", (text, key, values) => {
    expect(parseCompared(text)).toEqual({ key, values });
  });

  it.each([
    ["model.cell", "not of the form key=value,value"],
    ["=rnn,gru", "not of the form key=value,value"],
    ["model.cell=rnn,", "not of the form key=value,value"],
    ["model.cell=rnn", "give two or more different values of model.cell"],
    ["model.cell=rnn,rnn", "give two or more different values of model.cell"],
  ])("refuses %s", (text, reason) => {
    expect(() => parseCompared(text)).toThrow(`--compare ${text}: ${reason}`);
  });
});
