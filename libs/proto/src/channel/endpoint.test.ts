import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

import { formatEndpoint, isLocal, parseEndpoint } from "./index.js";

describe("parseEndpoint", () => {
  it.each([
    ["unix:/run/o.sock", "/run/o.sock"],
    ["unix:///run/o.sock", "/run/o.sock"],
    ["unix:/run/../tmp/o.sock", "/tmp/o.sock"],
    ["unix:o.sock", resolve("o.sock")],
  ])("reads %s, and formatEndpoint writes it as gRPC takes it", (text, path) => {
    const endpoint = parseEndpoint(text);
    expect(endpoint).toEqual({ kind: "unix", path });
    expect(formatEndpoint(endpoint)).toBe(`unix:${path}`);
  });

  it("reads what parseAddress reads", () => {
    const endpoint = parseEndpoint("[::1]:80");
    expect(endpoint).toEqual({ kind: "tcp", host: "::1", port: 80 });
    expect(formatEndpoint(endpoint)).toBe("[::1]:80");
  });

  it.each(["unix:", "unix://host/o.sock", "unix:@abstract", "unix:/a\0b", "unixx:/o", "/o.sock"])(
    "refuses %j",
    (text) => {
      expect(() => parseEndpoint(text)).toThrow(
        expect.objectContaining({
          code: "invalidAddress",
          message: expect.stringContaining(`${JSON.stringify(text)} is no address`),
        }),
      );
    },
  );

  it("refuses a path that a socket's address has no room for, counted in bytes", () => {
    expect(parseEndpoint(`unix:/${"a".repeat(102)}`)).toMatchObject({ kind: "unix" });
    expect(() => parseEndpoint(`unix:/${"é".repeat(60)}`)).toThrow(
      /has 121 bytes; a Unix socket's has at most 10[37]$/,
    );
  });
});

describe("isLocal", () => {
  it.each([
    ["unix:/o.sock", true],
    ["localhost:1", true],
    ["10.0.0.1:1", false],
  ])("of %s is %s", (text, local) => expect(isLocal(parseEndpoint(text))).toBe(local));
});
