import type { DescMethod } from "@bufbuild/protobuf";
import type { Attributes } from "@opentelemetry/api";
import { isErrorFor, splitAddress } from "../call/conventions.ts";
import { methodPath } from "../call/method-path.ts";
import type { Side } from "../call/observe-calls.ts";
import { type Status, statusName } from "../call/status-name.ts";

/** The attributes of a method's measurements. */
export interface MethodAttributes {
  /** gRPC's attributes for started calls and attempts. */
  readonly begun: Attributes;
  /** gRPC's attributes for ended calls and attempts. */
  ended(status: Status): Attributes;
  /** OpenTelemetry's attributes for ended calls. */
  endedCall(status: Status): Attributes;
}

/** Returns the attributes of a method. Undefined stands for all unknown methods. */
export type AttributesOf = (method: DescMethod | undefined) => MethodAttributes;

interface CommonAttributes {
  readonly side: Side;
  readonly grpc: Attributes;
  readonly opentelemetry: Attributes;
}

/** Returns a function for attributes, which are created once for each method and status. */
export function createServerAttributes(): AttributesOf {
  return createAttributes({ side: "server", grpc: {}, opentelemetry: {} });
}

/** @param authority `host:port` of the server */
export type ClientAttributesOf = (
  target: string | undefined,
  authority: string | undefined,
  method: DescMethod,
) => MethodAttributes;

/** @param given replaces every target and server */
export function createClientAttributes(given: string | undefined): ClientAttributesOf {
  // One entry for each target of the channels that share the interceptor: usually one.
  const byTarget = new Map<string | undefined, AttributesOf>();
  return (ofChannel, authority, method) => {
    const target = given ?? ofChannel;
    const key = target ?? authority;
    let attributesOf = byTarget.get(key);
    if (attributesOf === undefined) {
      attributesOf = createAttributes({
        side: "client",
        grpc: target === undefined ? {} : { "grpc.target": target },
        opentelemetry: given === undefined ? serverOf(authority) : {},
      });
      byTarget.set(key, attributesOf);
    }
    return attributesOf(method);
  };
}

function serverOf(authority: string | undefined): Attributes {
  if (authority === undefined || authority === "") return {};
  const [host, port] = splitAddress(authority);
  return { "server.address": host, ...(port !== undefined && { "server.port": port }) };
}

function createAttributes(common: CommonAttributes): AttributesOf {
  const known = new WeakMap<DescMethod, MethodAttributes>();
  const other = attributesOfMethod(common, "other", "_OTHER");
  return (method) => {
    if (method === undefined) return other;
    let found = known.get(method);
    if (found === undefined) {
      const path = methodPath({ service: method.parent, method });
      found = attributesOfMethod(common, path, path);
      known.set(method, found);
    }
    return found;
  };
}

function attributesOfMethod(
  { side, grpc, opentelemetry }: CommonAttributes,
  ofGrpc: string,
  name: string,
): MethodAttributes {
  const begun = { ...grpc, "grpc.method": ofGrpc };
  const call = { ...opentelemetry, "rpc.system.name": "grpc", "rpc.method": name };
  return {
    begun,
    ended: oncePerStatus((status) => ({ ...begun, "grpc.status": statusName(status) })),
    endedCall: oncePerStatus((status) => ({
      ...call,
      "rpc.response.status_code": statusName(status),
      ...(isErrorFor(side, status) && { "error.type": statusName(status) }),
    })),
  };
}

function oncePerStatus(make: (status: Status) => Attributes): (status: Status) => Attributes {
  const kept: (Attributes | undefined)[] = [];
  return (status) => {
    const found = status <= 16 ? kept[status] : undefined;
    if (found !== undefined) return found;
    const made = make(status);
    if (status <= 16) kept[status] = made;
    return made;
  };
}
