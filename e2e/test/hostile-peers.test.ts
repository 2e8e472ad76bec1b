/** Peers that mean harm, while a real coordinator trains with a real worker. */

import { connect } from "node:net";
import { Client, credentials, status } from "@grpc/grpc-js";
import { COORDINATOR_SERVICE, createCoordinatorClient, parseAddress } from "@ostinato/proto";
import type { NumericsProfile } from "@ostinato/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, endOf, ledgerOf, settingFlags, trainToTheEnd } from "./support/cluster.js";
import { expectVerified } from "./support/stories.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let reference: string;

/** Enough to be in the middle of, on any machine. */
const SETTINGS = ["training.maxSteps=30"];

beforeAll(async () => {
  workspace = await createWorkspace();
  const plain = await trainToTheEnd(workspace.config, workspace.at("plain"), {
    settings: SETTINGS,
    workers: [{}],
  });
  reference = endOf(await ledgerOf(plain)).parametersSha256;
});

afterAll(async () => {
  await workspace.remove();
});

const same = (bytes: Buffer): Buffer => bytes;
const path = (call: string): string => `/${COORDINATOR_SERVICE}/${call}`;

/** A client that keeps to nothing. */
function hostileClient(address: string, options: Record<string, unknown> = {}): Client {
  return new Client(address, credentials.createInsecure(), {
    "grpc.max_send_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    ...options,
  });
}

/** The gRPC status that a call of these bytes ends with. */
function codeOf(client: Client, bytes: Buffer): Promise<status> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path("Join"), same, same, bytes, (error) => {
      resolve(error?.code ?? status.OK);
    });
  });
}

/** Opens so many Train streams, and says nothing on them. */
function openStreams(client: Client, numStreams: number): void {
  for (let i = 0; i < numStreams; i++) {
    const call = client.makeBidiStreamRequest(path("Train"), same, same);
    call.on("error", () => undefined);
    call.on("data", () => undefined);
  }
}

/** Joins so often at once, with a profile that the run takes; returns how many were refused, all as too many. */
async function joinStorm(
  address: string,
  profile: NumericsProfile,
  numJoins: number,
): Promise<number> {
  const client = createCoordinatorClient(address);
  const request = { protocolVersion: 1, workerName: "storm", profiles: [profile] };
  const answers = await Promise.all(
    Array.from({ length: numJoins }, () =>
      client.join(request).then(
        () => "joined",
        (error: unknown) => (error as { code: string }).code,
      ),
    ),
  );
  client.close();
  expect(new Set(answers)).toEqual(new Set(["joined", "resourceExhausted"]));
  return answers.filter((answer) => answer !== "joined").length;
}

/** Bytes that are no HTTP/2, and a connection that is left half open. */
function sendGarbage(address: string): void {
  const socket = connect(parseAddress(address).port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(Buffer.alloc(1 << 16, "GET / HTTP/1.1\r\n\r\n"));
}

describe("a coordinator under attack", () => {
  it("trains on with its worker to the same parameters, and ends with exit code 0", async () => {
    const runDirectory = workspace.at("attacked");
    const cluster = await Cluster.start(workspace.config, runDirectory, settingFlags(SETTINGS));
    const { address, metricsAddress } = cluster.ready;
    const packed = hostileClient(address, { "grpc.default_compression_algorithm": 2 });
    const plain = hostileClient(address);
    const crowds = Array.from({ length: 8 }, () => hostileClient(address));
    try {
      cluster.addWorker();
      await cluster.joined(1);
      const { records } = await ledgerOf(runDirectory);
      const profile = records.find((record) => record.type === "profile");
      if (profile?.type !== "profile") throw new Error("the ledger has no profile");
      const { backend, version, digest } = profile;
      const numRefused = await joinStorm(address, { backend, version, digest }, 400);
      expect(numRefused).toBeGreaterThan(200);
      for (const crowd of crowds) openStreams(crowd, 100);
      const seen = new Set<status>();
      let refusals = 0;
      // The rest of the run is its own, so that this test takes no longer than it must.
      for (let round = 0; round < 20 && cluster.coordinator.isRunning; round++) {
        sendGarbage(address);
        seen.add(await codeOf(packed, Buffer.alloc(8 << 20)));
        seen.add(await codeOf(plain, Buffer.alloc(2 << 20)));
        seen.add(await codeOf(plain, Buffer.from([0x0a, 0x7f, 0xff])));
        refusals = await refusalsOf(metricsAddress).catch(() => refusals);
      }
      // Never taken; unavailable when the run is over.
      expect(seen).not.toContain(status.OK);
      for (const code of [
        status.UNIMPLEMENTED,
        status.RESOURCE_EXHAUSTED,
        status.INVALID_ARGUMENT,
      ]) {
        expect(seen).toContain(code);
      }
      expect(refusals).toBeGreaterThan(0);
      await cluster.completed();
      expect((await cluster.workers[0]?.finished())?.code).toBe(0);
    } finally {
      for (const client of [packed, plain, ...crowds]) client.close();
      await cluster.close();
    }
    expect(endOf(await ledgerOf(runDirectory)).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });
});

async function refusalsOf(metricsAddress: string): Promise<number> {
  const text = await (await fetch(`${metricsAddress}/metrics`)).text();
  const sample = /ostinato_coordinator_refusals_total\{reason="resourceExhausted"\} (\d+)/;
  return Number(sample.exec(text)?.[1] ?? 0);
}
