/**
 * Preloaded into a real worker, this makes it wrong on purpose: what it imports as @ostinato/data
 * lays out other samples for leaf 3 at the sixth step of a training epoch. Everything else is the real worker.
 */
import { register } from "node:module";

const hooks = `
const WRONG = 'ostinato-test:wrong-data';
let real;
export async function resolve(specifier, context, next) {
  if (specifier === WRONG) return { url: WRONG, shortCircuit: true, format: 'module' };
  if (specifier !== '@ostinato/data' || context.parentURL === WRONG) {
    if (context.parentURL === WRONG) return { url: real, shortCircuit: true, format: 'module' };
    return next(specifier, context);
  }
  real = (await next(specifier, context)).url;
  return { url: WRONG, shortCircuit: true, format: 'module' };
}
export async function load(url, context, next) {
  if (url !== WRONG) return next(url, context);
  return {
    format: 'module',
    shortCircuit: true,
    source: \`
      export * from '@ostinato/data';
      import { createTextLayout as createReal } from '@ostinato/data';
      const EPOCH_STEP = 5, LEAF = 3;
      const wrong = {
        wrongSlice: (layout, tokens, leaves) => layout.batch(tokens, EPOCH_STEP + 1, leaves),
        skipsOne: (layout, tokens, leaves) => {
          const batch = layout.batch(tokens, EPOCH_STEP, leaves);
          const { firstRow } = batch.leaves.find(({ leaf }) => leaf === LEAF);
          batch.weights[2 * batch.numRows + firstRow] = 0;
          return batch;
        },
        repeatsOne: (layout, tokens, leaves) => {
          const batch = layout.batch(tokens, EPOCH_STEP, leaves);
          const { firstRow } = batch.leaves.find(({ leaf }) => leaf === LEAF);
          for (const array of [batch.inputs, batch.targets]) {
            array[3 * batch.numRows + firstRow] = array[2 * batch.numRows + firstRow];
          }
          return batch;
        },
      }[process.env.OSTINATO_TEST_WRONG_DATA];
      export function createTextLayout(options) {
        const layout = createReal(options);
        if (options.allowShort) return layout; // of an evaluation
        return new Proxy(layout, {
          get(target, key) {
            const value = target[key];
            if (typeof value !== 'function') return value;
            if (key !== 'batch') return value.bind(target);
            return (tokens, epochStep, leaves) => {
              if (epochStep !== EPOCH_STEP || !leaves.includes(LEAF)) {
                return target.batch(tokens, epochStep, leaves);
              }
              const batch = target.batch(tokens, epochStep, leaves);
              const other = wrong(target, tokens, leaves);
              const { firstRow, numRows } = batch.leaves.find(({ leaf }) => leaf === LEAF);
              for (const name of ['inputs', 'targets', 'weights']) {
                for (let time = 0; time < batch.numSteps; time++) {
                  for (let row = firstRow; row < firstRow + numRows; row++) {
                    const entry = time * batch.numRows + row;
                    batch[name][entry] = other[name][entry];
                  }
                }
              }
              for (let row = firstRow; row < firstRow + numRows; row++) {
                batch.positions[row] = other.positions[row];
              }
              return batch;
            };
          },
        });
      }
    \`,
  };
}
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
