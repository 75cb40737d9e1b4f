import { Code, type ConnectError } from "@connectrpc/connect";

/** Thrown when no daemon responds at the address. The cause has the reason. */
export class NotReachable extends Error {
  readonly address: string;

  constructor(address: string, timeoutMs: number, cause: ConnectError) {
    const why = cause.code === Code.DeadlineExceeded ? `no response within ${timeoutMs} ms` : cause.rawMessage;
    super(`cannot reach a daemon at ${address}: ${why}; start one with "wimguard server"`, { cause });
    this.name = "NotReachable";
    this.address = address;
  }
}

/** Thrown when a daemon responds but is starting or stopping. */
export class NotServing extends Error {
  readonly address: string;

  constructor(address: string) {
    super(`the daemon at ${address} is not serving: it is starting or stopping; try again in a moment`);
    this.name = "NotServing";
    this.address = address;
  }
}
