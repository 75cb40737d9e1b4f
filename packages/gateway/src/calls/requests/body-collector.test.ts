import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectError } from "@connectrpc/connect";
import type { HttpExchange } from "@tercel/grpc/protocols";
import { announcedBytes, BodyCollector } from "./body-collector.ts";

function setUp(announced: number, maxBytes = 10) {
  const seen: string[] = [];
  const flow = { used: 0, lent: 0 };
  const exchange = {
    consume: (bytes: number) => {
      flow.used += bytes;
    },
    lend: (bytes: number) => {
      flow.lent += bytes;
    },
    repay: () => {
      flow.used += flow.lent;
      flow.lent = 0;
    },
  } as unknown as HttpExchange;
  const call = {
    isOver: false,
    fail(reason: unknown) {
      call.isOver = true;
      seen.push((reason as ConnectError).rawMessage);
    },
    onWritable() {},
    onClose() {},
  };
  const reader = {
    read: (body: Uint8Array, isOwned: boolean) => {
      seen.push(`${isOwned ? "owned" : "lent"} ${Buffer.from(body)}`);
    },
    run: () => {
      seen.push("run");
    },
  };
  const collector = new BodyCollector(exchange, call, { maxBytes, announcedBytes: announced }, reader);
  const push = (...pieces: string[]) => {
    for (const piece of pieces) collector.onData(Buffer.from(piece));
  };
  return { collector, push, seen, flow };
}

const tooLarge = "the body exceeds the limit of 10 bytes";

describe("the body of a request", () => {
  it("is not copied if it comes in one piece, and the call starts with the end of the request", () => {
    const { collector, push, seen, flow } = setUp(5);
    push("hello");
    assert.deepEqual(seen, ["lent hello"]);
    collector.onEnd();
    assert.deepEqual(seen, ["lent hello", "run"]);
    assert.deepEqual(flow, { used: 5, lent: 0 });
  });

  it("is collected if it comes in pieces or without a length", () => {
    for (const [announced, pieces] of [
      [5, ["hel", "lo"]],
      [-1, ["hello"]],
      [-1, ["h", "ello"]],
    ] as const) {
      const { collector, push, seen, flow } = setUp(announced);
      push(...pieces);
      assert.deepEqual(seen, []);
      collector.onEnd();
      assert.deepEqual(seen, ["owned hello", "run"]);
      assert.deepEqual(flow, { used: 5, lent: 0 });
    }
  });

  it("may be empty", () => {
    for (const announced of [0, -1]) {
      const { collector, seen } = setUp(announced);
      collector.onEnd();
      assert.deepEqual(seen, ["owned ", "run"]);
    }
  });

  it("is refused over the limit by its content-length, its first piece or its total, and not kept", () => {
    for (const [announced, pieces] of [
      [11, ["h"]],
      [11, ["hello world"]],
      [-1, ["hello world"]],
      [-1, ["hello", " world"]],
    ] as const) {
      const { collector, push, seen, flow } = setUp(announced);
      push(...pieces);
      assert.deepEqual(seen, [tooLarge]);
      const { used } = flow;
      push("more");
      assert.equal(flow.used, used + 4, "what still comes is used up at once");
      collector.onEnd();
      assert.deepEqual(seen, [tooLarge]);
    }
    const { collector, push, seen } = setUp(10);
    push("0123456789");
    collector.onEnd();
    assert.deepEqual(seen, ["lent 0123456789", "run"]);
  });

  it("is as long as its content-length", () => {
    assert.equal(announcedBytes(["content-length", "12"]), 12);
    assert.equal(announcedBytes(["accept", "a"]), -1);
    assert.equal(announcedBytes(["content-length", "x"]), -1);
  });
});
