/**
 * The gateway's HTTP/1.1 reader understands the same requests for any chunks of the bytes, never throws, responds in
 * order, and reads nothing after a refused request.
 */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Http1Connection } from "../../../packages/gateway/src/http/http1-connection.ts";
import { defaultHttp1Limits } from "../../../packages/gateway/src/http/http1-limits.ts";
import { TurnBudget } from "../../../packages/gateway/src/http/turn-budget.ts";
import { assertSameTexts } from "./assert-same.ts";
import { cut } from "./cut.ts";
import { WireSource } from "./wire-source.ts";

const maxCuts = 8;
/** The number of requests before the connection yields to others. */
const requestsPerTurn = 32;

export async function fuzz(input: Uint8Array): Promise<void> {
  const source = new WireSource(input);
  const cuts = source.take(source.byte() % maxCuts);
  const rest = source.rest();
  const whole = await play([rest]);
  const pieces = await play([...cut(rest, cuts)]);
  assertSameTexts(pieces.requests, whole.requests);
  assert.equal(pieces.isRefused, whole.isRefused);
  assert.equal(pieces.isClosed, whole.isClosed);
}

interface Played {
  readonly requests: readonly string[];
  readonly isRefused: boolean;
  readonly isClosed: boolean;
}

/** A client that reads everything and never disconnects. */
class FakeSocket extends EventEmitter {
  sent = "";
  destroyed = false;
  writableEnded = false;
  readonly writableNeedDrain = false;
  readonly bytesRead = 0;
  readonly bytesWritten = 0;
  readonly writableLength = 0;

  write(bytes: Uint8Array | string): boolean {
    assert.ok(!this.destroyed && !this.writableEnded, "written after the end");
    this.sent += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
    return true;
  }

  end(text = ""): void {
    this.sent += text;
    this.writableEnded = true;
  }

  destroySoon(): void {
    this.writableEnded = true;
    this.destroyed = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  pause(): void {}
  resume(): void {}
}

async function play(pieces: readonly Uint8Array[]): Promise<Played> {
  const socket = new FakeSocket();
  const requests: string[] = [];
  const connection = new Http1Connection(
    socket as unknown as Socket,
    {
      ...{ limits: defaultHttp1Limits, isClosing: false, onUpgrade: undefined },
      readAhead: new TurnBudget({ maxCount: requestsPerTurn, maxMs: 1 }, () => 0),
      onFault(error) {
        throw error;
      },
      onExchange(exchange) {
        const { method, path, fields } = exchange.head;
        let body = "";
        exchange.listener = {
          onData(bytes) {
            body += Buffer.from(bytes).toString("latin1");
            exchange.consume(bytes.length);
          },
          onEnd() {
            requests.push(JSON.stringify([method, path, fields, body]));
            exchange.sendHead(200, ["content-length", "2"]);
            exchange.end(Buffer.from("ok"));
          },
          onClose() {},
          onWritable() {},
        };
      },
    },
    0,
  );
  for (const piece of pieces) connection.onData(Buffer.from(piece));
  for (let seen = 0; requests.length - seen >= requestsPerTurn; ) {
    seen = requests.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  connection.onClose();
  const statuses = [...socket.sent.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
    .map(([, status]) => status)
    .filter((one) => one !== "100");
  assert.ok(statuses.length <= requests.length + 1, "more responses than requests");
  return {
    requests,
    isRefused: statuses.length > requests.length,
    isClosed: socket.destroyed,
  };
}

export const dictionary = [
  "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
  "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "expect: 100-continue\r\n",
  "connection: close\r\n",
  "content-length: 0\r\n",
  "transfer-encoding: chunked\r\n",
  "0\r\n\r\n",
  "\r\n\r\n",
  "\r\n",
].map((text) => Buffer.from(text));
