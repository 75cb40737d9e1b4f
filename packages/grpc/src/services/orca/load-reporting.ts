import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { OrcaLoadReport } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { OpenRcaService, type OrcaLoadReportRequest } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../../options/check-options.ts";
import { type Clock, pause, systemClock } from "../../time/clock.ts";
import { recordedCallMetrics, writeCallMetrics } from "./call-metrics.ts";
import { type LoadMetrics, overlaid, toReport } from "./load-metrics.ts";

export interface LoadReportingOptions {
  /** Streams of reports send no more often than this, whatever interval their client requests. Default 30,000, as in grpc-go. */
  minIntervalMs?: number;
  /** For tests. */
  clock?: Clock;
}

/** Reports the load of a whole server to balancers that weigh servers by it (gRFC A51 and A58). */
export interface LoadReporting {
  /** Lays these metrics over those that were set before; `undefined` takes one back. */
  update(metrics: LoadMetrics): void;
  /** Forgets what was set before, and sets these. */
  replace(metrics: LoadMetrics): void;
  /** Adds the server's metrics to the trailers of every call that succeeds; what the call itself recorded wins. */
  readonly interceptor: Interceptor;
  /** The descriptor of xds.service.orca.v3.OpenRcaService, for clients that watch a server's load without calling it. */
  readonly service: typeof OpenRcaService;
  /** Registers OpenRcaService with a router. */
  readonly routes: (router: ConnectRouter) => void;
}

const defaultMinIntervalMs = 30_000;

/**
 * Creates the two ways to report a server's load: a service with streams, and an interceptor that adds it to trailers.
 *
 * @throws TypeError for an unknown option, RangeError for an interval that is not a whole number of at least 1
 */
export function createLoadReporting(options: LoadReportingOptions = {}): LoadReporting {
  const where = "createLoadReporting";
  refuseUnknownOptions(where, options, ["minIntervalMs", "clock"]);
  checkWholeNumber(where, "minIntervalMs", options.minIntervalMs, 1, Number.MAX_SAFE_INTEGER);
  const minIntervalMs = options.minIntervalMs ?? defaultMinIntervalMs;
  const clock = options.clock ?? systemClock;
  let metrics: LoadMetrics = {};

  async function* report(request: OrcaLoadReportRequest, signal: AbortSignal): AsyncGenerator<OrcaLoadReport> {
    const intervalMs = Math.max(minIntervalMs, requestedMs(request));
    while (!signal.aborted) {
      // What a single call has cost is nothing that a server has.
      yield toReport({ ...metrics, requestCost: undefined });
      await pause(clock, intervalMs, signal);
    }
  }

  return {
    update(given) {
      metrics = overlaid(metrics, given);
    },
    replace(given) {
      metrics = given;
    },
    interceptor: (next) => async (request) => {
      const response = await next(request);
      const write = (): void => {
        writeCallMetrics(response.trailer, overlaid(metrics, recordedCallMetrics(request.contextValues)));
      };
      if (response.stream) return { ...response, message: andThen(response.message, write) };
      write();
      return response;
    },
    service: OpenRcaService,
    routes(router) {
      router.service(OpenRcaService, { streamCoreMetrics: (request, context) => report(request, context.signal) });
    },
  };
}

function requestedMs(request: OrcaLoadReportRequest): number {
  const { reportInterval } = request;
  return reportInterval === undefined ? 0 : Number(reportInterval.seconds) * 1000 + reportInterval.nanos / 1e6;
}

async function* andThen<T>(messages: AsyncIterable<T>, run: () => void): AsyncGenerator<T> {
  yield* messages;
  run();
}
