import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { LinePace } from "@tercel/grpc/internal";
import { copyResponseFields } from "./forwarded-headers.ts";

const maxLinesPerSecond = 10;

/** Converts the errors of forwarded calls for clients. */
export class ForwardErrors {
  readonly #log: Log;
  readonly #pace = new LinePace(maxLinesPerSecond);

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Returns the error for the client. A status from the service is passed on, with message, details and trailers. Errors of the channel
   * contain addresses of the internal network: they are logged, and the client gets only the code.
   */
  explain(thrown: unknown, method: DescMethod): unknown {
    if (!(thrown instanceof ConnectError)) return thrown;
    if (thrown.isWireError === true) return passOn(thrown);
    const name = `${method.parent.typeName}/${method.name}`;
    // Caused by the client: it has cancelled, or its deadline has passed.
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

/** Copies an error, because the metadata of a received error is not sent on. */
function passOn(error: ConnectError): ConnectError {
  const metadata = new Headers();
  copyResponseFields(error.metadata, () => metadata);
  const copy = new ConnectError(error.rawMessage, error.code, metadata, undefined, error);
  copy.details = error.details;
  return copy;
}
