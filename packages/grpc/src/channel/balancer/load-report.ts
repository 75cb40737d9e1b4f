import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { decodeBinaryValue, isBinaryValue } from "../../protocol/metadata-field.ts";
import type { CallOutcome, LoadReport } from "./index.ts";

/** The trailer in which a server sends its load with each call (gRFC A51). */
const trailerName = "endpoint-load-metrics-bin";

/** The load report in a call's trailers; undefined where it is missing or cannot be read. */
export function readLoadReport(outcome: CallOutcome): LoadReport | undefined {
  const value = outcome.trailer(trailerName);
  if (value === null || !isBinaryValue(value)) return undefined;
  try {
    return decodeLoadReport(decodeBinaryValue(value.split(",", 1)[0] ?? ""));
  } catch {
    // The peer wrote it: a call must not fail because of it.
    return undefined;
  }
}

/**
 * Reads of an xds.data.orca.v3.OrcaLoadReport what balancers use. Not by its descriptor: that would be loaded by every client, and decoding by
 * reflection costs several times as much for each call.
 */
function decodeLoadReport(bytes: Uint8Array): LoadReport {
  const reader = new BinaryReader(bytes);
  const report = { cpuUtilization: 0, rpsFractional: 0, eps: 0, applicationUtilization: 0 };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== WireType.Bit64) reader.skip(type, field);
    else if (field === 1) report.cpuUtilization = reader.double();
    else if (field === 6) report.rpsFractional = reader.double();
    else if (field === 7) report.eps = reader.double();
    else if (field === 9) report.applicationUtilization = reader.double();
    else reader.skip(type, field);
  }
  return report;
}
