import { Code, ConnectError } from "@connectrpc/connect";
import { validateTrailer } from "@connectrpc/connect/protocol-grpc";
import { formatFieldBlock, parseFieldBlock } from "../rules/field-block.ts";
import { pauseFor } from "./network.ts";

const subprotocol = "tercel.v1+proto";
const headFlag = 0x40;
const trailerFlag = 0x80;
const prefixBytes = 5;

/** The maximum number of bytes that the browser may buffer before the messages of a call wait. */
const maxUnsentBytes = 1024 * 1024;
/** How often to check the buffer, because WebSockets have no event for it. */
const unsentCheckMs = 20;

interface Frame {
  readonly flag: number;
  readonly payload: Uint8Array;
}

/** One call over its own WebSocket. */
export class SocketCallClient {
  readonly #socket: WebSocket;
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #frames: Frame[] = [];
  /** Why the connection has ended; undefined before that. */
  #ended: ConnectError | undefined = undefined;
  #wake: (() => void) | undefined = undefined;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
    const socket = new WebSocket(url, [subprotocol]);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#onMessage(data));
    // Browsers hide the reason, so that pages cannot scan a network.
    socket.addEventListener("close", ({ code }) => {
      const text = `the WebSocket to ${this.#url} was closed (${code}) before the call ended`;
      this.#end(new ConnectError(text, Code.Unavailable));
    });
    const onAbort = (): void => {
      this.#end(ConnectError.from(signal.reason, Code.Canceled));
      socket.close();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }

  /** Opens the connection, and sends the headers, then messages as they arrive. Resolves with the response headers. */
  async start(header: Headers, messages: AsyncIterable<Uint8Array>): Promise<Headers> {
    await this.#whenOpen();
    const fields: string[] = [];
    header.forEach((value, name) => {
      if (!ofRequest.has(name)) fields.push(name, value);
    });
    this.#send(headFlag, formatFieldBlock(fields));
    this.#sendAll(messages).catch((error: unknown) => {
      this.#end(ConnectError.from(error, Code.Internal));
      this.#socket.close();
    });
    const { flag, payload } = await this.#next();
    if (flag !== headFlag) throw this.#broken("the headers are missing");
    return this.#toHeaders(payload);
  }

  /** Yields the payloads of the messages, and sets the trailers at the end. Throws the call's error. */
  async *read(header: Headers, trailer: Headers): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        const { flag, payload } = await this.#next();
        if (flag === 0) yield payload;
        else if (flag === trailerFlag) {
          this.#toHeaders(payload).forEach((value, name) => {
            trailer.set(name, value);
          });
          validateTrailer(trailer, header);
          return;
        } else throw this.#broken(`a message with the flag ${flag}`);
      }
    } finally {
      this.#end(new ConnectError("the call has ended", Code.Canceled));
      this.#socket.close();
    }
  }

  async #sendAll(messages: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const message of messages) {
      while (this.#socket.bufferedAmount > maxUnsentBytes) await pauseFor(unsentCheckMs, this.#signal);
      if (this.#ended !== undefined) return;
      this.#send(0, message);
    }
    // An empty message ends the requests.
    if (this.#ended === undefined) this.#socket.send(new Uint8Array(0));
  }

  #send(flag: number, payload: Uint8Array): void {
    const frame = new Uint8Array(prefixBytes + payload.length);
    frame[0] = flag;
    new DataView(frame.buffer).setUint32(1, payload.length);
    frame.set(payload, prefixBytes);
    this.#socket.send(frame);
  }

  async #whenOpen(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#socket.addEventListener("open", () => resolve(), { once: true });
      });
    }
    if (this.#ended !== undefined) throw this.#ended;
  }

  async #next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#ended !== undefined) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Each message of the server is one frame. */
  #onMessage(data: unknown): void {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0);
    const announced = bytes.length < prefixBytes ? -1 : new DataView(bytes.buffer).getUint32(1);
    if (announced !== bytes.length - prefixBytes) {
      this.#end(this.#broken("a message that is not a frame"));
      this.#socket.close();
      return;
    }
    this.#frames.push({ flag: bytes[0] as number, payload: bytes.subarray(prefixBytes) });
    this.#wakeReader();
  }

  /** Only the first reason is kept. */
  #end(reason: ConnectError): void {
    this.#ended ??= reason;
    this.#wakeReader();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #toHeaders(payload: Uint8Array): Headers {
    const fields = parseFieldBlock(payload);
    if ("problem" in fields) throw this.#broken(fields.problem);
    const headers = new Headers();
    for (let at = 0; at < fields.length; at += 2) headers.append(fields[at] as string, fields[at + 1] as string);
    return headers;
  }

  #broken(problem: string): ConnectError {
    return new ConnectError(`the server at ${this.#url} broke the protocol: ${problem}`, Code.Internal);
  }
}

/** Headers of gRPC over HTTP/2 that have no meaning here. */
const ofRequest: ReadonlySet<string> = new Set(["content-type", "te", "user-agent"]);
