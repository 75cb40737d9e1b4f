import type { Transport } from "@connectrpc/connect";
import { createDiscoveryResolver, type Registry } from "@tercel/discovery";
import { type ChannelOptions, type Clock, gzipCompression, type Log, type ServiceConfigJson } from "@tercel/grpc";
import type { MethodConfigJson } from "@tercel/grpc/naming";
import type { ClientStack } from "@tercel/interceptors/stack";
import type { DependencySection } from "../../config/index.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { clientTls } from "./client-tls.ts";

/** What every channel to another service shares. */
export interface ChannelParts {
  readonly registry: Registry | undefined;
  readonly interceptors: ClientStack["interceptors"];
  /** Where the dependency's entry says nothing about pings. */
  readonly keepalive: RunConfig["grpc"]["clientKeepalive"];
  readonly log: Log;
  readonly clock: Clock;
}

/** The target of a dependency: where its entry says, else its name at the discovery. */
export function targetOf({ name, version, target }: DependencySection): string {
  if (target !== undefined) return target;
  const query = version === undefined ? "" : `?version=${encodeURIComponent(version)}`;
  return `discovery:///${encodeURIComponent(name)}${query}`;
}

/** The options of the channel to a dependency: the retries, balancing and limits of its entry. Its deadline is `withDefaultTimeout`'s. */
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

/** The same way for calls that set no deadline: they get the one that is configured at the moment. */
export function withDefaultTimeout(transport: Transport, timeoutMs: () => number): Transport {
  return {
    unary: (method, signal, ownMs, ...rest) => transport.unary(method, signal, ownMs ?? timeoutMs(), ...rest),
    stream: (method, signal, ownMs, ...rest) => transport.stream(method, signal, ownMs ?? timeoutMs(), ...rest),
  };
}

/** Balancing, connections and retries as gRPC's service config says them. Pure. */
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
