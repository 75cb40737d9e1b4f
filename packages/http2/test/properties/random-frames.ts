import fc from "fast-check";
import { buildFrame, pad, uint32 } from "../../src/testing/build-frame.ts";
import type { Recording } from "./recordings.ts";

/** Finds the stream that a frame is for, given the identifiers that requests have used so far. */
type Resolve = (used: number[]) => number;
type Build = (used: number[]) => Buffer;

/** Now and then even ones, 0, the largest, and some that are in use or not yet. */
const anyStream = fc.constantFrom(0, 1, 2, 3, 5, 9, 2 ** 31 - 1).map(
  (id): Resolve =>
    () =>
      id,
);
const usedStream = fc.nat(5).map(
  (back): Resolve =>
    (used) =>
      used.at(-1 - (back % Math.max(used.length, 1))) ?? 1,
);
const newStream = fc.constantFrom(2, 2, 2, 4).map(
  (step): Resolve =>
    (used) => {
      const id = used.length === 0 ? step - 1 : Math.max(...used) + step;
      used.push(id);
      return id;
    },
);
const streamId = fc.oneof({ weight: 200, arbitrary: usedStream }, { weight: 1, arbitrary: anyStream });
const requestId = fc.oneof(
  { weight: 150, arbitrary: newStream },
  { weight: 20, arbitrary: usedStream },
  { weight: 1, arbitrary: anyStream },
);
const padding = fc.option(fc.constantFrom(0, 1, 7, 255), { nil: undefined, freq: 4 });
const bit = fc.integer({ min: 0, max: 3 }).map((number) => number === 0);
const likely = fc.integer({ min: 0, max: 3 }).map((number) => number !== 0);

/**
 * Header blocks that name no dynamic entry, so that each means the same wherever it stands: POST http / and one field more,
 * parts of that, a response's status, a plain field, and one that is no block.
 */
const block = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom("838684", "83868490") },
  { weight: 8, arbitrary: fc.constantFrom("90", "") },
  { weight: 8, arbitrary: fc.constant("88") },
  { weight: 3, arbitrary: fc.constantFrom("8386", "90838684", "83838684", "8386848f") },
  { weight: 1, arbitrary: fc.constant("80") },
);

const flags = {
  endStream: 1,
  ack: 1,
  endHeaders: 4,
  padded: 8,
  priority: 32,
};

const headers = fc
  .record({
    id: requestId,
    block,
    padding,
    endStream: bit,
    endHeaders: likely,
    dependency: fc.option(fc.constantFrom(0, 1, 3, 99), { nil: undefined, freq: 5 }),
    cutAt: fc.nat(4),
  })
  .map(
    ({ id, block, padding, endStream, endHeaders, dependency, cutAt }): Build =>
      (used) => {
        const streamId = id(used);
        const fragment = Buffer.from(block, "hex");
        const first = endHeaders ? fragment : fragment.subarray(0, cutAt);
        const content = dependency === undefined ? first : Buffer.concat([uint32(dependency), Buffer.of(15), first]);
        const head = buildFrame({
          type: 1,
          streamId,
          flags:
            (endStream ? flags.endStream : 0) |
            (endHeaders ? flags.endHeaders : 0) |
            (padding === undefined ? 0 : flags.padded) |
            (dependency === undefined ? 0 : flags.priority),
          payload: pad(content, padding),
        });
        if (endHeaders) return head;
        const rest = buildFrame({ type: 9, flags: flags.endHeaders, streamId, payload: fragment.subarray(cutAt) });
        return Buffer.concat([head, rest]);
      },
  );

const data = fc.record({ id: streamId, size: fc.constantFrom(0, 1, 5, 100), padding, endStream: bit }).map(
  ({ id, size, padding, endStream }): Build =>
    (used) =>
      buildFrame({
        type: 0,
        streamId: id(used),
        flags: (endStream ? flags.endStream : 0) | (padding === undefined ? 0 : flags.padded),
        payload: pad(Buffer.alloc(size, "d"), padding),
      }),
);

const settings = fc
  .array(
    fc.tuple(
      fc.constantFrom(1, 3, 4, 6, 8, 0xfafa),
      fc.constantFrom(0, 1, 100, 4096, 65_535, 65_535, 100_000, 100_000),
    ),
    { maxLength: 3 },
  )
  .map(settingsFrame);

const rareSettings = fc
  .tuple(
    fc.constantFrom(1, 2, 3, 4, 4, 5, 6),
    fc.constantFrom(0, 1, 2, 16_383, 16_384, 2 ** 24 - 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  )
  .map((entry) => settingsFrame([entry]));

function settingsFrame(entries: readonly (readonly [number, number])[]): Build {
  const payload = entries.map(([setting, value]) => Buffer.concat([Buffer.of(setting >> 8, setting), uint32(value)]));
  return () => buildFrame({ type: 4, payload: Buffer.concat(payload) });
}

const windowUpdate = fc.tuple(streamId, fc.constantFrom(0, 1, 1000, 5000, 2 ** 31 - 1, 2 ** 31 + 5)).map(
  ([id, increment]): Build =>
    (used) =>
      buildFrame({ type: 8, streamId: id(used), payload: uint32(increment) }),
);
const connectionUpdate = fc.constantFrom(1, 1000, 100_000).map(
  (increment): Build =>
    () =>
      buildFrame({ type: 8, payload: uint32(increment) }),
);

const reset = streamId.map(
  (id): Build =>
    (used) =>
      buildFrame({ type: 3, streamId: id(used), payload: uint32(8) }),
);
const ping = bit.map(
  (ack): Build =>
    () =>
      buildFrame({ type: 6, flags: ack ? flags.ack : 0, payload: Buffer.from("pingping") }),
);
const settingsAck = fc.constant<Build>(() => buildFrame({ type: 4, flags: flags.ack }));
/** PRIORITY may come for any stream, also one that no one has opened (RFC 9113 §6.3). */
const priority = fc
  .tuple(
    fc.oneof(
      usedStream,
      fc.constantFrom(4, 51, 99).map(
        (id): Resolve =>
          () =>
            id,
      ),
    ),
    fc.constantFrom(0, 0, 1, 3, 99),
    fc.constantFrom(0, 0, 0, 0, 1),
  )
  .map(
    ([id, on, tooMany]): Build =>
      (used) => {
        const payload = Buffer.concat([uint32(on), Buffer.alloc(1 + tooMany)]);
        return buildFrame({ type: 2, streamId: id(used), payload });
      },
  );
const goaway = fc.constantFrom(0, 1, 5, 2 ** 31 - 1).map(
  (last): Build =>
    () =>
      buildFrame({ type: 7, payload: Buffer.concat([uint32(last), uint32(0)]) }),
);
const continuation = fc.tuple(streamId, block, likely).map(
  ([id, block, ends]): Build =>
    (used) =>
      buildFrame({
        type: 9,
        flags: ends ? flags.endHeaders : 0,
        streamId: id(used),
        payload: Buffer.from(block, "hex"),
      }),
);

/** Any type, flags, stream and size, with bytes that mean nothing. */
const nonsense = fc
  .record({
    type: fc.integer({ min: 0, max: 12 }),
    flags: fc.integer({ min: 0, max: 255 }),
    id: streamId,
    size: fc.nat(12),
  })
  // What a header block of nonsense means cannot be told in a few lines; those come from the fuzzer.
  .filter(({ type }) => type !== 1 && type !== 9)
  .map(
    ({ type, flags, id, size }): Build =>
      (used) =>
        buildFrame({ type, flags, streamId: id(used), payload: Buffer.alloc(size) }),
  );

const tooLong = fc.constantFrom(16_384, 16_385).map(
  (size): Build =>
    () =>
      buildFrame({ type: 0xbb, payload: Buffer.alloc(size) }),
);

const frame = fc.oneof(
  { weight: 100, arbitrary: headers },
  { weight: 100, arbitrary: data },
  { weight: 20, arbitrary: settings },
  { weight: 2, arbitrary: rareSettings },
  { weight: 15, arbitrary: windowUpdate },
  { weight: 10, arbitrary: connectionUpdate },
  { weight: 15, arbitrary: reset },
  { weight: 10, arbitrary: ping },
  { weight: 10, arbitrary: settingsAck },
  { weight: 10, arbitrary: priority },
  { weight: 2, arbitrary: goaway },
  { weight: 1, arbitrary: continuation },
  { weight: 1, arbitrary: nonsense },
  { weight: 1, arbitrary: tooLong },
);

const firstSettings = buildFrame({ type: 4 });

/** In front of what needs a stream to be about. */
const request: Build = (used) => {
  used.push(1);
  return buildFrame({ type: 1, flags: flags.endHeaders, streamId: 1, payload: Buffer.from("838684", "hex") });
};

/** Frames in any order, right and wrong, mostly behind the SETTINGS that a connection has to open with. */
export const frameSequence: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.integer({ min: 0, max: 19 }).map((number) => number !== 0),
    fc.array(frame, { maxLength: 30, size: "max" }),
  )
  .map(([opens, frames]) => {
    const used: number[] = [];
    return Buffer.concat([...(opens ? [firstSettings, request(used)] : []), ...frames.map((build) => build(used))]);
  });

/** The same, with an application that does all it can on either side. */
export const recordedSession: fc.Arbitrary<Omit<Recording, "name">> = fc.record({
  role: fc.constantFrom("server", "client"),
  script: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  bytes: frameSequence,
});
