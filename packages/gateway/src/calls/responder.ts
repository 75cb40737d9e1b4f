import type { HttpExchange, HttpRequestHead } from "@tercel/grpc/protocols";

/** What is sent with every response of a request: CORS, and no guessing of content types. */
export interface ResponseExtras {
  /** Name, value, name, value, … */
  readonly fields: readonly string[];
  /** Adds what depends on the names that the response carries. */
  exposed(names: readonly string[]): readonly string[];
}

export const noExtras: ResponseExtras = { fields: [], exposed: () => [] };

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

  sendHead(status: number, fields: readonly string[]): void {
    this.#isHeadSent = true;
    const all = [...fields, "x-content-type-options", "nosniff"];
    if (this.#extras !== noExtras) {
      const names = fields.filter((_, at) => at % 2 === 0);
      all.push(...this.#extras.fields, ...this.#extras.exposed(names));
    }
    this.exchange.sendHead(status, all);
  }

  /** False: wait for `onWritable`. A response to HEAD has no data. */
  sendData(bytes: Uint8Array): boolean {
    if (this.head.method === "HEAD" || bytes.length === 0) return true;
    return this.exchange.sendData(bytes);
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

  /** A whole response. */
  send(status: number, fields: readonly string[], body: Uint8Array): void {
    this.sendHead(status, [...fields, "content-length", String(body.length)]);
    this.end(body);
  }
}
