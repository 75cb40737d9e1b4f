import { safeLog } from "../logging/safe-log.ts";
import { unindexedFields } from "../protocol/unindexed-fields.ts";
import { systemClock } from "../time/clock.ts";
import { LimitReporter } from "../transport/limit-reporter.ts";
import { createHandshakeLog } from "../transport/server/handshake-log.ts";
import { respondToLargeHeaders } from "../transport/server/large-headers.ts";
import { type ConnectionOptions, SharedStreamLimit } from "../transport/server/listen.ts";
import type { PlanSettings } from "../transport/server/request-plan.ts";
import { withFiles } from "../transport/tls/tls-files.ts";
import type { ServerOptions } from "./server-options.ts";

/** gRFC A8's defaults for servers: what they ask of clients, and what they let clients ask. */
const defaultKeepaliveTimeMs = 2 * 60 * 60 * 1000;
const defaultKeepaliveTimeoutMs = 20_000;
const defaultMinPingIntervalMs = 5 * 60 * 1000;
const defaultMinIdlePingIntervalMs = 2 * 60 * 60 * 1000;

/** An option of the server goes before the engine's limit that it stands for. */
function connectionLimits(options: ServerOptions): NonNullable<ConnectionOptions["limits"]> {
  const { keepaliveEnforcement: enforcement, limits } = options;
  const minPingIntervalMs = enforcement?.minTimeMs ?? defaultMinPingIntervalMs;
  return {
    ...limits,
    controlFrames: {
      minPingIntervalMs,
      minIdlePingIntervalMs: enforcement?.permitWithoutCalls ? minPingIntervalMs : defaultMinIdlePingIntervalMs,
      ...limits?.controlFrames,
    },
    streams: { ...limits?.streams, ...withoutUndefined({ maxConcurrent: options.maxConcurrentStreams }) },
    headers: { ...limits?.headers, ...withoutUndefined({ maxListBytes: options.maxMetadataBytes }) },
    life: {
      ...limits?.life,
      ...withoutUndefined({
        maxIdleMs: options.maxConnectionIdleMs,
        maxAgeMs: options.maxConnectionAgeMs,
        maxAgeGraceMs: options.maxConnectionAgeGraceMs,
      }),
    },
  };
}

/** What a server's options mean for the connections under it. */
export function connectionOptions(options: ServerOptions, plan: PlanSettings): ConnectionOptions {
  const log = safeLog(options.log);
  const clock = options.clock ?? systemClock;
  const limitReporter = new LimitReporter(log, options.onLimit, clock);
  const { keepalive } = options;
  return {
    limits: connectionLimits(options),
    unindexedFields,
    respondToLargeHeaders: (fields) => respondToLargeHeaders(plan, fields),
    keepalive: {
      timeMs: keepalive?.timeMs ?? defaultKeepaliveTimeMs,
      timeoutMs: keepalive?.timeoutMs ?? defaultKeepaliveTimeoutMs,
      permitWithoutStreams: true,
    },
    onError: (error) => log.error("the listening socket failed", { error }),
    onHandshakeFailure: createHandshakeLog(log, clock),
    onLimit: (event, address, connection) => limitReporter.report(event, address, connection),
    ...withoutUndefined({
      tls: options.tls === undefined ? undefined : withFiles(options.tls),
      http1Server: options.http1Server,
      maxConnections: options.maxConnections,
      maxConnectionsPerAddress: options.maxConnectionsPerAddress,
      maxTlsHandshakes: options.maxTlsHandshakes,
      streamPlaces:
        options.maxConcurrentCalls === undefined ? undefined : new SharedStreamLimit(options.maxConcurrentCalls),
    }),
    clock,
  };
}

/** An absent option and one that is undefined mean the same to users, and not to the types below. */
function withoutUndefined<T extends object>(given: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>;
  };
}
