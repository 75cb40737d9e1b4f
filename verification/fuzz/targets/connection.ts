import { CheckedConnection } from "../../../packages/http2/test/properties/checked-connection.ts";
import { cut } from "./cut.ts";
import { WireSource } from "./wire-source.ts";

const maxCuts = 4;
const maxScript = 16;

/** Limits that a few hundred bytes can reach. */
const limits = {
  streams: { maxConcurrent: 8 },
  headers: { maxListBytes: 1024, maxFields: 16, maxBlockBytes: 2048 },
  windows: { streamBytes: 2048 },
  budgets: { glitches: { burst: 20 }, causedResets: { burst: 10 }, peerResets: { burst: 10 } },
  controlFrames: { pauseAtQueued: 8, maxQueued: 16 },
  frames: { maxPerTurn: 16 },
};

/**
 * Feeds a connection. The input determines the actions of the application, the chunks, and then the bytes. `opening` comes first,
 * because most connections would otherwise end with their first frame.
 */
export async function fuzzConnection(role: "server" | "client", bytes: Uint8Array): Promise<void> {
  const source = new WireSource(bytes);
  const kind = source.byte();
  const script = source.take(source.byte() % maxScript);
  const cuts = source.take(source.byte() % maxCuts);
  const checked = new CheckedConnection({ role, script, ...((kind & 1) === 0 ? { limits } : {}) });
  if ((kind & 2) === 0) {
    checked.deliver(opening);
    await Promise.resolve();
  }
  for (const chunk of cut(source.rest(), cuts)) checked.deliver(chunk);
  if ((kind & 4) !== 0) checked.clock.advance(20_000);
  await checked.finish();
}

/** Empty SETTINGS, and the acknowledgement of the other side's. */
const opening = Buffer.from("000000040000000000000000040100000000", "hex");

const frame = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(" ", ""), "hex");

export const connectionDictionary = [
  // Tiny gRPC messages: many in a frame, one in a frame, one in pieces, none.
  frame("000014 00 00 00000001 0000000000 0000000000 0000000000 0000000000"),
  frame("000005 00 00 00000001 0000000000"),
  frame("000007 00 01 00000001 0000000002 7800"),
  frame("000004 00 00 00000001 00000000"),
  frame("000001 00 00 00000001 00"),
  frame("000000 00 00 00000001"),
  frame("000000 00 01 00000001"),
  frame("000003 01 05 00000001 83 86 84"),
  frame("000003 01 04 00000003 83 86 84"),
  frame("000001 01 04 00000001 88"),
  frame("000001 01 05 00000001 88"),
  frame("000003 01 00 00000005 83 86 84"),
  frame("000000 09 04 00000005"),
  frame("000005 00 00 00000001 68656c6c6f"),
  frame("000005 00 01 00000003 68656c6c6f"),
  frame("000005 00 09 00000003 03 68 000000"),
  frame("000004 03 00 00000001 00000008"),
  frame("000006 04 00 00000000 0004 00000001"),
  frame("000006 04 00 00000000 0001 00000000"),
  frame("000006 04 00 00000000 0004 7fffffff"),
  frame("000008 06 00 00000000 0001020304050607"),
  frame("000008 07 00 00000000 00000001 00000000"),
  frame("000004 08 00 00000000 00000100"),
  frame("000004 08 00 00000001 7fffffff"),
  frame("000005 02 00 00000001 00000000 0f"),
  frame("000000 04 01 00000000"),
  Uint8Array.of(0, 0, 0, 1),
  Uint8Array.of(0, 0, 0, 3),
  Uint8Array.of(0x40, 3, 0x61, 0x62, 0x63, 1, 0x64),
  Uint8Array.of(0x5c, 1, 0x35),
];
