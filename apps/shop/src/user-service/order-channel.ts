import { createDiscoveryResolver, type Registry as InstanceRegistry } from "@tercel/discovery";
import { type Channel, createChannel, type ServiceConfigJson } from "@tercel/grpc";
import { createClientDeadline } from "@tercel/interceptors/deadline";
import { createClientMetrics, type Registry as MetricsRegistry } from "@tercel/interceptors/metrics";
import { createClientRequestId } from "@tercel/interceptors/request-id";
import { createClientTracing } from "@tercel/interceptors/tracing";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";

/**
 * Calls go round all instances; one that an instance took down with it goes to the next. Repeating CreateOrder is safe because
 * every order that this service places has a request id.
 */
const serviceConfig: ServiceConfigJson = {
  loadBalancingConfig: [{ round_robin: {} }],
  healthCheckConfig: { serviceName: OrderService.typeName },
  methodConfig: [
    {
      name: [{ service: OrderService.typeName }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.02s",
        maxBackoff: "0.2s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};

/** Opens the channel to order-service. Calls carry the request id, the trace and the remaining time of the call they are made for. */
export function openOrderChannel(
  address: string,
  instances: InstanceRegistry | undefined,
  metrics: MetricsRegistry,
): Channel {
  return createChannel(address, {
    resolvers: instances === undefined ? [] : [createDiscoveryResolver(instances)],
    serviceConfig,
    interceptors: [
      createClientRequestId(),
      createClientMetrics({ registry: metrics }),
      createClientTracing(),
      createClientDeadline(),
    ],
  });
}
