import { describe, expect, it } from "vitest";

import { BufferPool } from "./buffer-pool.js";

const MANY = 2 ** 20;

describe("BufferPool", () => {
  it("hands out again what came back, the newest first", () => {
    const pool = new BufferPool(MANY);
    const [first, second] = [pool.take(4), pool.take(4)];
    pool.giveBack(first);
    pool.giveBack(second);
    expect(pool.take(4)).toBe(second);
    expect(pool.take(4)).toBe(first);
    expect(pool.take(4)).not.toBe(first);
    expect(pool.take(5)).toHaveLength(5);
  });

  it("keeps nothing of a length that nobody asked for", () => {
    const pool = new BufferPool(MANY);
    const foreign = new Float32Array(4);
    pool.giveBack(foreign);
    expect(pool.take(4)).not.toBe(foreign);
  });

  it("keeps no more of a length than were in use at once, however many come", () => {
    const pool = new BufferPool(MANY);
    const own = [pool.take(4), pool.take(4)];
    const given = [...own, ...Array.from({ length: 100 }, () => new Float32Array(4))];
    for (const array of given) pool.giveBack(array);
    const kept = Array.from({ length: 10 }, () => pool.take(4)).filter((a) => given.includes(a));
    expect(kept).toHaveLength(2);
  });

  it("goes on with arrays from elsewhere in place of its own that never come back", () => {
    const pool = new BufferPool(MANY);
    pool.take(4);
    for (let step = 0; step < 5; step++) {
      const foreign = new Float32Array(4);
      pool.giveBack(foreign);
      expect(pool.take(4)).toBe(foreign);
    }
  });

  it("lets all go where more would wait than its limit", () => {
    const pool = new BufferPool(0);
    const large = Array.from({ length: 16 }, () => pool.take(8));
    const small = pool.take(4);
    for (const array of large) pool.giveBack(array);
    pool.giveBack(small);
    expect(pool.take(4)).toBe(small);
    expect(large).not.toContain(pool.take(8));
  });

  it("holds as much as 16 of the longest array, whatever its limit", () => {
    const pool = new BufferPool(40);
    const large = Array.from({ length: 16 }, () => pool.take(16));
    for (const array of large) pool.giveBack(array);
    const again = new Set(large.map(() => pool.take(16)));
    // One by one: sets of arrays are equal to others with the same values.
    expect(large.filter((array) => again.has(array))).toHaveLength(16);
  });
});
