/** The kinds of events of a history. */

import type { NodeId } from "@ostinato/proto";
import type { ScheduledFault } from "../schedule/index.js";

/** From the worker, or to it. */
export type Direction = "up" | "down";

/** What of a message is worth a line: everything but tensors. */
export interface SeenMessage {
  readonly kind: string;
  readonly fence?: number;
  readonly step?: number;
  readonly node?: NodeId;
  readonly leaves?: readonly number[];
  readonly leaseKind?: string;
  readonly reason?: string;
  readonly error?: string;
}

export interface MessageEvent {
  readonly kind: "message";
  readonly slot: number;
  readonly workerId: string;
  readonly direction: Direction;
  readonly message: SeenMessage;
}

export interface ProcessEvent {
  readonly kind: "process";
  readonly what: "started" | "exited";
  readonly role: "coordinator" | "worker";
  /** Of a worker; 0 for the coordinator. */
  readonly slot: number;
  readonly pid: number;
  readonly code?: number | null;
  readonly signal?: string | null;
  /** Its last words on standard error. */
  readonly lastLine?: string;
}

/** What a process holds, from the system's own account of it. */
export interface Resources {
  readonly numThreads: number;
  readonly numFiles: number;
  readonly numSockets: number;
  /** TCP addresses, as `127.0.0.1:8080`. */
  readonly listensAt: readonly string[];
  readonly residentBytes: number;
  readonly peakResidentBytes: number;
}

export type HistoryEvent =
  | MessageEvent
  | ProcessEvent
  /** A worker has an identity, of which incarnation. */
  | {
      readonly kind: "joined";
      readonly slot: number;
      readonly workerId: string;
      readonly incarnation: number;
    }
  | { readonly kind: "streamClosed"; readonly slot: number; readonly workerId: string }
  /** The fault is under way: its moment has come. */
  | {
      readonly kind: "fired";
      readonly fault: ScheduledFault;
      /** Whose identity the slot had, and what it was computing; "" for the coordinator. */
      readonly workerId: string;
      readonly step: number;
      readonly fence: number;
    }
  /** What shows that the fault did what it is there for. */
  | { readonly kind: "evidence"; readonly faultId: number; readonly text: string }
  | {
      readonly kind: "reading";
      /** Of this incarnation, with every worker there: early, and at the run's end. */
      readonly when: "base" | "end";
      readonly incarnation: number;
      readonly resources: Resources;
      /** The metrics page. */
      readonly metrics: string;
    }
  | {
      readonly kind: "workerReading";
      /** Of this process: after its first leases, and at the run's end. */
      readonly when: "base" | "end";
      readonly slot: number;
      readonly pid: number;
      readonly resources: Resources;
    }
  | {
      readonly kind: "ended";
      readonly outcome: "completed" | "failed" | "hung";
      readonly reason: string;
    };

export type TimedEvent = HistoryEvent & { readonly atMs: number };

export type EvidenceOf = Extract<HistoryEvent, { kind: "evidence" }>;
