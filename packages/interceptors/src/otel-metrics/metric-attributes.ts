import type { DescMethod } from "@bufbuild/protobuf";
import type { Attributes } from "@opentelemetry/api";
import { isErrorFor, splitAddress } from "../call/conventions.ts";
import { methodPath } from "../call/method-path.ts";
import type { Side } from "../call/observe-calls.ts";
import { type Status, statusName } from "../call/status-name.ts";

/** The attributes of one method's measurements. */
export interface MethodAttributes {
  /** gRPC's, of what has begun. */
  readonly begun: Attributes;
  /** gRPC's, of what has ended. */
  ended(status: Status): Attributes;
  /** OpenTelemetry's, of a call that has ended. */
  endedCall(status: Status): Attributes;
}

/** Undefined stands for all methods that the server does not have. */
export type AttributesOf = (method: DescMethod | undefined) => MethodAttributes;

interface CommonAttributes {
  readonly side: Side;
  readonly grpc: Attributes;
  readonly opentelemetry: Attributes;
}

/** Attributes are made once for each method and status: the SDK compares their contents, and we need not make them again. */
export function createServerAttributes(): AttributesOf {
  return createAttributes({ side: "server", grpc: {}, opentelemetry: {} });
}

/** @param authority `host:port`, by which the server is called. */
export type ClientAttributesOf = (
  target: string | undefined,
  authority: string | undefined,
  method: DescMethod,
) => MethodAttributes;

/** @param given Stands for every target and server. */
export function createClientAttributes(given: string | undefined): ClientAttributesOf {
  // As many as the application gives the interceptor to channels of different targets: mostly one.
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
