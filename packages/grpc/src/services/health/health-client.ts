import { type CallOptions, Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createClient } from "../../channel/create-client.ts";
import {
  type HealthCheckResponse_ServingStatus,
  HealthCheckResponse_ServingStatusSchema,
  Health as HealthService,
} from "../../gen/grpc/health/v1/health_pb.ts";

/** What a server says of a service; `SERVICE_UNKNOWN` where it does not have it. */
export type ReportedStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

/** A client of a server's health service (grpc.health.v1.Health). An empty name is the server as a whole. */
export interface HealthClient {
  /** Returns the status of a service now. */
  check(service: string, options?: CallOptions): Promise<ReportedStatus>;
  /** Yields the status of a service now and after each change, until the loop is left. */
  watch(service: string, options?: CallOptions): AsyncIterable<ReportedStatus>;
  /** Returns the status of all services by their names, at most 100 of them. Servers older than 2024 do not have it (Unimplemented). */
  list(options?: CallOptions): Promise<ReadonlyMap<string, ReportedStatus>>;
}

export function createHealthClient(transport: Transport): HealthClient {
  const client = createClient(HealthService, transport);
  return {
    async check(service, options) {
      try {
        return statusName((await client.check({ service }, options)).status);
      } catch (error) {
        if (error instanceof ConnectError && error.code === Code.NotFound) return "SERVICE_UNKNOWN";
        throw error;
      }
    },
    async *watch(service, options) {
      for await (const { status } of client.watch({ service }, options)) yield statusName(status);
    },
    async list(options) {
      const { statuses } = await client.list({}, options);
      return new Map(Object.entries(statuses).map(([name, { status }]) => [name, statusName(status)]));
    },
  };
}

function statusName(status: HealthCheckResponse_ServingStatus): ReportedStatus {
  return (HealthCheckResponse_ServingStatusSchema.value[status]?.name ?? "UNKNOWN") as ReportedStatus;
}
