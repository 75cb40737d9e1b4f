import { createClient, type Transport } from "@connectrpc/connect";
import {
  HealthCheckResponse_ServingStatus,
  HealthCheckResponse_ServingStatusSchema,
  Health as HealthService,
} from "../../gen/grpc/health/v1/health_pb.ts";

/**
 * A check for another service, by its own grpc.health.v1: `{ name: "order-service", check: askHealth(channel, "order.v1.OrderService") }`.
 * Without a name it checks the server as a whole.
 */
export function askHealth(transport: Transport, service = ""): (signal: AbortSignal) => Promise<void> {
  const client = createClient(HealthService, transport);
  return async (signal) => {
    const { status } = await client.check({ service }, { signal });
    if (status === HealthCheckResponse_ServingStatus.SERVING) return;
    throw new Error(
      `${service === "" ? "the server" : service} says ${HealthCheckResponse_ServingStatusSchema.value[status]?.name ?? status}`,
    );
  };
}
