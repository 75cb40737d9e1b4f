import { type HttpExchange, type HttpRequestHead, type Payload, PreparedHead } from "@tercel/grpc/protocols";

/** Fields that are added to every response of a request, such as those of CORS. */
export interface ResponseExtras {
  /** Name, value, name, value, … */
  readonly fields: readonly string[];
  /** Returns the fields that depend on the names of the response's fields. */
  exposed(names: readonly string[]): readonly string[];
}

export const noExtras: ResponseExtras = { fields: [], exposed: () => [] };

/** Sent with every response, so that browsers do not guess the content type. */
const noGuessing: readonly string[] = ["x-content-type-options", "nosniff"];

/** Creates a head for `sendPrepared`. */
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

  /** Whether the response has ended, or was reset. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the response is the same for all clients that send the same request. */
  get isPlain(): boolean {
    return this.#extras === noExtras;
  }

  sendHead(status: number, fields: readonly string[]): void {
    this.#isHeadSent = true;
    const own = [...fields, ...noGuessing];
    this.exchange.sendHead(status, this.#extras === noExtras ? own : this.#withExtras(own));
  }

  /** Sends a head from `prepareHead` with additional fields. */
  sendPrepared(head: PreparedHead, added: readonly string[]): void {
    this.#isHeadSent = true;
    if (this.#extras === noExtras) this.exchange.sendPreparedHead(head, added);
    else this.exchange.sendHead(head.status, this.#withExtras([...head.fields, ...added]));
  }

  #withExtras(fields: readonly string[]): string[] {
    const names = fields.filter((name, at) => at % 2 === 0 && name !== noGuessing[0]);
    return [...fields, ...this.#extras.fields, ...this.#extras.exposed(names)];
  }

  /** Sends data, except in a response to HEAD. Returns false if the caller must wait for `onWritable`. */
  sendData(bytes: Uint8Array): boolean {
    if (this.head.method === "HEAD" || bytes.length === 0) return true;
    return this.exchange.sendData(bytes);
  }

  /** Sends a message with its prefix of five bytes. Returns false if the caller must wait for `onWritable`. */
  sendMessage(payload: Payload): boolean {
    return this.exchange.sendMessage(payload);
  }

  /** Ends the response, with these bytes as its last. */
  end(last?: Uint8Array): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (last === undefined || this.head.method === "HEAD") this.exchange.end();
    else this.exchange.end(last);
  }

  /** Resets a response that cannot be completed. */
  reset(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.exchange.reset();
  }

  /** Sends a whole response with a prepared head. */
  sendWhole(head: PreparedHead, added: readonly string[], body: Uint8Array): void {
    this.sendPrepared(head, ["content-length", String(body.length), ...added]);
    this.end(body);
  }

  /** Sends a whole response. */
  send(status: number, fields: readonly string[], body: Uint8Array): void {
    this.sendHead(status, [...fields, "content-length", String(body.length)]);
    this.end(body);
  }
}
