import type { HttpExchangeListener } from "@tercel/grpc/protocols";

/**
 * Decodes the body of gRPC-Web's text form on its way to a listener. Pieces of base64 may follow each other, each with its own padding, and chunks end
 * anywhere.
 */
export class Base64Decoding implements HttpExchangeListener {
  readonly #next: HttpExchangeListener;
  readonly #onInvalid: () => void;
  readonly #consume: (bytes: number) => void;
  /** Up to three characters of a group that is not complete. */
  #rest = "";
  #isBroken = false;

  constructor(next: HttpExchangeListener, consume: (bytes: number) => void, onInvalid: () => void) {
    this.#next = next;
    this.#consume = consume;
    this.#onInvalid = onInvalid;
  }

  onData(bytes: Uint8Array): void {
    const text = this.#rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const end = text.length - (text.length % 4);
    this.#rest = text.slice(end);
    const decoded = this.#isBroken ? undefined : decodeGroups(text.slice(0, end));
    // The listener accounts for what it is given: the difference is used up here.
    this.#consume(bytes.length - (decoded?.length ?? 0));
    if (decoded === undefined) this.#break();
    else if (decoded.length > 0) this.#next.onData(decoded);
  }

  onEnd(): void {
    if (this.#rest !== "") this.#break();
    else this.#next.onEnd();
  }

  onClose(reason: string): void {
    this.#next.onClose(reason);
  }

  onWritable(): void {
    this.#next.onWritable();
  }

  #break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#onInvalid();
  }
}

/** Whole groups of four characters. Undefined for what is not base64. */
function decodeGroups(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==))*$/.test(text)) return undefined;
  const pieces = text.match(/[^=]+=*/g) ?? [];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")));
}
