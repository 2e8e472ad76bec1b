/**
 * Makes numbers.jsonl: what the speller of translate.yaml is trained on.
 *
 *   node examples/data/make-numbers.mjs > examples/data/numbers.jsonl
 *
 * Each line is a number below 10 000 in digits, and in English words: {"source": "412", "target": ["four",
 * "hundred", "twelve"]}. No number comes twice, so that those of the test part are ones that no model was
 * trained on. They are drawn with a linear congruential generator: every machine makes the same file.
 */
const NUM_NUMBERS = 1600;

const SMALL = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen " +
  "sixteen seventeen eighteen nineteen"
).split(" ");
const TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** The words of a number below 10 000; none for 0. */
function wordsOf(number) {
  if (number >= 1000)
    return [...wordsOf(Math.floor(number / 1000)), "thousand", ...wordsOf(number % 1000)];
  if (number >= 100) return [SMALL[Math.floor(number / 100)], "hundred", ...wordsOf(number % 100)];
  if (number >= 20) return [TENS[Math.floor(number / 10)], ...wordsOf(number % 10)];
  return number === 0 ? [] : [SMALL[number]];
}

let state = 20_261_125;
const below = (bound) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
};

const drawn = new Set();
while (drawn.size < NUM_NUMBERS) {
  // As many digits as any other number of them, as far as there are numbers.
  const number = below(10 ** (1 + below(4)));
  if (drawn.has(number)) continue;
  drawn.add(number);
  const target = number === 0 ? [SMALL[0]] : wordsOf(number);
  process.stdout.write(`${JSON.stringify({ source: String(number), target })}\n`);
}
