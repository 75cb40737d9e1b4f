import { createChannel } from "@tercel/grpc";
import { thrownMessage } from "@tercel/grpc/internal";
import { askHealth } from "@tercel/grpc/services";
import type { RunConfig } from "../run-config/run-config.ts";

/** Timeout of a probe. */
const timeoutMs = 5_000;

/**
 * Checks the health of the service that runs with this configuration on this machine, for `--health`, so that an image needs no other program. Resolves
 * to undefined when it is SERVING, else to the reason.
 */
export async function askRunningService({ grpc }: RunConfig): Promise<string | undefined> {
  const { listen } = grpc;
  const isTls = grpc.certificate !== undefined;
  const target = "path" in listen ? `unix:${listen.path}` : `${reachableHost(listen.host)}:${listen.port}`;
  const channel = createChannel(target, {
    defaultTimeoutMs: timeoutMs,
    // This machine's own service, whose certificate need not contain this address.
    ...(isTls && { tls: { rejectUnauthorized: false } }),
  });
  try {
    await askHealth(channel)(AbortSignal.timeout(timeoutMs));
    return undefined;
  } catch (error) {
    return thrownMessage(error);
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

/** Returns the host to connect to; a server on every interface is reachable on loopback. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
