import { isIP } from "node:net";
import type { Log } from "@tercel/grpc";
import type { Config } from "../config/config-schema.ts";
import { sampleSecret } from "../config/prepare-config.ts";
import { StartError } from "../failure/start-error.ts";

/** Whether only this machine can reach a host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/**
 * Refuses to listen where others could read tokens on their way, or know the secret that makes them.
 *
 * @throws StartError
 */
export function checkExposure(config: Config, host: string, isInsecure: boolean, log: Log): void {
  const { tls } = config.service.server;
  const secrets = [config.appSecret, ...(config.service.server.apps ?? []).map(({ secret }) => secret)];
  const isSample = secrets.includes(sampleSecret);
  if (isLoopback(host)) {
    if (isSample) log.warn("appSecret is the one of the documentation: change it, every user of this machine knows it");
    return;
  }
  if (isSample) {
    throw new StartError("config", `appSecret is the one of the documentation: change it before listening on ${host}`);
  }
  if (tls !== undefined || isInsecure) return;
  throw new StartError(
    "config",
    `listening on ${host} without TLS would send tokens in the clear: set service.server.tls, or pass --insecure behind a proxy`,
  );
}
