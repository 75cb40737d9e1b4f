import { copyBytes } from "../../codec/wire/copy-bytes.ts";
import { Payload } from "../../protocol/payload.ts";

/**
 * The request of a method that takes one, compressed: it stays as it came until the client has ended the request. One that never ends must not
 * hold a thousand times what it sent.
 */
export class CompressedRequest {
  readonly #bytes: Uint8Array;

  constructor({ bytes, start, end, owned }: Payload) {
    this.#bytes = owned ? bytes.subarray(start, end) : copyBytes(bytes, start, end);
  }

  get payload(): Payload {
    return new Payload().whole(this.#bytes, true, true);
  }
}
