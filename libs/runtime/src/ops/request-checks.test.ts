import { get } from "node:https";
import { request } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";

import { createAuthority } from "../../../../tools/certificates.mjs";
import type { OpsServer, OpsServerOptions } from "./index.js";
import { startOpsServer } from "./index.js";
import { isMeantForLoopback } from "./request-checks.js";

let ops: OpsServer;

afterEach(() => ops.close());

async function serve(options: Partial<OpsServerOptions> = {}): Promise<void> {
  ops = await startOpsServer({
    host: "127.0.0.1",
    port: 0,
    registry: new Registry(),
    isHealthy: () => true,
    isReady: () => true,
    pages: { "/": () => ({ contentType: "text/html", body: "<p>step 3</p>" }) },
    ...options,
  });
}

/** The status of a plain request with these headers. */
function ask(path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port: ops.port, host: "127.0.0.1", path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("every answer", () => {
  it.each(["/", "/metrics", "/healthz", "/none"])("of %s has strict headers", async (path) => {
    await serve();
    const { headers } = await fetch(ops.address + path);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    // No page of another origin may read it.
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("a request that a name of the web led to loopback", () => {
  it("is turned away", async () => {
    await serve();
    for (const host of ["rebound.example.org", "rebound.example.org:80", "127.0.0.1.example.org"]) {
      expect(await ask("/metrics", { host })).toBe(421);
    }
    for (const host of ["localhost:9464", "127.0.0.1", "[::1]:9464", "127.9.9.9:1"]) {
      expect(await ask("/metrics", { host })).toBe(200);
    }
  });

  it.each([undefined, "", ":80", "[::2]", "[localhost]x", "0.0.0.0"])(
    "is also one for %s",
    async (host) => {
      await serve();
      expect(isMeantForLoopback(host)).toBe(false);
    },
  );
});

describe("metrics for those who may read them", () => {
  it("are behind a token, and health is not", async () => {
    const addresses = new Set<string>();
    await serve({
      mayRead: (authorization, address) => {
        addresses.add(address);
        return authorization === "Bearer right";
      },
    });
    for (const path of ["/metrics", "/"]) {
      expect(await ask(path, {})).toBe(401);
      expect(await ask(path, { authorization: "Bearer wrong" })).toBe(401);
      expect(await ask(path, { authorization: "Bearer right" })).toBe(200);
    }
    expect([await ask("/healthz", {}), await ask("/readyz", {})]).toEqual([200, 200]);
    // So that who is turned away can be told of.
    expect(addresses).toEqual(new Set(["127.0.0.1"]));
  });
});

describe("an encrypted server", () => {
  it("serves the same, and goes on with a certificate that follows", async () => {
    const authority = await createAuthority();
    const contextOf = async (): Promise<SecureContextOptions> => {
      const { certificate: cert, key } = await authority.issue();
      return { cert, key };
    };
    let reload: (context: SecureContextOptions) => void = () => undefined;
    await serve({
      encryption: { context: await contextOf(), onReloaded: (listener) => (reload = listener) },
    });
    expect(ops.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const shown = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = { ca: authority.certificate, agent: false };
        get(`${ops.address}/healthz`, options, (response) => {
          const { socket } = response as unknown as {
            socket: { getPeerCertificate(): { fingerprint256: string } };
          };
          resolve(socket.getPeerCertificate().fingerprint256);
          response.resume();
        }).on("error", reject);
      });
    const first = await shown();
    reload(await contextOf());
    expect(await shown()).not.toBe(first);
    await expect(fetch(ops.address.replace("https", "http"))).rejects.toThrow();
  });
});
