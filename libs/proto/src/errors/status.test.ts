import type { ServiceError } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { WireErrorCode } from "./index.js";
import { ERROR_STATUS, fromStatus, onOneLine, toStatus, WireError } from "./index.js";

it("is an error of one line of a bounded length, whatever a peer's names are", () => {
  expect(new WireError("invalidAddress", "a\nb is no address").message).toBe("a b is no address");
  expect(new WireError("invalidAddress", "k".repeat(1e6)).message).toHaveLength(1024);
});

const codes = Object.keys(ERROR_STATUS) as WireErrorCode[];

describe("an error on its way through a status", () => {
  it("keeps code and text", () => {
    for (const code of codes.filter((each) => each !== "internal")) {
      const sent = toStatus(new WireError(code, `what went wrong: ${code}`));
      expect(sent.code).toBe(ERROR_STATUS[code]);
      const received = fromStatus(Object.assign(new Error("2 UNKNOWN"), sent));
      expect([received.code, received.message]).toEqual([code, `what went wrong: ${code}`]);
    }
  });

  it("tells nothing of an error that is not of the wire", () => {
    for (const secret of [
      new Error("/root/key"),
      new WireError("internal", "/root/key"),
      "/root",
    ]) {
      const sent = toStatus(secret);
      expect(sent.code).toBe(status.INTERNAL);
      expect(sent.details).not.toContain("/root");
      expect(fromStatus(sent).code).toBe("internal");
    }
  });

  it("without a code of ours has the one its status stands for", () => {
    const expected: [status, WireErrorCode][] = [
      [status.CANCELLED, "cancelled"],
      [status.INVALID_ARGUMENT, "badMessage"],
      [status.DEADLINE_EXCEEDED, "deadlineExceeded"],
      [status.RESOURCE_EXHAUSTED, "messageTooLarge"],
      [status.UNAVAILABLE, "unavailable"],
      [status.UNAUTHENTICATED, "unauthenticated"],
      [status.PERMISSION_DENIED, "forbidden"],
      [status.UNIMPLEMENTED, "protocolVersion"],
      [status.DATA_LOSS, "internal"],
    ];
    for (const [code, wireCode] of expected) {
      const error: ServiceError = Object.assign(new Error("text"), {
        code,
        details: "from grpc",
        metadata: new Metadata(),
      });
      expect([fromStatus(error).code, fromStatus(error).message]).toEqual([wireCode, "from grpc"]);
    }
  });

  it("with a code nobody knows falls back to the status, also for names every object has", () => {
    const metadata = new Metadata();
    metadata.set("ostinato-code", "constructor");
    const received = fromStatus({ code: status.UNAVAILABLE, details: "gone", metadata });
    expect(received.code).toBe("unavailable");
  });

  it("has details that grpc-js can percent-encode, whatever text it had", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 1500 }), (text) => {
        const { details } = toStatus(new WireError("badMessage", `${text}\uD800`));
        expect(() => encodeURI(details)).not.toThrow();
        expect(details.length).toBeLessThanOrEqual(1024);
        expect(details).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it("is taken as it is when it is a WireError, and as internal when it is anything else", () => {
    const error = new WireError("checksum", "x");
    expect(fromStatus(error)).toBe(error);
    expect(fromStatus(new TypeError("no such thing"))).toMatchObject({
      code: "internal",
      message: "TypeError: no such thing",
    });
    expect(fromStatus(undefined).code).toBe("internal");
  });
});

describe("onOneLine", () => {
  it("puts a space for line ends and control characters, and none at the end", () => {
    expect(onOneLine("one\r\ntwo\u2028three\u001b[2J \n")).toBe("one two three [2J");
  });

  it("cuts before a code point, never inside it", () => {
    // The clef is two UTF-16 code units; at a limit of 4 its first half would stay.
    expect(onOneLine("ab\u{1D11E}cd", 4)).toBe("ab…");
    expect(onOneLine("ab\u{1D11E}", 4)).toBe("ab\u{1D11E}");
  });
});
