import type { ServerOptions } from "@tercel/grpc";
import type { Settings } from "../config/settings.ts";

/** The settings that bound what clients may do to a server, as its options. */
export function serverLimits(settings: Settings): Partial<ServerOptions> {
  const { maxConnectionAgeMs, maxConnectionAgeGraceMs } = settings;
  return {
    maxReceiveMessageBytes: settings.maxMessageBytes,
    maxSendMessageBytes: settings.maxMessageBytes,
    maxConnectionIdleMs: settings.idleTimeoutMs,
    keepalive: { timeMs: settings.keepaliveTimeMs, timeoutMs: settings.keepaliveTimeoutMs },
    keepaliveEnforcement: {
      minTimeMs: settings.keepaliveMinTimeMs,
      permitWithoutCalls: settings.keepaliveWithoutCalls === "yes",
    },
    ...(maxConnectionAgeMs > 0 && { maxConnectionAgeMs }),
    ...(maxConnectionAgeGraceMs > 0 && { maxConnectionAgeGraceMs }),
  };
}
