import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gatheringBegan, gatheringEnded, reportExternalBytes } from "./gc-pressure.ts";
import { MessageReader, messagePrefixBytes, writeMessagePrefix } from "./message-framing.ts";
import type { Payload } from "./payload.ts";

const messageBytes = 1_048_576;

interface Collections {
  young: number;
  full: number;
}

/** Collections of the kinds that stop the program, while `work` ran. */
async function collectionsDuring(work: () => Promise<void>): Promise<Collections> {
  const counted: Collections = { young: 0, full: 0 };
  const observer = new PerformanceObserver((list) => {
    // The type lacks what Node adds to entries of this kind.
    for (const { detail } of list.getEntries() as unknown as { detail: { kind: number } }[]) {
      const { kind } = detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR) counted.young++;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) counted.full++;
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  await work();
  // Node tells of collections in the turn after.
  await nextTurn();
  await nextTurn();
  observer.disconnect();
  return counted;
}

describe("collections while large messages are received", () => {
  test("messages that no one keeps have the young collected, and not the whole heap for every few of them", async () => {
    let received = 0;
    const onMessage = ({ length }: Payload): void => {
      received++;
      // As whoever decodes a message that keeps its bytes.
      reportExternalBytes(length);
    };
    const reader = new MessageReader({ onMessage }, messageBytes);
    const prefix = new Uint8Array(messagePrefixBytes);
    writeMessagePrefix(prefix, 0, false, messageBytes);
    const half = new Uint8Array(messageBytes / 2);
    const collections = await collectionsDuring(async () => {
      for (let i = 0; i < 512; i++) {
        assert.equal(reader.push(prefix, 0, prefix.length), undefined);
        assert.equal(reader.push(half, 0, half.length), undefined);
        assert.equal(reader.push(half, 0, half.length), undefined);
        if (i % 4 === 3) await nextTurn();
      }
    });
    assert.equal(received, 512);
    assert.ok(collections.young >= 512 / 32, `only ${collections.young} collections of what is young`);
    assert.ok(collections.full <= collections.young / 4, `${collections.full} collections of the whole heap`);
  });

  test("buffers below 16 KiB are not counted, those from there on are", async () => {
    const small = await collectionsDuring(async () => {
      for (let i = 0; i < 16_384; i++) reportExternalBytes(16_383);
    });
    assert.equal(small.young, 0);
    const large = await collectionsDuring(async () => {
      for (let i = 0; i < 16_384; i++) reportExternalBytes(16_384);
    });
    assert.ok(large.young >= 256 / 32, `only ${large.young} collections`);
  });

  test("nothing is collected while more is being gathered at once than young collections free, and again when that has ended", async () => {
    const gathering = 65_536_000;
    gatheringBegan(gathering);
    const during = await collectionsDuring(async () => {
      for (let i = 0; i < 4096; i++) reportExternalBytes(65_536);
    });
    assert.equal(during.young, 0);
    gatheringEnded(gathering);
    const after = await collectionsDuring(async () => {
      for (let i = 0; i < 4096; i++) reportExternalBytes(65_536);
    });
    assert.ok(after.young >= 256 / 32, `only ${after.young} collections`);
  });

  test("a reader that is halted within a large message no longer counts as gathering", async () => {
    const prefix = new Uint8Array(messagePrefixBytes);
    writeMessagePrefix(prefix, 0, false, messageBytes);
    const half = new Uint8Array(messageBytes / 2);
    for (let i = 0; i < 64; i++) {
      const reader = new MessageReader({ onMessage: () => assert.fail("no message is complete") }, messageBytes);
      reader.push(prefix, 0, prefix.length);
      reader.push(half, 0, half.length);
      reader.halt();
      reader.halt();
    }
    const collections = await collectionsDuring(async () => {
      for (let i = 0; i < 4096; i++) reportExternalBytes(65_536);
    });
    assert.ok(collections.young >= 256 / 32, `only ${collections.young} collections`);
  });

  test("nothing is filled where the young generation is larger than the 16 MiB that a busy program has", () => {
    const collections = (mebibytes: number): number => {
      const program = `
        import { reportExternalBytes } from ${JSON.stringify(new URL("./gc-pressure.ts", import.meta.url).href)};
        for (let i = 0; i < 4096; i++) reportExternalBytes(65_536);
      `;
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        [
          "--trace-gc",
          `--min-semi-space-size=${mebibytes}`,
          "--max-semi-space-size=64",
          "--conditions=source",
          "--input-type=module",
          "--eval",
          program,
        ],
        { encoding: "utf8" },
      );
      assert.equal(status, 0, stderr);
      return stdout.split("\n").filter((line) => line.includes("allocation failure")).length;
    };
    assert.ok(collections(16) >= 256 / 32);
    assert.equal(collections(32), 0);
  });
});
