import { createDiscoveryResolver, type Registry } from "@tercel/discovery";
import {
  type Channel,
  type ChannelOptions,
  type Clock,
  createChannel,
  gzipCompression,
  type Log,
  type MethodConfigJson,
  type ServiceConfigJson,
} from "@tercel/grpc";
import type { ClientStack } from "@tercel/interceptors/stack";
import type { DependencySection } from "../config/index.ts";
import { clientTls } from "./client-tls.ts";

/** What every channel to another service shares. */
export interface ChannelParts {
  readonly registry: Registry | undefined;
  readonly interceptors: ClientStack["interceptors"];
  readonly log: Log;
  readonly clock: Clock;
}

/** The target of a dependency: where its entry says, else its name at the discovery. */
export function targetOf({ name, version, target }: DependencySection): string {
  if (target !== undefined) return target;
  const query = version === undefined ? "" : `?version=${encodeURIComponent(version)}`;
  return `discovery:///${encodeURIComponent(name)}${query}`;
}

/** Opens the channel to a dependency, with the deadline, retries, balancing and limits of its entry. */
export function openDependencyChannel(
  dependency: DependencySection,
  { registry, interceptors, log, clock }: ChannelParts,
): Channel {
  const { tls, keepalive, compression, pool } = dependency;
  const options: ChannelOptions = {
    interceptors,
    log,
    clock,
    resolvers: registry === undefined ? [] : [createDiscoveryResolver(registry)],
    defaultTimeoutMs: dependency.timeoutMs,
    waitForReady: dependency.waitForReady,
    maxReceiveMessageBytes: dependency.maxReceiveMessageBytes,
    maxSendMessageBytes: dependency.maxSendMessageBytes,
    idleTimeoutMs: pool.idleTimeoutMs,
    serviceConfig: serviceConfigOf(dependency),
    ...(keepalive !== undefined && { keepalive }),
    ...(compression?.enabled === true && { sendCompression: gzipCompression, compressMinBytes: compression.minBytes }),
    ...(tls?.enabled === true && { tls: clientTls(tls) }),
  };
  return createChannel(targetOf(dependency), options);
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
