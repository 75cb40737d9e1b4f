import { PreparedHeaders } from "@tercel/http2";

/**
 * The head of a response that is sent over and over, such as that of all calls of a method. Each version of HTTP keeps what it makes of it. The fields
 * say nothing of the body's length. Meant to be created once, not per response.
 */
export class PreparedHead {
  readonly status: number;
  /** Name, value, name, value, …; names in lower case. */
  readonly fields: readonly string[];
  /** As lines, for what sends it over HTTP/1.1. */
  http1Text: string | undefined = undefined;
  #http2: PreparedHeaders | undefined = undefined;

  constructor(status: number, fields: readonly string[]) {
    this.status = status;
    this.fields = fields;
  }

  get http2(): PreparedHeaders {
    this.#http2 ??= new PreparedHeaders([":status", String(this.status), ...this.fields]);
    return this.#http2;
  }
}
