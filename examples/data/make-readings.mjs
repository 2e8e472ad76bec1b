/**
 * Makes readings.jsonl: what the forecaster of forecast.yaml is trained on.
 *
 *   node examples/data/make-readings.mjs > examples/data/readings.jsonl
 *
 * Each line is 16 to 24 steps of one oscillation with noise, sampled at equal times, with the value of the
 * next step as the target of each. Numbers come from a linear congruential generator and the oscillation
 * from its recurrence x[t+1] = 2 cos(w) x[t] - x[t-1], so that every machine makes the same file.
 */
const NUM_SEQUENCES = 240;

let state = 20_261_125;
const uniform = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

for (let n = 0; n < NUM_SEQUENCES; n++) {
  const numSteps = 16 + Math.floor(9 * uniform());
  // 2 cos(w) for periods of about 8 to 16 steps.
  const factor = 1.414 + 0.434 * uniform();
  let [before, now] = [2 * uniform() - 1, 2 * uniform() - 1];
  const values = [];
  for (let t = 0; t <= numSteps; t++) {
    const noise = 0.02 * (2 * uniform() - 1);
    values.push(Number((0.5 * now + noise).toFixed(3)));
    [before, now] = [now, factor * now - before];
  }
  const inputs = values.slice(0, numSteps).map((value) => [value]);
  process.stdout.write(`${JSON.stringify({ inputs, targets: values.slice(1) })}\n`);
}
