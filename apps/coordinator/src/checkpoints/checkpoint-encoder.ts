/** Encodes and hashes checkpoints in a thread: tens of milliseconds that the event loop can't spare. */

import type { CheckpointTensors, HashedFile } from "@ostinato/run";
import { WorkThread } from "../threads/index.js";

/** What is the same in every checkpoint of a run. */
export type EncoderInit = Pick<CheckpointTensors, "model" | "layout">;

/** Its parameters and slots in shared memory, so that they are not copied on their way. */
export type EncodeRequest = Omit<CheckpointTensors, keyof EncoderInit>;

export class CheckpointEncoder {
  readonly #entry: URL;
  readonly #init: EncoderInit;
  #thread: WorkThread<EncodeRequest> | undefined;

  /** @param entry the compiled `checkpoint-thread.js`, started with the first checkpoint */
  constructor(entry: URL, init: EncoderInit) {
    this.#entry = entry;
    this.#init = init;
  }

  /**
   * The files are in shared memory and stay as they are until the next call: one is to be written before
   * the next is encoded.
   *
   * @throws {CoordinatorError} `internal`; the next checkpoint has a new thread if it is gone
   */
  async encode(request: EncodeRequest): Promise<readonly HashedFile[]> {
    this.#thread ??= new WorkThread<EncodeRequest>(this.#entry, {
      name: "checkpoint",
      workerData: this.#init,
      onLost: () => {
        this.#thread = undefined;
      },
    });
    const { step, parameters, statistics, optimizer, states } = request;
    const tensors = { step, parameters, statistics, optimizer, states };
    return (await this.#thread.ask(tensors)) as readonly HashedFile[];
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }
}
