import { Code, type ConnectError } from "@connectrpc/connect";

/** No daemon answers at the address. The cause says why. */
export class NotReachable extends Error {
  readonly address: string;

  constructor(address: string, timeoutMs: number, cause: ConnectError) {
    const why = cause.code === Code.DeadlineExceeded ? `no response within ${timeoutMs} ms` : cause.rawMessage;
    super(`no daemon answers at ${address}: ${why}; start one with "wimguard server"`, { cause });
    this.name = "NotReachable";
    this.address = address;
  }
}

/** A daemon answers and takes no calls: it is starting or stopping. */
export class NotServing extends Error {
  readonly address: string;

  constructor(address: string) {
    super(`the daemon at ${address} is not serving: it is starting or stopping; repeat this in a moment`);
    this.name = "NotServing";
    this.address = address;
  }
}
