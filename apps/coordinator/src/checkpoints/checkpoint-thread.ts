/** Entry of the checkpoint thread. */

import { TensorFileEncoder } from "@ostinato/run";
import { answerRequests } from "../threads/index.js";
import type { EncodeRequest, EncoderInit } from "./checkpoint-encoder.js";

answerRequests<EncodeRequest>((workerData) => {
  const { model, layout } = workerData as EncoderInit;
  const encoder = new TensorFileEncoder();
  return { run: (tensors) => encoder.encode({ ...tensors, model, layout }) };
});
