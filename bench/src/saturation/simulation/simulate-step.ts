/**
 * One step of a cluster as a discrete-event model. What the coordinator's threads take was measured on the
 * real one; what the workers take is set, and the network is two directions of one link of the coordinator's
 * and one link a worker.
 */
import { nodesCovering, parentOf, siblingOf } from "@ostinato/kernels";
import type { NodeId } from "@ostinato/kernels";

import { EventQueue, Station } from "./event-queue.js";

/** What the coordinator's threads take, in milliseconds of processor time. */
export interface CoordinatorCosts {
  /** Of the main thread, in each step, whoever takes part. */
  readonly stepMs: number;
  /** Of the main thread: one worker is sent the parameters. */
  readonly sendMs: number;
  /** Of the main thread: one gradient is received, checked and staged. */
  readonly receiveMs: number;
  /** Of the arithmetic thread: one gradient is added to another. */
  readonly addMs: number;
  /** Of the arithmetic thread: average, norm, clipping, optimizer, checksums. */
  readonly updateMs: number;
}

export interface Scenario {
  readonly numParameters: number;
  /** A power of two, as is `microShards`, which is no less. */
  readonly numWorkers: number;
  readonly microShards: number;
  /** What a worker computes for one micro-shard. */
  readonly leafMs: number;
  /** Of each link and direction, 10⁹ bits a second. */
  readonly gigabits: number;
  readonly costs: CoordinatorCosts;
  /** Bytes of an upload over those of a float32 gradient; what it takes to receive goes with it. */
  readonly uploadFraction: number;
  /** Workers on the coordinator's machine read the parameters out of its memory. */
  readonly isLocal: boolean;
  /** Each leaf is uploaded by itself, not the sums of the nodes that a lease covers. */
  readonly uploadsLeaves: boolean;
}

/** Those that may be what a step waits for. */
export type Bottleneck = "workers" | "main thread" | "arithmetic" | "link up" | "link down";

export interface SimulatedStep {
  readonly stepMs: number;
  /** Of the workers' time that went into computing. */
  readonly efficiency: number;
  /** Who was at work for the largest part of the step. */
  readonly bottleneck: Bottleneck;
}

/** A transfer is cut into so many pieces: enough for its parts to overlap, few enough to simulate. */
const PIECES = 16;
const BYTES_PER_VALUE = 4;

/** From one commit to the next. */
export function simulateStep(scenario: Scenario): SimulatedStep {
  const { numWorkers, microShards, leafMs, costs, isLocal, uploadFraction } = scenario;
  const queue = new EventQueue();
  const station = (): Station => new Station(queue);
  const [main, arithmetic, linkDown, linkUp] = [station(), station(), station(), station()];
  const transferMs = isLocal
    ? 0
    : (scenario.numParameters * BYTES_PER_VALUE * 8) / (scenario.gigabits * 1e6);
  const computeMs = (leafMs * microShards) / numWorkers;
  let endMs = 0;

  const tree = new Tree(microShards, {
    add: (onDone) => arithmetic.serve(costs.addMs, onDone),
    onRoot() {
      arithmetic.serve(costs.updateMs, () => {
        endMs = queue.now;
      });
    },
  });

  function upload(node: NodeId, ownLink: Station, onSent: () => void): void {
    const pieceMs = (transferMs * uploadFraction) / PIECES;
    let arrived = 0;
    const send = (piece: number): void => {
      ownLink.serve(pieceMs, () => {
        linkUp.serve(pieceMs, () => {
          main.serve((costs.receiveMs * uploadFraction) / PIECES, () => {
            arrived += 1;
            if (arrived === PIECES) tree.complete(node);
          });
        });
        if (piece < PIECES) send(piece + 1);
        else onSent();
      });
    };
    send(1);
  }

  function compute(worker: number): void {
    const numLeaves = microShards / numWorkers;
    const firstLeaf = worker * numLeaves;
    const nodes = scenario.uploadsLeaves
      ? Array.from({ length: numLeaves }, (_, index) => ({
          firstLeaf: firstLeaf + index,
          numLeaves: 1,
        }))
      : nodesCovering(firstLeaf, numLeaves);
    const ownLink = station();
    const uploadFrom = (index: number): void => {
      const node = nodes[index];
      if (node !== undefined) upload(node, ownLink, () => uploadFrom(index + 1));
    };
    queue.plan(queue.now + computeMs, () => {
      uploadFrom(0);
    });
  }

  main.serve(costs.stepMs, () => {
    const sendMs = isLocal ? 0 : costs.sendMs / PIECES;
    // All workers are sent to at once, a piece each in turn.
    for (let piece = 1; piece <= PIECES; piece++) {
      for (let worker = 0; worker < numWorkers; worker++) {
        main.serve(sendMs, () => {
          linkDown.serve(transferMs / PIECES, () => {
            if (piece === PIECES) compute(worker);
          });
        });
      }
    }
  });
  queue.run();

  const busy: Readonly<Record<Bottleneck, number>> = {
    workers: computeMs,
    "main thread": main.busyMs,
    arithmetic: arithmetic.busyMs,
    "link up": linkUp.busyMs,
    "link down": linkDown.busyMs,
  };
  const [bottleneck] = (Object.keys(busy) as Bottleneck[]).sort((a, b) => busy[b] - busy[a]);
  return {
    stepMs: endMs,
    efficiency: computeMs / endMs,
    bottleneck: bottleneck ?? "workers",
  };
}

/** The gradient tree: two halves of a node that are there are added, up to the root. */
class Tree {
  readonly #numLeaves: number;
  readonly #effects: { add: (onDone: () => void) => void; onRoot: () => void };
  readonly #waiting = new Set<string>();

  constructor(
    numLeaves: number,
    effects: { add: (onDone: () => void) => void; onRoot: () => void },
  ) {
    this.#numLeaves = numLeaves;
    this.#effects = effects;
  }

  complete(node: NodeId): void {
    const sibling = siblingOf(node, this.#numLeaves);
    if (sibling === undefined) {
      this.#effects.onRoot();
      return;
    }
    if (!this.#waiting.delete(nameOf(sibling))) {
      this.#waiting.add(nameOf(node));
      return;
    }
    this.#effects.add(() => {
      this.complete(parentOf(node));
    });
  }
}

const nameOf = ({ firstLeaf, numLeaves }: NodeId): string => `${firstLeaf}+${numLeaves}`;
