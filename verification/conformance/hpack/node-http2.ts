/** Uses node:http2 (nghttp2) as the other side: it must read the lists that Tercel writes, and vice versa. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectNode, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { connect, createHttp2Server, type ResponseHead, type StreamListener, type Trailers } from "@tercel/http2";
import { RandomLists } from "./random-lists.ts";

const lists = 3000;
const resizeEvery = 37;
const pseudo = [":method", "POST", ":scheme", "http", ":authority", "a.example", ":path", "/"];
const tableSizes = [0, 40, 100, 1000, 4096, 16_384];
const limits = { headers: { tableBytes: 16_384, maxListBytes: 65_536 } };

/** Tests Tercel's client with Node's server. Returns the number of lists in each direction. */
export async function compareWithNodeServer(seed: number): Promise<number> {
  const random = new RandomLists(seed);
  const answers = new RandomLists(seed + 1);
  const received: string[][] = [];
  const sent: string[][] = [];
  let session: ServerHttp2Session | undefined;
  const server = createServer({ settings: { headerTableSize: 4096 } });
  server.on("session", (opened) => {
    session = opened;
  });
  server.on("stream", (stream, _headers, _flags, rawHeaders: string[]) => {
    received.push([...rawHeaders]);
    const fields = answers.fields();
    sent.push(fields);
    stream.respond({ ":status": 200, ...asObject(fields) }, withoutDate({ endStream: true }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = await connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }, {}, { limits });
  try {
    await connection.ping();
    for (let at = 0; at < lists; at++) {
      if (at % resizeEvery === 0) {
        // Node reports when Tercel has acknowledged, so the next list is written with the new size.
        const acknowledged = once(session as ServerHttp2Session, "localSettings");
        session?.settings({ headerTableSize: tableSizes[random.below(tableSizes.length)] as number });
        await acknowledged;
      }
      const fields = [...pseudo, ...random.fields()];
      const head = await new Promise<ResponseHead>((resolve, reject) => {
        connection.request(fields, [], true, new HeadOnly(resolve, reject));
      });
      assert.deepEqual(received.at(-1), fields, `list ${at} of seed ${seed}, to node`);
      assert.deepEqual(head.fields, sent.at(-1), `list ${at} of seed ${seed}, from node`);
    }
  } finally {
    connection.close();
    session?.destroy();
    server.close();
  }
  return lists;
}

/** Tests Node's client with Tercel's server. */
export async function compareWithNodeClient(seed: number): Promise<number> {
  const random = new RandomLists(seed);
  const answers = new RandomLists(seed + 1);
  let received: readonly string[] = [];
  let sent: string[] = [];
  const server = createHttp2Server({
    limits,
    onStream: (stream, head) => {
      received = head.fields;
      sent = answers.fields();
      stream.listener = new HeadOnly(
        () => {},
        () => {},
      );
      stream.sendHeaders([":status", "200", ...sent], true);
    },
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const session: ClientHttp2Session = connectNode(`http://127.0.0.1:${server.address?.port}`);
  try {
    await once(session, "connect");
    for (let at = 0; at < lists; at++) {
      if (at % resizeEvery === 0) {
        const acknowledged = once(session, "localSettings");
        session.settings({ headerTableSize: tableSizes[random.below(tableSizes.length)] as number });
        await acknowledged;
      }
      const fields = random.fields();
      const stream = session.request({ ":method": "GET", ...asObject(fields) }, { endStream: true });
      const [, , rawHeaders] = (await once(stream, "response")) as [unknown, unknown, string[]];
      stream.resume();
      await once(stream, "close");
      assert.deepEqual(received, fields, `list ${at} of seed ${seed}, from node`);
      assert.deepEqual(rawHeaders, [":status", "200", ...sent], `list ${at} of seed ${seed}, to node`);
    }
  } finally {
    session.destroy();
    await server.close(0);
  }
  return lists;
}

/** Node has this option, but its types do not. */
function withoutDate(options: { endStream: boolean }): { endStream: boolean } {
  return Object.assign(options, { sendDate: false });
}

function asObject(fields: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) object[fields[at] as string] = fields[at + 1] as string;
  return object;
}

/** Resolves to the headers of a response. */
class HeadOnly implements StreamListener {
  readonly onHead: (head: ResponseHead) => void;
  readonly onReset: (error: Error) => void;

  constructor(onHead: (head: ResponseHead) => void, onReset: (error: Error) => void) {
    this.onHead = onHead;
    this.onReset = onReset;
  }

  onData(): void {}
  onTrailers(_trailers: Trailers): void {}
  onEnd(): void {}
  onWritable(): void {}
}
