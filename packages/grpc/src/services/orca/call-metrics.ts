import {
  type ContextValues,
  createContextKey,
  decodeBinaryHeader,
  encodeBinaryHeader,
  type HandlerContext,
} from "@connectrpc/connect";
import { type OrcaLoadReport, OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { type LoadMetrics, overlaid, toReport } from "./load-metrics.ts";

/** Where a call's report travels, in its trailers (gRFC A51). */
const trailerName = "endpoint-load-metrics-bin";

const recorded = createContextKey<LoadMetrics>({}, { description: "what this call has recorded of the server's load" });

/**
 * Records what this call has cost, or how the server's load looks from it. The report goes to the client in the call's
 * trailers, whatever the call's status; a later record is laid over the earlier ones.
 */
export function recordCallMetrics(context: HandlerContext, metrics: LoadMetrics): void {
  const all = overlaid(context.values.get(recorded), metrics);
  context.values.set(recorded, all);
  writeCallMetrics(context.responseTrailer, all);
}

/** The report in a response's trailers; undefined when it is missing or cannot be read. */
export function readCallMetrics(trailer: Headers): OrcaLoadReport | undefined {
  const value = trailer.get(trailerName);
  if (value === null) return undefined;
  try {
    return decodeBinaryHeader(value, OrcaLoadReportSchema);
  } catch {
    // A server's slip in its statistics says nothing of the call.
    return undefined;
  }
}

export function writeCallMetrics(trailer: Headers, metrics: LoadMetrics): void {
  trailer.set(trailerName, encodeBinaryHeader(toReport(metrics), OrcaLoadReportSchema));
}

/** What `recordCallMetrics` has recorded for the call that these values belong to. */
export function recordedCallMetrics(values: ContextValues): LoadMetrics {
  return values.get(recorded);
}
