import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { OnUnhandledCall } from "../../call/unhandled-call.ts";
import { LinePace, processPace } from "../../logging/line-pace.ts";
import type { Log } from "../../logging/log.ts";
import { printable } from "../../logging/printable.ts";
import { statusNames } from "../../protocol/status.ts";
import type { Clock } from "../../time/clock.ts";

/** Whoever calls methods that are not there may do so at any rate; the log is not to keep up with it. */
const maxLinesPerServer = 10;

/** A client that cancels, or whose deadline passes, before its call has begun is not a problem to log. */
const endsOfClients: ReadonlySet<Code> = new Set([Code.Canceled, Code.DeadlineExceeded]);

/** The call as it came. */
export interface UnhandledRequest {
  /** As the client wrote it. */
  readonly path: string;
  /** `host:port` of the client; undefined over Unix sockets and in memory. */
  readonly peer: string | undefined;
  /** Undefined for a method that the server does not have, and for requests that are not gRPC. */
  readonly method: DescMethod | undefined;
  /** The code that the client gets, or derives from the response. */
  readonly code: Code;
  readonly reason: string;
  readonly durationMs: number;
}

/**
 * Reports calls that reached neither interceptors nor a handler, which nothing else would log: the listener of each, the log in at most ten lines
 * a second for a server, as a warning, or at level debug where only the client went.
 */
export class UnhandledCalls {
  private readonly log: Log;
  private readonly listener: OnUnhandledCall | undefined;
  private readonly clock: Clock;
  private readonly shared: LinePace;
  private readonly warned = new LinePace(maxLinesPerServer);
  private readonly debugged = new LinePace(maxLinesPerServer);

  constructor(log: Log, listener: OnUnhandledCall | undefined, clock: Clock, shared: LinePace = processPace) {
    this.log = log;
    this.listener = listener;
    this.clock = clock;
    this.shared = shared;
  }

  /** Whether it matters how long such a call took. */
  get hasListener(): boolean {
    return this.listener !== undefined;
  }

  report(request: UnhandledRequest): void {
    const { method, code, durationMs } = request;
    try {
      this.listener?.({ method, code, durationMs });
    } catch {
      // An observer must not fail the connection whose reading calls it.
    }
    this.write(request);
  }

  private write({ path, peer, code, reason }: UnhandledRequest): void {
    const isEndOfClient = endsOfClients.has(code);
    const pace = isEndOfClient ? this.debugged : this.warned;
    const nowMs = this.clock.nowMs();
    if (!pace.allows(nowMs)) return;
    if (!isEndOfClient && !this.shared.allows(nowMs)) {
      pace.suppressed++;
      return;
    }
    const suppressed = pace.takeSuppressed();
    this.log[isEndOfClient ? "debug" : "warn"]("a call reached no handler", {
      // A gRPC path does not have a query; another request may have a secret there.
      path: printable(path.split("?", 1)[0] ?? ""),
      code: statusNames[code],
      reason: printable(reason),
      peer: peer === undefined ? undefined : printable(peer),
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  }
}
