import { nearestName } from "@tercel/grpc/internal";
import type { ServiceInstance } from "../port/instance.ts";

/** Whether a target selects an instance. */
export type InstanceFilter = (instance: ServiceInstance) => boolean;

const metadataPrefix = "metadata.";

/**
 * Parses the query of a target, for example `version=v2&zone=eu-1&metadata.tier=gold`. All keys must match. If a key is repeated, one of its
 * values must match. A version also matches the versions below it: v1 matches v1, 1.0 and v1.4.2, but not v10.
 *
 * @throws TypeError for an unknown key, with the nearest known one
 */
export function parseInstanceFilter(query: string): InstanceFilter {
  const wanted = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (
      key !== "version" &&
      key !== "zone" &&
      !(key.startsWith(metadataPrefix) && key.length > metadataPrefix.length)
    ) {
      const nearest = nearestName(key, ["version", "zone", metadataPrefix]);
      const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
      throw new TypeError(`unknown key "${key}" in the query${hint} Known: version, zone, metadata.<key>`);
    }
    wanted.set(key, [...(wanted.get(key) ?? []), value]);
  }
  const conditions = [...wanted];
  return (instance) => conditions.every(([key, values]) => values.some((value) => matches(instance, key, value)));
}

function matches(instance: ServiceInstance, key: string, value: string): boolean {
  if (key === "version") return matchesVersion(instance.version, value);
  if (key === "zone") return instance.metadata.get("zone") === value;
  return instance.metadata.get(key.slice(metadataPrefix.length)) === value;
}

/** Whether `version` equals `wanted` or is below it, as 1.4 is below 1. A leading "v" is ignored. */
export function matchesVersion(version: string, wanted: string): boolean {
  const have = version.replace(/^v/, "");
  const want = wanted.replace(/^v/, "");
  return have === want || (have.startsWith(want) && /^[.+-]/.test(have.slice(want.length)) && want !== "");
}
