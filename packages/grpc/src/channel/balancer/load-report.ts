import { fromBinary } from "@bufbuild/protobuf";
import { OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { decodeBinaryValue, isBinaryValue } from "../../protocol/metadata-field.ts";
import type { CallOutcome, LoadReport } from "./index.ts";

/** The trailer in which a server sends its load with each call (gRFC A51). */
const trailerName = "endpoint-load-metrics-bin";

/** The load report in a call's trailers; undefined where there is none or it cannot be read. */
export function readLoadReport(outcome: CallOutcome): LoadReport | undefined {
  const value = outcome.trailer(trailerName);
  if (value === null || !isBinaryValue(value)) return undefined;
  try {
    return fromBinary(OrcaLoadReportSchema, decodeBinaryValue(value.split(",", 1)[0] ?? ""));
  } catch {
    // It was the peer who wrote it: a call must not fail for it.
    return undefined;
  }
}
