import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { LinePace } from "@tercel/grpc/internal";
import { copyResponseFields } from "./forwarded-headers.ts";

const maxLinesPerSecond = 10;

/** What becomes of errors on their way from a service to a client. */
export class ForwardErrors {
  readonly #log: Log;
  readonly #pace = new LinePace(maxLinesPerSecond);

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * A status that the service has sent goes on as it is, with message, details and trailers. What the channel says itself names addresses of the
   * inner network: that is logged, and the client learns the code.
   */
  explain(thrown: unknown, method: DescMethod): unknown {
    if (!(thrown instanceof ConnectError)) return thrown;
    if (thrown.isWireError === true) return passOn(thrown);
    const name = `${method.parent.typeName}/${method.name}`;
    // The client's own doing: it has left, or its deadline has passed.
    const isClients = thrown.code === Code.Canceled || thrown.code === Code.DeadlineExceeded;
    if (!isClients && this.#pace.allows(performance.now())) {
      const suppressed = this.#pace.takeSuppressed();
      this.#log.warn("a call could not be forwarded", {
        ...{ method: name, error: thrown },
        ...(suppressed === 0 ? {} : { suppressed }),
      });
    }
    const text = isClients ? `the call of ${name} was ${textOf(thrown.code)}` : `${name} could not be called`;
    return new ConnectError(text, thrown.code, undefined, undefined, thrown);
  }
}

function textOf(code: Code): string {
  return code === Code.Canceled ? "cancelled" : "not answered within its deadline";
}

/** An error that came over the wire keeps its metadata to itself, unless it is a copy. */
function passOn(error: ConnectError): ConnectError {
  const metadata = new Headers();
  copyResponseFields(error.metadata, () => metadata);
  const copy = new ConnectError(error.rawMessage, error.code, metadata, undefined, error);
  copy.details = error.details;
  return copy;
}
