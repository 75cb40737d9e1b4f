import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { OrcaLoadReport } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { OpenRcaService, OrcaLoadReportRequestSchema } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import type { Subchannel } from "./index.ts";
import { RetryingWatch, type WatchSettings } from "./retrying-watch.ts";

/**
 * Asks the server of a subchannel that is `ready` by `xds.service.orca.v3.OpenRcaService/StreamCoreMetrics` to report its load
 * this often (gRFC A51). A server that does not implement it is not called again. The returned function ends the watch.
 */
export function watchLoad(
  settings: WatchSettings,
  subchannel: Subchannel,
  intervalMs: number,
  listener: (report: OrcaLoadReport) => void,
): () => void {
  const request = create(OrcaLoadReportRequestSchema, { reportInterval: durationFromMs(intervalMs) });
  const watch = new RetryingWatch(settings, subchannel, OpenRcaService.method.streamCoreMetrics, request, {
    onMessage: (message) => listener(message as OrcaLoadReport),
  });
  watch.start();
  return () => watch.stop();
}
