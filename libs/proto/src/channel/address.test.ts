import { describe, expect, it } from "vitest";

import { formatAddress, isLoopback, parseAddress } from "./index.js";

describe("parseAddress", () => {
  it.each([
    ["127.0.0.1:50051", "127.0.0.1", 50051],
    ["localhost:0", "localhost", 0],
    ["train-0.example.org:65535", "train-0.example.org", 65535],
    ["[::1]:80", "::1", 80],
    ["[2001:db8::7]:443", "2001:db8::7", 443],
  ])("reads %s, and formatAddress writes it", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress({ host, port })).toBe(text);
  });

  it.each([
    "",
    "localhost",
    ":50051",
    "localhost:",
    "localhost:65536",
    "localhost:-1",
    "localhost:1e3",
    "::1:80",
    "[localhost]:80",
    "[127.0.0.1]:80",
    "http://localhost:80",
    "local host:80",
    "localhost:80\n",
  ])("refuses %j", (text) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        code: "invalidAddress",
        message: expect.stringContaining(`${JSON.stringify(text)} is no address`),
      }),
    );
  });
});

describe("isLoopback", () => {
  it.each(["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1"])(
    "takes %s",
    (host) => expect(isLoopback(host)).toBe(true),
  );

  it.each([
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "::2",
    "localhost.example.org",
    "127.0.0.1.nip.io",
  ])("does not take %s", (host) => expect(isLoopback(host)).toBe(false));
});
