// Trains a forecaster in this process, without any cluster:   node examples/library/forecast-sine.mjs
// Tensors are time-major: [time, rows, values].
import { compileModelSpec } from "@ostinato/lstm";
import {
  createSequenceModel,
  createTrainer,
  predictTensor,
  selectBackend,
  sequenceBatch,
} from "@ostinato/lstm/model";
import * as tf from "@tensorflow/tfjs-core";

await selectBackend("wasm");
const phases = tf.reshape(tf.linspace(0, 6, 32), [1, 32, 1]);
const wave = (from) => {
  const times = tf.reshape(tf.mul(tf.range(from, from + 60), 0.3), [60, 1, 1]);
  return tf.sin(tf.add(times, phases)); // [60, 32, 1]
};

const spec = compileModelSpec({
  kind: "sequenceModel",
  input: { kind: "values", size: 1 },
  cell: "lstm",
  hiddenSize: 24,
  numTargets: 1,
  loss: { kind: "meanSquared" },
});
const model = createSequenceModel(spec);
const trainer = createTrainer({ model, seed: 1, optimizer: { kind: "adam" }, learningRate: 0.01 });
const batch = sequenceBatch({ inputs: wave(0), targets: wave(1) });
for (let step = 1; step <= 150; step++) {
  const { loss } = trainer.trainStep({ batch });
  if (step % 50 === 0) console.log(`step ${step}: mean squared error ${loss.toFixed(5)}`);
}
const forecast = predictTensor(model, wave(100)); // [60, 32, 1]
const error = tf.losses.meanSquaredError(wave(101), forecast).dataSync()[0];
console.log(`a stretch it never saw: mean squared error ${error.toFixed(5)}`);
