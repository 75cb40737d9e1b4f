import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { clientConcern } from "./kit/providers/plan-needs.ts";
import type { Need } from "./provider.ts";

/** Where clients of other services come from. */
export interface ServiceClients {
  client<Service extends DescService>(descriptor: Service, service: string): Client<Service>;
}

/** A need for another service, which is known before anything opens. */
export interface ClientNeed<Service extends DescService> extends Need<Client<Service>, ServiceClients> {
  readonly descriptor: Service;
  /** The name under which the service is found. */
  readonly service: string;
}

/**
 * A need for a client of another service, found by its name at the configured discovery: `client(OrderService, "order-service")`. Version and whether the
 * service is required are set under `dependencies` in the configuration; without an entry every version is taken, and the service is optional.
 *
 * @throws TypeError for a service without a name
 */
export function client<Service extends DescService>(descriptor: Service, service: string): ClientNeed<Service> {
  if (descriptor?.kind !== "service") {
    throw new TypeError("client: the first argument must be a service, as protoc-gen-es generates it");
  }
  if (typeof service !== "string" || service === "") {
    throw new TypeError(
      `client: ${descriptor.typeName} needs the name under which it is found, such as "order-service"`,
    );
  }
  return {
    concern: clientConcern,
    descriptor,
    service,
    prepare: (clients) => ({ port: clients.client(descriptor, service) }),
  };
}

export function isClientNeed(need: Need<unknown>): need is ClientNeed<DescService> {
  return need.concern === clientConcern && "service" in need && "descriptor" in need;
}
