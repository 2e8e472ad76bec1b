import { describe, expect, it } from "vitest";
import { WorkerTable } from "./index.js";

const profile = { backend: "wasm", version: "1", digest: "0" };
const link = { stop: () => Promise.resolve() };

function table(): WorkerTable<typeof link> {
  let numTokens = 0;
  return new WorkerTable({ incarnation: 2, createToken: () => `token-${++numTokens}` });
}

describe("an identity", () => {
  it("is one stream's, which shows its token", () => {
    const workers = table();
    const { workerId, streamToken } = workers.join("a", profile, 0);
    const other = workers.join("b", profile, 0);
    for (const token of ["", "token-", other.streamToken, `${streamToken} `]) {
      expect(() => workers.attach(workerId, token, link)).toThrow(
        expect.objectContaining({ code: "unknownWorker" }),
      );
    }
    expect(() => workers.attach("worker-2-9", streamToken, link)).toThrow(
      expect.objectContaining({ code: "unknownWorker" }),
    );
    expect(workers.attach(workerId, streamToken, link).state).toBe("active");
    expect(() => workers.attach(workerId, streamToken, link)).toThrow(
      expect.objectContaining({ code: "streamRefused" }),
    );
  });

  it("is bound to the certificate that joined: its token alone is of no use to another", () => {
    const workers = table();
    const { workerId, streamToken } = workers.join("a", profile, 0, {
      address: "",
      certificate: "AA:BB",
    });
    for (const certificate of ["", "AA:CC"]) {
      expect(() => workers.attach(workerId, streamToken, link, certificate)).toThrow(
        expect.objectContaining({
          code: "unknownWorker",
          message: `no worker ${workerId} joined with this token`,
        }),
      );
    }
    expect(workers.attach(workerId, streamToken, link, "AA:BB").state).toBe("active");
  });

  it("takes room until its stream ends, or never came", () => {
    const workers = table();
    workers.join("a", profile, 0);
    const { workerId } = workers.join("b", profile, 500);
    expect(workers.size).toBe(2);
    workers.expireJoined(1000, 1000);
    expect(workers.size).toBe(1);
    workers.remove(workerId);
    expect(workers.size).toBe(0);
  });
});
