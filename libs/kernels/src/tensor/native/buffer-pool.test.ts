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

  it("lets all go where more would wait than its limit, and keeps nothing that is larger", () => {
    const pool = new BufferPool(40);
    const [small, middle, large] = [pool.take(4), pool.take(8), pool.take(16)];
    pool.giveBack(large);
    pool.giveBack(small);
    pool.giveBack(middle);
    expect(pool.take(4)).not.toBe(small);
    expect(pool.take(8)).toBe(middle);
    expect(pool.take(16)).not.toBe(large);
  });
});
