import { describe, expect, it } from "vitest";

import { openSealedJson, sealJson } from "./sealed-json.js";

// printf '{"seq":1,"text":"é"}' | sha256sum
const HASH = "14d9f524b19f4094e207e7baadf4190cd09b977ec0811d2aeabaef173f91f005";
const LINE = `{"seq":1,"text":"é","hash":"${HASH}"}`;

const open = (text: string) => openSealedJson(Buffer.from(text));

describe("sealJson", () => {
  it("ends a line with the SHA-256 of the line without it", () => {
    expect(sealJson({ seq: 1, text: "é" })).toEqual({ line: LINE, hash: HASH });
  });
});

describe("openSealedJson", () => {
  it("gives back what was sealed", () => {
    expect(open(LINE)).toEqual({ hash: HASH, value: { seq: 1, text: "é" } });
  });

  it("notices each changed bit", () => {
    const bytes = Buffer.from(LINE);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(openSealedJson(changed).flaw, `bit ${bit}`).toBeDefined();
    }
  });

  it("tells a line that is cut from one that is changed", () => {
    expect(open(LINE.slice(0, -1))).toEqual({ flaw: "malformed" });
    expect(open("")).toEqual({ flaw: "malformed" });
    expect(open("[1]")).toEqual({ flaw: "malformed" });
    expect(open(LINE.replace("1", "2"))).toEqual({ flaw: "changed" });
    expect(open('{"seq":1}')).toEqual({ flaw: "changed" });
    expect(open(` ${LINE}`)).toEqual({ flaw: "changed" });
  });
});
