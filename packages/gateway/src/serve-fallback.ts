import type { GatewayHost, HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import { splitTarget, urlOf } from "./calls/read-fields.ts";
import type { Responder } from "./calls/responder.ts";

/** Serves all requests other than for methods, REST routes and documentation pages, such as for a web page or metrics. */
export type Fallback = (request: Request) => Response | Promise<Response>;

/** Runs a fallback for a request. If it throws, the error is logged and the client gets a 500. */
export function serveFallback(host: GatewayHost, responder: Responder, fallback: Fallback): void {
  const body = new RequestBody(responder.exchange);
  responder.exchange.listener = body;
  run(responder, body, fallback).catch((error: unknown) => {
    body.abort(error);
    if (body.isGone) return;
    host.log.error("the gateway's fallback failed", { path: splitTarget(responder.head.path).path, error });
    if (responder.isHeadSent) responder.reset();
    else responder.send(500, ["content-type", "text/plain; charset=utf-8"], Buffer.from("internal error\n"));
  });
}

async function run(responder: Responder, body: RequestBody, fallback: Fallback): Promise<void> {
  const response = await fallback(toRequest(responder, body));
  const fields: string[] = [];
  response.headers.forEach((value, name) => {
    if (!ofConnection.has(name)) fields.push(name, value);
  });
  if (body.isGone) {
    await response.body?.cancel();
    return;
  }
  responder.sendHead(response.status, fields);
  if (response.body !== null && responder.head.method !== "HEAD") {
    for await (const chunk of response.body) {
      if (body.isGone) return;
      if (!responder.sendData(chunk)) await body.whenWritable();
    }
  } else await response.body?.cancel();
  responder.end();
}

/** Fields of one connection, which the server writes itself (RFC 9110 §7.6.1). */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "trailer",
]);

function toRequest({ head }: Responder, body: RequestBody): Request {
  const headers = new Headers();
  for (let at = 0; at < head.fields.length; at += 2)
    headers.append(head.fields[at] as string, head.fields[at + 1] as string);
  const hasBody = head.method !== "GET" && head.method !== "HEAD";
  return new Request(urlOf(head), {
    ...{ method: head.method, headers, signal: body.signal },
    ...(hasBody ? { body: body.stream, duplex: "half" as const } : {}),
  });
}

/** The body of a request as a stream of the Fetch API. Reads from the client only as fast as the fallback reads. */
class RequestBody implements HttpExchangeListener {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #exchange: HttpExchange;
  readonly #abortion = new AbortController();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  /** Bytes in the stream that the fallback has not read. */
  #waitingBytes = 0;
  #isDone = false;
  #wake: (() => void) | undefined = undefined;
  isGone = false;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#giveCredit(),
      cancel: () => {
        this.#isDone = true;
        this.#giveCredit();
      },
    });
  }

  get signal(): AbortSignal {
    return this.#abortion.signal;
  }

  abort(reason: unknown): void {
    this.#isDone = true;
    this.#abortion.abort(reason);
  }

  whenWritable(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  onData(bytes: Uint8Array): void {
    if (this.#isDone) {
      this.#exchange.consume(bytes.length);
      return;
    }
    this.#waitingBytes += bytes.length;
    this.#controller?.enqueue(new Uint8Array(bytes));
    if ((this.#controller?.desiredSize ?? 0) > 0) this.#giveCredit();
  }

  onEnd(): void {
    if (!this.#isDone) this.#controller?.close();
    this.#isDone = true;
  }

  onClose(reason: string): void {
    this.isGone = true;
    const error = new Error(reason);
    if (!this.#isDone) this.#controller?.error(error);
    this.abort(error);
    this.onWritable();
  }

  onWritable(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #giveCredit(): void {
    const bytes = this.#waitingBytes;
    this.#waitingBytes = 0;
    if (bytes > 0) this.#exchange.consume(bytes);
  }
}
