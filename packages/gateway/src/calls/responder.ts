import { type HttpExchange, type HttpRequestHead, type Payload, PreparedHead } from "@tercel/grpc/protocols";

/** What is sent with every response of a request: CORS, and no guessing of content types. */
export interface ResponseExtras {
  /** Name, value, name, value, … */
  readonly fields: readonly string[];
  /** Adds what depends on the names that the response carries. */
  exposed(names: readonly string[]): readonly string[];
}

export const noExtras: ResponseExtras = { fields: [], exposed: () => [] };

/** Sent with every response: browsers must not take a body for something else than its type says. */
const noGuessing: readonly string[] = ["x-content-type-options", "nosniff"];

/** A head that `sendPrepared` sends. */
export function prepareHead(status: number, fields: readonly string[]): PreparedHead {
  return new PreparedHead(status, [...fields, ...noGuessing]);
}

/** Sends one response on an exchange. */
export class Responder {
  readonly head: HttpRequestHead;
  readonly exchange: HttpExchange;
  readonly #extras: ResponseExtras;
  #isHeadSent = false;
  #isOver = false;

  constructor(exchange: HttpExchange, extras: ResponseExtras) {
    this.exchange = exchange;
    this.head = exchange.head;
    this.#extras = extras;
  }

  get isHeadSent(): boolean {
    return this.#isHeadSent;
  }

  /** The response is complete, or was cut off. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the response says the same to each client that sent the same request. */
  get isPlain(): boolean {
    return this.#extras === noExtras;
  }

  sendHead(status: number, fields: readonly string[]): void {
    this.#isHeadSent = true;
    const own = [...fields, ...noGuessing];
    this.exchange.sendHead(status, this.#extras === noExtras ? own : this.#withExtras(own));
  }

  /** A head that `prepareHead` has made, and fields that are added to it. */
  sendPrepared(head: PreparedHead, added: readonly string[]): void {
    this.#isHeadSent = true;
    if (this.#extras === noExtras) this.exchange.sendPreparedHead(head, added);
    else this.exchange.sendHead(head.status, this.#withExtras([...head.fields, ...added]));
  }

  #withExtras(fields: readonly string[]): string[] {
    const names = fields.filter((name, at) => at % 2 === 0 && name !== noGuessing[0]);
    return [...fields, ...this.#extras.fields, ...this.#extras.exposed(names)];
  }

  /** False: wait for `onWritable`. A response to HEAD has no data. */
  sendData(bytes: Uint8Array): boolean {
    if (this.head.method === "HEAD" || bytes.length === 0) return true;
    return this.exchange.sendData(bytes);
  }

  /** A message with the five bytes before it. False: wait for `onWritable`. */
  sendMessage(payload: Payload): boolean {
    return this.exchange.sendMessage(payload);
  }

  /** The response is complete, with these bytes as its last. */
  end(last?: Uint8Array): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (last === undefined || this.head.method === "HEAD") this.exchange.end();
    else this.exchange.end(last);
  }

  /** Ends a response that cannot be completed. */
  reset(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.exchange.reset();
  }

  /** A whole response with a prepared head. */
  sendWhole(head: PreparedHead, added: readonly string[], body: Uint8Array): void {
    this.sendPrepared(head, ["content-length", String(body.length), ...added]);
    this.end(body);
  }

  /** A whole response. */
  send(status: number, fields: readonly string[], body: Uint8Array): void {
    this.sendHead(status, [...fields, "content-length", String(body.length)]);
    this.end(body);
  }
}
