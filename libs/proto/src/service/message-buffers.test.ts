import { describe, expect, it } from "vitest";

import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../limits.js";
import { MessageBuffers } from "./message-buffers.js";

describe("buffers for messages", () => {
  it("are used again when they were given back, for any length", () => {
    const buffers = new MessageBuffers(1);
    const first = buffers.take(MAX_FRAME_BYTES);
    expect(first).toHaveLength(MAX_FRAME_BYTES);
    buffers.giveBack(first);
    const second = buffers.take(MAX_MESSAGE_BYTES);
    expect(second).toHaveLength(MAX_MESSAGE_BYTES);
    expect(second.buffer).toBe(first.buffer);
  });

  it("are never two messages' at once", () => {
    const buffers = new MessageBuffers(2);
    const first = buffers.take(MAX_FRAME_BYTES);
    expect(buffers.take(MAX_FRAME_BYTES).buffer).not.toBe(first.buffer);
    buffers.giveBack(first);
    buffers.giveBack(first);
    expect(buffers.take(MAX_FRAME_BYTES).buffer).toBe(first.buffer);
    expect(buffers.take(MAX_FRAME_BYTES).buffer).not.toBe(first.buffer);
  });

  it("are kept only as many as was said", () => {
    const buffers = new MessageBuffers(1);
    const both = [buffers.take(MAX_FRAME_BYTES), buffers.take(MAX_FRAME_BYTES)];
    for (const bytes of both) buffers.giveBack(bytes);
    const kept = [buffers.take(MAX_FRAME_BYTES), buffers.take(MAX_FRAME_BYTES)];
    const isOld = kept.map(({ buffer }) => both.some((bytes) => bytes.buffer === buffer));
    expect(isOld).toEqual([true, false]);
  });

  it("take nothing that is not theirs, nor keep what is small", () => {
    const buffers = new MessageBuffers(4);
    const foreign = Buffer.allocUnsafeSlow(MAX_MESSAGE_BYTES);
    buffers.giveBack(foreign);
    expect(buffers.take(MAX_MESSAGE_BYTES).buffer).not.toBe(foreign.buffer);
    const small = buffers.take(100);
    expect(small).toHaveLength(100);
    buffers.giveBack(small);
    expect(buffers.take(100).byteOffset).not.toBe(small.byteOffset);
  });
});
