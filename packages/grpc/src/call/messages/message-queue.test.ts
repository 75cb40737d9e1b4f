import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Payload } from "../../protocol/payload.ts";
import { TurnShare } from "../../time/turn-share.ts";
import { MessageQueue, type MessageSource } from "./message-queue.ts";

const prefixBytes = 5;

function setUp(make: (text: string) => string | Promise<string> = (text) => text) {
  const seen = { credit: 0, lent: 0, returned: 0, made: 0 };
  const source: MessageSource<string> = {
    makeMessage({ content, compressed }) {
      seen.made++;
      const text = Buffer.from(content).toString();
      return make(compressed ? `compressed ${text}` : text);
    },
    consume(bytes) {
      seen.credit += bytes;
    },
    lend(bytes) {
      seen.credit += bytes;
      seen.lent += bytes;
    },
    messageComplete() {},
    repay(bytes) {
      seen.lent -= bytes;
    },
    usedUp() {},
    takesNoMore() {
      seen.returned++;
    },
  };
  const queue = new MessageQueue<string>(source, new TurnShare());
  const push = (text: string, compressed = false): void => {
    // In memory that is used again at once, as that of a socket is.
    const bytes = Buffer.from(`<${text}>`);
    queue.push(new Payload().borrow(bytes, 1, bytes.length - 1, compressed));
    bytes.fill("#");
  };
  /** As a call does it: bytes come, then what they complete. */
  const arrive = (text: string, compressed = false): void => {
    queue.received(text.length + prefixBytes);
    push(text, compressed);
    queue.settle();
  };
  return { queue, seen, push, arrive };
}

describe("the message queue", () => {
  it("gives messages in order, whether they or those who wait for them come first", async () => {
    const { queue, arrive } = setUp();
    const early = [queue.next(), queue.next()];
    for (const message of ["a", "b", "c", "d"]) arrive(message);
    queue.end();
    const results = [...(await Promise.all(early)), await queue.next(), await queue.next(), await queue.next()];
    assert.deepEqual(
      results.map((result) => result.value),
      ["a", "b", "c", "d", undefined],
    );
  });

  it("makes a message only when it is taken, and tells whether it came compressed", async () => {
    const { queue, seen, arrive } = setUp();
    arrive("a", true);
    arrive("b");
    assert.equal(seen.made, 0);
    assert.equal((await queue.next()).value, "compressed a");
    assert.equal(seen.made, 1);
    assert.equal((await queue.next()).value, "b");
    const waiting = queue.next();
    arrive("c", true);
    assert.equal(seen.made, 3, "somebody waited for it");
    assert.equal((await waiting).value, "compressed c");
  });

  it("gives credit for a message only when it is taken", async () => {
    const { queue, seen, arrive } = setUp();
    arrive("12345");
    arrive("123456789012345");
    assert.equal(seen.credit, 0);
    await queue.next();
    assert.equal(seen.credit, 10);
    await queue.next();
    assert.equal(seen.credit, 30);
    const waiting = queue.next();
    arrive("");
    assert.equal(seen.credit, 35);
    await waiting;
  });

  it("gives credit at once for part of a message when nothing else waits, so that it may be larger than a window", () => {
    const { queue, seen, push, arrive } = setUp();
    queue.received(100);
    queue.settle();
    assert.equal(seen.credit, 100);
    queue.received(50);
    push("x".repeat(145));
    queue.settle();
    assert.equal(seen.credit, 100, "the rest is owed until the message is taken");
    arrive("next");
    assert.equal(seen.credit, 100);
  });

  it("gives credit for each byte once, however messages were cut and whoever waited", async () => {
    const { queue, seen, push } = setUp();
    const texts = Array.from({ length: 300 }, (_, at) => "y".repeat((at * 37) % 90));
    const total = texts.reduce((sum, text) => sum + text.length + prefixBytes, 0);
    let came = 0;
    let complete = 0;
    let endOfNext = (texts[0] as string).length + prefixBytes;
    const taken: Promise<IteratorResult<string, undefined>>[] = [];
    for (let round = 0; came < total; round++) {
      const bytes = Math.min(1 + ((round * 53) % 160), total - came);
      came += bytes;
      queue.received(bytes);
      while (complete < texts.length && endOfNext <= came) {
        push(texts[complete] as string);
        complete++;
        endOfNext += (texts[complete] ?? "").length + prefixBytes;
      }
      queue.settle();
      assert.ok(seen.credit <= came);
      // Sometimes ahead of what comes, sometimes behind it.
      for (let takes = (round * 7) % 4; takes > 0 && taken.length < texts.length; takes--) taken.push(queue.next());
    }
    while (taken.length < texts.length) taken.push(queue.next());
    assert.deepEqual(
      (await Promise.all(taken)).map((result) => result.value),
      texts,
    );
    assert.equal(seen.credit, total);
    assert.equal(seen.lent, 0);
  });

  it("tells waiting takers of the end, and of a failure once, after what had come before", async () => {
    const ended = setUp();
    const waiting = ended.queue.next();
    ended.queue.end();
    assert.deepEqual(await waiting, { done: true, value: undefined });

    const failed = setUp();
    failed.arrive("a");
    failed.queue.fail(new Error("broken"));
    assert.equal((await failed.queue.next()).value, "a");
    await assert.rejects(failed.queue.next(), /broken/);
    assert.equal((await failed.queue.next()).done, true);

    const both = setUp();
    const takers = [both.queue.next(), both.queue.next()];
    both.queue.fail(new Error("broken"));
    await assert.rejects(takers[0] as Promise<unknown>, /broken/);
    assert.equal((await takers[1])?.done, true);
  });

  for (const [when, make] of [
    [
      "at once",
      (text: string): string => {
        if (text === "spoilt") throw new Error("cannot be made");
        return text;
      },
    ],
    [
      "later",
      async (text: string): Promise<string> => {
        if (text === "spoilt") throw new Error("cannot be made");
        return text;
      },
    ],
  ] as const) {
    it(`hands on why a message could not be made ${when}, once, and nothing that came behind it`, async () => {
      const { queue, seen, arrive } = setUp(make);
      for (const text of ["good", "spoilt", "behind"]) arrive(text);
      assert.equal((await queue.next()).value, "good");
      await assert.rejects(queue.next(), /cannot be made/);
      assert.equal((await queue.next()).done, true);
      assert.equal(seen.credit, 9 + 11 + 11);

      const awaited = setUp(make);
      const takers = [awaited.queue.next(), awaited.queue.next()];
      awaited.arrive("spoilt");
      await assert.rejects(takers[0] as Promise<unknown>, /cannot be made/);
      assert.equal((await takers[1])?.done, true);
      assert.equal(awaited.seen.credit, 11);
    });
  }

  it("tells a failure once when the call is ended by the message that could not be made", async () => {
    const failure = new Error("cannot be made");
    const { queue, arrive } = setUp(() => {
      queue.fail(failure);
      throw failure;
    });
    arrive("a");
    arrive("b");
    await assert.rejects(queue.next(), failure);
    assert.equal((await queue.next()).done, true);
  });

  for (const [when, ended] of [
    ["between messages", false],
    ["after the last message", true],
  ] as const) {
    it(`drops what waits when the call is cut off ${when}, gives the credit back, and throws the reason once`, async () => {
      const { queue, seen, arrive } = setUp();
      for (const message of ["a", "b", "c"]) arrive(message);
      assert.equal((await queue.next()).value, "a");
      if (ended) queue.end();
      queue.cutOff(new Error("cut off"));
      assert.deepEqual(seen, { credit: 18, lent: 0, returned: 0, made: 1 });
      await assert.rejects(queue.next(), /cut off/);
      assert.equal((await queue.next()).done, true);
    });
  }

  it("throws the reason to a reader that waits when the call is cut off, and the end to the others", async () => {
    const { queue } = setUp();
    const takers = [queue.next(), queue.next()];
    queue.cutOff(new Error("cut off"));
    await assert.rejects(takers[0] as Promise<unknown>, /cut off/);
    assert.equal((await takers[1])?.done, true);
    assert.equal((await queue.next()).done, true);
  });

  it("throws the reason to a reader whose message is being made when the call is cut off, and drops the message", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { queue, seen, arrive } = setUp(() => promise);
    arrive("a");
    arrive("b");
    const taken = queue.next();
    queue.cutOff(new Error("cut off"));
    await assert.rejects(taken, /cut off/);
    resolve("late");
    assert.equal((await queue.next()).done, true);
    assert.equal(seen.made, 1);
  });

  it("does not throw the reason of a cut to a reader that has had the end, or has left", async () => {
    const ended = setUp();
    ended.queue.end();
    assert.equal((await ended.queue.next()).done, true);
    ended.queue.cutOff(new Error("cut off"));
    assert.equal((await ended.queue.next()).done, true);

    const left = setUp();
    left.arrive("a");
    await left.queue.return();
    left.queue.cutOff(new Error("cut off"));
    assert.equal((await left.queue.next()).done, true);
  });

  it("makes one message at a time when they are made later, in order", async () => {
    const finish: (() => void)[] = [];
    const { queue, seen, arrive } = setUp((text) => new Promise((resolve) => finish.push(() => resolve(text))));
    const takers = [queue.next(), queue.next(), queue.next()];
    for (const message of ["a", "b", "c"]) arrive(message);
    queue.end();
    for (const [at, message] of ["a", "b", "c"].entries()) {
      assert.equal(seen.made, at + 1);
      finish[at]?.();
      assert.equal((await takers[at])?.value, message);
    }
    assert.equal((await queue.next()).done, true);
  });

  it("gives readers no more in a turn than the share, and the rest in the next turns", async () => {
    const { queue, arrive } = setUp();
    const count = 3000;
    for (let at = 0; at < count; at++) arrive(String(at));
    queue.end();
    let taken = 0;
    const mostPerTurn: number[] = [];
    const reading = (async () => {
      for await (const text of queue) assert.equal(text, String(taken++));
    })();
    for (let before = 0; taken < count; before = taken) {
      await new Promise((resolve) => setImmediate(resolve));
      mostPerTurn.push(taken - before);
    }
    await reading;
    assert.equal(taken, count);
    assert.ok(Math.max(...mostPerTurn) <= 1024, mostPerTurn.join(" "));
  });

  it("throws what waits away when the application takes no more, gives the credit back, and tells the call once", async () => {
    const { queue, seen, arrive } = setUp();
    arrive("12345");
    arrive("123456789012345");
    await queue.return();
    await queue.return();
    assert.deepEqual(seen, { credit: 30, lent: 0, returned: 1, made: 0 });
    assert.equal((await queue.next()).done, true);
    arrive("late");
    assert.equal(seen.credit, 39);
  });

  it("does not tell the call of a return after its end", async () => {
    const { queue, seen } = setUp();
    queue.end();
    await queue.return();
    assert.equal(seen.returned, 0);
  });
});
