import type { Transport } from "@connectrpc/connect";
import { createDiscoveryResolver, type Registry } from "@tercel/discovery";
import { type ChannelOptions, type Clock, gzipCompression, type Log, type ServiceConfigJson } from "@tercel/grpc";
import type { MethodConfigJson } from "@tercel/grpc/naming";
import type { ClientStack } from "@tercel/interceptors/stack";
import type { DependencySection } from "../../config/index.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { clientTls } from "./client-tls.ts";

/** Common parts of the channels to other services. */
export interface ChannelParts {
  readonly registry: Registry | undefined;
  readonly interceptors: ClientStack["interceptors"];
  /** Keepalive for dependencies whose entry does not set it. */
  readonly keepalive: RunConfig["grpc"]["clientKeepalive"];
  readonly log: Log;
  readonly clock: Clock;
}

/** Returns the target of a dependency: of its entry, else its name in discovery. */
export function targetOf({ name, version, target }: DependencySection): string {
  if (target !== undefined) return target;
  const query = version === undefined ? "" : `?version=${encodeURIComponent(version)}`;
  return `discovery:///${encodeURIComponent(name)}${query}`;
}

/** Returns the options of the channel to a dependency: retries, balancing and limits of its entry. `withDefaultTimeout` sets the deadline. */
export function dependencyChannelOptions(
  dependency: DependencySection,
  { registry, interceptors, keepalive: ownKeepalive, log, clock }: ChannelParts,
): ChannelOptions {
  const { tls, keepalive = ownKeepalive, compression, pool } = dependency;
  return {
    interceptors,
    log,
    clock,
    resolvers: registry === undefined ? [] : [createDiscoveryResolver(registry)],
    waitForReady: dependency.waitForReady,
    maxReceiveMessageBytes: dependency.maxReceiveMessageBytes,
    maxSendMessageBytes: dependency.maxSendMessageBytes,
    idleTimeoutMs: pool.idleTimeoutMs,
    serviceConfig: serviceConfigOf(dependency),
    ...(keepalive !== undefined && { keepalive }),
    ...(compression?.enabled === true && { sendCompression: gzipCompression, compressMinBytes: compression.minBytes }),
    ...(tls?.enabled === true && { tls: clientTls(tls) }),
  };
}

/** Wraps a transport: calls without a deadline get the currently configured one. */
export function withDefaultTimeout(transport: Transport, timeoutMs: () => number): Transport {
  return {
    unary: (method, signal, ownMs, ...rest) => transport.unary(method, signal, ownMs ?? timeoutMs(), ...rest),
    stream: (method, signal, ownMs, ...rest) => transport.stream(method, signal, ownMs ?? timeoutMs(), ...rest),
  };
}

/** Converts balancing, connections and retries to gRPC's service config. */
export function serviceConfigOf({ loadBalancing, pool, retry }: DependencySection): ServiceConfigJson {
  const methodConfig: MethodConfigJson[] =
    retry === undefined
      ? []
      : [
          {
            name: [{}],
            retryPolicy: {
              maxAttempts: retry.maxAttempts,
              initialBackoff: secondsText(retry.initialBackoffMs),
              maxBackoff: secondsText(retry.maxBackoffMs),
              backoffMultiplier: retry.backoffMultiplier,
              retryableStatusCodes: retry.codes,
            },
          },
        ];
  return {
    loadBalancingConfig: [{ [loadBalancing]: {} }],
    connectionScaling: { maxConnectionsPerSubchannel: pool.maxConnections },
    methodConfig,
  };
}

function secondsText(ms: number): string {
  return `${ms / 1000}s`;
}
