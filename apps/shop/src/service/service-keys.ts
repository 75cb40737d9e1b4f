import type { ServiceKeySource, ServiceKeys } from "@tercel/interceptors/service-key";
import { waysToSet } from "../config/read-settings.ts";
import { isLoopback, type Settings } from "../config/settings.ts";
import type { ServiceSecret } from "./service-secret.ts";

/** By this name order-service knows user-service. */
export const userServiceName = "user-service";

/**
 * The programs that may call, by their keys: those in the file, or without one, in development, user-service with a key made of the secret
 * that both have.
 *
 * @throws Error in production without a file
 */
export function keysOfCallers(settings: Settings, openSecret: () => ServiceSecret): ServiceKeys {
  if (settings.callerKeysFile !== "") return { file: settings.callerKeysFile };
  refuseInProduction(settings, "callerKeysFile");
  return [{ name: userServiceName, key: developmentServiceKey(openSecret()) }];
}

/**
 * The key by which others know user-service.
 *
 * @throws Error in production without a file
 */
export function ownServiceKey(settings: Settings, openSecret: () => ServiceSecret): ServiceKeySource {
  if (settings.serviceKeyFile !== "") return { file: settings.serviceKeyFile };
  refuseInProduction(settings, "serviceKeyFile");
  return developmentServiceKey(openSecret());
}

/**
 * Whether user-service may send its key without TLS to wherever order-service is found. Where an interceptor sees only a name, the channel
 * to an address of this machine looks like one to anywhere; but who is in a registry of this machine runs on this machine.
 */
export function maySendInCleartext({ cleartextKeys, orderAddress, registry }: Settings): boolean {
  if (cleartextKeys === "yes") return true;
  const registryHost = registry.slice(0, registry.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return orderAddress.startsWith("discovery:") && isLoopback(registryHost);
}

function developmentServiceKey(secret: ServiceSecret): string {
  return Buffer.from(secret.key(`service key of ${userServiceName}`)).toString("hex");
}

/** A service that has the secret could make the keys of all others. */
function refuseInProduction({ environment }: Settings, name: "callerKeysFile" | "serviceKeyFile"): void {
  if (environment !== "production") return;
  throw new Error(`in production services know each other by keys that they are given: give ${waysToSet(name)}`);
}
