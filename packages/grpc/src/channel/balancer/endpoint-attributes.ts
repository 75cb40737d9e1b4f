// Attributes of an endpoint that policies read. Resolvers set them; docs/guides/balancers-and-resolvers.md lists them.
import type { Endpoint } from "../resolver/index.ts";

/** Share of calls relative to other endpoints, from the attribute `weight`: a positive number; 1 where it is not there. */
export function endpointWeight(endpoint: Endpoint): number {
  const weight = endpoint.attributes?.get("weight");
  return typeof weight === "number" && weight > 0 && Number.isFinite(weight) ? weight : 1;
}

/** What places the endpoint on a ring instead of its first address, from the attribute `hash_key` (gRFC A76). */
export function endpointHashKey(endpoint: Endpoint): string | undefined {
  const key = endpoint.attributes?.get("hash_key");
  return typeof key === "string" && key !== "" ? key : undefined;
}

/** Which process it is at these addresses, from the attribute `instanceId`; undefined where the resolver does not know. */
export function endpointInstance(endpoint: Endpoint): string | undefined {
  const id = endpoint.attributes?.get("instanceId");
  return typeof id === "string" && id !== "" ? id : undefined;
}

/**
 * An attribute as text, for filters: `version`, `zone` and the like, or, where no attribute has that name, an entry of the
 * attribute `metadata` (a Map or an object). Undefined where it is missing or not a text, number or boolean.
 */
export function endpointText(endpoint: Endpoint, name: string): string | undefined {
  const own = textOf(endpoint.attributes?.get(name));
  if (own !== undefined) return own;
  const metadata = endpoint.attributes?.get("metadata");
  if (metadata instanceof Map) return textOf(metadata.get(name));
  if (typeof metadata !== "object" || metadata === null || !Object.hasOwn(metadata, name)) return undefined;
  return textOf((metadata as Record<string, unknown>)[name]);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
