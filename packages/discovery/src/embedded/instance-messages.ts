import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Health, type Instance, InstanceSchema } from "../gen/tercel/discovery/v1/registry_pb.ts";
import { checkInstance, type InstanceHealth, type ServiceInstance } from "../port/instance.ts";

export function toMessage(instance: ServiceInstance): Instance {
  return create(InstanceSchema, {
    id: instance.id,
    name: instance.name,
    version: instance.version,
    address: instance.address,
    port: instance.port,
    metadata: Object.fromEntries(instance.metadata),
    endpoints: [...instance.endpoints],
    dependencies: [...instance.dependencies],
    health: healthNumbers[instance.health],
  });
}

export function fromMessage(message: Instance): ServiceInstance {
  return {
    id: message.id,
    name: message.name,
    version: message.version,
    address: message.address,
    port: message.port,
    metadata: new Map(Object.entries(message.metadata)),
    endpoints: message.endpoints,
    dependencies: message.dependencies,
    health: healthOf(message.health),
  };
}

/** Reads the instance of a register request. @throws ConnectError InvalidArgument that names the invalid field */
export function readInstance(message: Instance | undefined): ServiceInstance {
  if (message === undefined) throw new ConnectError("instance is missing", Code.InvalidArgument);
  const instance = fromMessage(message);
  try {
    checkInstance(instance);
  } catch (error) {
    throw new ConnectError((error as Error).message, Code.InvalidArgument, undefined, undefined, error);
  }
  return instance;
}

const healthNumbers = {
  unknown: Health.UNSPECIFIED,
  serving: Health.SERVING,
  not_serving: Health.NOT_SERVING,
} satisfies Record<InstanceHealth, Health>;

function healthOf(health: Health): InstanceHealth {
  if (health === Health.SERVING) return "serving";
  return health === Health.NOT_SERVING ? "not_serving" : "unknown";
}
