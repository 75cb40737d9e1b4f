import { create } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthCheckResponse_ServingStatusSchema as ServingStatusSchema,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { Subchannel } from "./index.ts";
import { RetryingWatch, type WatchSettings } from "./retrying-watch.ts";

/** Whether a server that can be reached should get calls. */
export interface HealthReport {
  /** `connecting` while that is not known yet. */
  readonly state: "connecting" | "ready" | "transient_failure";
  /** Half a sentence that says why it is not `ready`. */
  readonly reason: string;
}

export type HealthListener = (report: HealthReport) => void;

const ready: HealthReport = { state: "ready", reason: "" };
const unknown: HealthReport = { state: "connecting", reason: "its health is not known yet" };

/**
 * Asks the server of a subchannel that is `ready` by `grpc.health.v1.Health/Watch` whether it serves `serviceName` (gRFC A17;
 * empty is the server as a whole). Until the first response the server counts as connecting. A server that does not
 * implement the health service counts as healthy. For any other end of the stream it counts as failing until the next stream
 * says more. The listener is called with the current health before this returns; the returned function ends the watch.
 */
export function watchHealth(
  settings: WatchSettings,
  serviceName: string,
  subchannel: Subchannel,
  listener: HealthListener,
): () => void {
  const request = create(HealthCheckRequestSchema, { service: serviceName });
  const watch = new RetryingWatch(settings, subchannel, Health.method.watch, request, {
    onMessage: (message) => listener(reportOf((message as HealthCheckResponse).status, serviceName)),
    onInterrupted: (error) => listener({ state: "transient_failure", reason: describeEnd(error) }),
    onRetry: () => listener(unknown),
    onUnimplemented: () => {
      settings.onHealthUnimplemented?.(subchannel);
      listener(ready);
    },
  });
  watch.start();
  listener(unknown);
  return () => watch.stop();
}

function reportOf(status: ServingStatus, serviceName: string): HealthReport {
  if (status === ServingStatus.SERVING) return ready;
  const name = ServingStatusSchema.value[status]?.name ?? `status ${status}`;
  const of = serviceName === "" ? "" : ` for ${serviceName}`;
  return { state: "transient_failure", reason: `its health service says ${name}${of}` };
}

function describeEnd(error: ConnectError | undefined): string {
  return `its health service ended the watch: ${error?.message ?? "without an error"}`;
}
