import { describe, expect, it } from "vitest";

import { clientSecurity, serverSecurity } from "./security.js";

const nothing = {
  tlsCa: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  tlsClientCa: undefined,
  tokenFile: undefined,
};

describe("options of security", () => {
  it("are the files of a server", () => {
    expect(serverSecurity(nothing)).toEqual({ tokenFile: undefined });
    expect(serverSecurity({ tlsCert: "c", tlsKey: "k", tlsClientCa: "a", tokenFile: "t" })).toEqual(
      { tls: { certificate: "c", key: "k", clientCa: "a" }, tokenFile: "t" },
    );
  });

  it("are what a client shows", () => {
    expect(clientSecurity(nothing)).toMatchObject({ tls: undefined, insecure: false });
    const given = { ...nothing, tlsCa: "a", tlsCert: "c", tlsKey: "k", tokenFile: "t" };
    expect(clientSecurity({ ...given, insecure: true })).toMatchObject({
      tls: { ca: "a", own: { certificate: "c", key: "k" } },
      tokenFile: "t",
      insecure: true,
    });
  });

  it.each([
    [{ tlsCert: "c" }, "--tls-cert needs --tls-key as well"],
    [{ tlsKey: "k" }, "--tls-key needs --tls-cert as well"],
    [{ tlsClientCa: "a" }, "--tls-client-ca needs --tls-cert and --tls-key as well"],
  ])("of a server are refused by halves: %o", (options, message) => {
    expect(() => serverSecurity({ ...nothing, ...options })).toThrow(
      expect.objectContaining({ code: "usage", message }),
    );
  });

  it.each([
    [{ tlsCa: "a", tlsCert: "c" }, "--tls-cert needs --tls-key as well"],
    [{ tlsCert: "c", tlsKey: "k" }, "--tls-cert needs --tls-ca as well"],
  ])("of a client are refused by halves: %o", (options, message) => {
    expect(() => clientSecurity({ ...nothing, ...options })).toThrow(
      expect.objectContaining({ code: "usage", message }),
    );
  });
});
