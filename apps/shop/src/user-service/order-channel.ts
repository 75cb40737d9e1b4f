import { createDiscoveryResolver, type Registry as InstanceRegistry } from "@tercel/discovery";
import { type Channel, createChannel, type ServiceConfigJson } from "@tercel/grpc";
import type { Registry as MetricsRegistry } from "@tercel/interceptors/metrics";
import type { ServiceKeySource } from "@tercel/interceptors/service-key";
import { createClientStack } from "@tercel/interceptors/stack";
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

/** Who calls, and what the calls are to be seen in. */
export interface OrderChannelParts {
  /** Where instances are found by their name; undefined where there is only an address. */
  readonly instances: InstanceRegistry | undefined;
  readonly metrics: MetricsRegistry;
  /** The key by which order-service knows this service. */
  readonly key: ServiceKeySource;
  /** Whether it may go to another machine without TLS. */
  readonly isCleartextFine: boolean;
}

/**
 * Opens the channel to order-service. Calls carry this service's key, and the request id, the trace and the remaining time of the call
 * they are made for.
 */
export async function openOrderChannel(
  address: string,
  { instances, metrics, key, isCleartextFine }: OrderChannelParts,
): Promise<Channel> {
  // Request ids, tracing and deadlines are on by default.
  const { interceptors } = await createClientStack({
    metrics: { registry: metrics },
    serviceKey: { key, allowCleartext: isCleartextFine },
  });
  return createChannel(address, {
    resolvers: instances === undefined ? [] : [createDiscoveryResolver(instances)],
    serviceConfig,
    interceptors,
  });
}
