import { isIP } from "node:net";
import type { Log } from "@tercel/grpc";
import type { Config } from "../config/config-schema.ts";
import { sampleSecret } from "../config/prepare-config.ts";
import { StartError } from "../failure/start-error.ts";

/** Whether a host is a loopback address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/**
 * Refuses to listen where other machines could read tokens in transit, or with a public secret.
 *
 * @throws StartError
 */
export function checkExposure(config: Config, host: string, isInsecure: boolean, log: Log): void {
  const { tls } = config.service.server;
  const secrets = [config.appSecret, ...(config.service.server.apps ?? []).map(({ secret }) => secret)];
  const isSample = secrets.includes(sampleSecret);
  if (isLoopback(host)) {
    if (isSample)
      log.warn("appSecret is the public sample secret: change it, because every user of this machine can mint tokens");
    return;
  }
  if (isSample) {
    throw new StartError("config", `appSecret is the public sample secret: change it before listening on ${host}`);
  }
  if (tls !== undefined || isInsecure) return;
  throw new StartError(
    "config",
    `listening on ${host} without TLS would send tokens in the clear: set service.server.tls, or pass --insecure behind a proxy`,
  );
}
