// How much of a link that is long for its speed one stream uses, its beginning included: windows, their updates and the way out.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Stream, StreamListener } from "../src/index.ts";
import { createConnection } from "../src/internal.ts";
import { ok, post } from "./example-fields.ts";
import { type LinkSpeed, VirtualLink } from "./virtual-link.ts";

const messageBytes = 65_536;
const transferBytes = 1526 * messageBytes;
const message = new Uint8Array(messageBytes);

interface Transfer {
  /** Of the link, from the first byte of the request to the last of the data. */
  readonly share: number;
  /** The same without the first second, in which windows grow. */
  readonly laterShare: number;
}

/** Sends as an application does that waits whenever it is asked to. */
function sender(stream: () => Http2Stream): { send(): void } {
  let left = transferBytes;
  const send = (): void => {
    while (left > 0) {
      left -= messageBytes;
      if (!stream().sendData(message, left === 0)) return;
    }
  };
  return { send };
}

const silent: StreamListener = {
  onHead() {},
  onData() {},
  onTrailers() {},
  onEnd() {},
  onReset() {},
  onWritable() {},
};

async function transfer(direction: "upload" | "download", speed: LinkSpeed): Promise<Transfer> {
  const link = new VirtualLink(speed);
  const { clock } = link;
  let received = 0;
  let laterThan: { readonly bytes: number; readonly ms: number } | undefined;
  let startedMs = 0;
  const receiver = (stream: () => Http2Stream): StreamListener => ({
    ...silent,
    onData(_bytes, start, end) {
      received += end - start;
      stream().consume(end - start);
      if (clock.nowMs() - startedMs >= 1000) laterThan ??= { bytes: received, ms: clock.nowMs() };
    },
  });
  const server = createConnection(
    "server",
    link.serverEnd,
    {
      onStream(stream) {
        if (direction === "upload") {
          stream.listener = receiver(() => stream);
          return;
        }
        const { send } = sender(() => stream);
        stream.listener = { ...silent, onWritable: send };
        stream.sendHeaders(ok);
        send();
      },
    },
    { clock },
  );
  const client = createConnection("client", link.clientEnd, {}, { clock });
  link.join(client, server);
  await link.until(() => client.canOpenStream && clock.nowMs() > 3 * speed.roundTripMs, 1000);
  startedMs = clock.nowMs();
  let stream: Http2Stream;
  if (direction === "upload") {
    const { send } = sender(() => stream);
    stream = client.request(post, [], false, { ...silent, onWritable: send });
    send();
  } else {
    stream = client.request(
      post,
      [],
      true,
      receiver(() => stream),
    );
  }
  const share = (bytes: number, sinceMs: number): number =>
    (bytes * 1000) / (clock.nowMs() - sinceMs) / speed.bytesPerSecond;
  await link.until(() => received === transferBytes, 60_000);
  assert.ok(laterThan !== undefined);
  return { share: share(received, startedMs), laterShare: share(received - laterThan.bytes, laterThan.ms) };
}

/** The beginning costs a round trip for the request and its answer, and those that pass until windows have grown. */
const links: readonly (readonly [megabytesPerSecond: number, roundTripMs: number, leastShare: number])[] = [
  [10, 50, 0.99],
  [25, 50, 0.97],
  [50, 50, 0.95],
  [25, 100, 0.93],
  [50, 100, 0.89],
];

for (const direction of ["upload", "download"] as const) {
  for (const [megabytesPerSecond, roundTripMs, leastShare] of links) {
    const name = `uses ${100 * leastShare} % of ${megabytesPerSecond} MB/s at ${roundTripMs} ms for 100 MB of ${direction}`;
    test(name, async () => {
      const transferred = await transfer(direction, { bytesPerSecond: megabytesPerSecond * 1e6, roundTripMs });
      assert.ok(transferred.share >= leastShare, `${transferred.share} of the link`);
      assert.ok(transferred.laterShare >= 0.99, `${transferred.laterShare} after the first second`);
    });
  }
}
