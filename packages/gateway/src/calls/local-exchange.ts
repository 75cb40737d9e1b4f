import type { ClientTls } from "@tercel/grpc";
import {
  frameMessage,
  type HttpExchange,
  type HttpExchangeListener,
  type HttpRequestHead,
  type Payload,
  type PreparedHead,
} from "@tercel/grpc/protocols";

/** The response on an exchange without a connection. */
export interface LocalResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

/** A request that this process makes for a client: it has the client's address and certificate, and its response stays in this process. */
export class LocalExchange implements HttpExchange {
  readonly head: HttpRequestHead;
  readonly peerAddress: string | undefined;
  readonly peerTls: ClientTls | undefined;
  readonly countsCalls = false;
  listener: HttpExchangeListener | undefined = undefined;
  /** Rejects when the response is cut off. */
  readonly response: Promise<LocalResponse>;
  readonly #chunks: Uint8Array[] = [];
  #status = 0;
  #isEnded = false;
  #resolve!: (response: LocalResponse) => void;
  #reject!: (error: Error) => void;

  constructor(head: HttpRequestHead, client: Pick<HttpExchange, "peerAddress" | "peerTls">) {
    this.head = head;
    this.peerAddress = client.peerAddress;
    this.peerTls = client.peerTls;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Passes the whole body to the listener, which must have been set. */
  start(body: Uint8Array): void {
    this.listener?.onData(body);
    if (!this.#isEnded) this.listener?.onEnd();
  }

  /** Cancels the request, because its client has disconnected. */
  cancel(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.listener?.onClose("the client has left");
    this.#reject(new Error("the client has left"));
  }

  sendHead(status: number): void {
    this.#status = status;
  }

  sendPreparedHead({ status }: PreparedHead): void {
    this.#status = status;
  }

  sendData(bytes: Uint8Array): boolean {
    this.#chunks.push(bytes);
    return true;
  }

  sendMessage(payload: Payload): boolean {
    return this.sendData(frameMessage(payload));
  }

  end(last?: Uint8Array): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (last !== undefined) this.#chunks.push(last);
    this.#resolve({ status: this.#status, body: Buffer.concat(this.#chunks) });
  }

  reset(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#reject(new Error("the response was cut off"));
  }

  admit(): boolean {
    return true;
  }

  allowSlowBody(): void {}

  consume(): void {}

  lend(): void {}

  messageComplete(): void {}

  repay(): void {}

  handlerBegan(): void {}

  handlerEnded(): void {}
}
