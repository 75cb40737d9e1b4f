import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import { readHeader } from "@tercel/grpc/hooks";
import { key as keyRule, method as methodRule } from "@tercel/interceptors/gen/tercel/idempotency/v1/idempotency_pb.js";
import type { IdempotencyOptions, IdempotencyStore } from "@tercel/interceptors/idempotency";
import type { CachePort } from "../../cache/cache-port.ts";
import type { Database } from "../../database/database.ts";
import type { OpenProvider } from "../providers/open-provider.ts";
import type { ConfiguredProvider, RunConfig } from "../run-config/run-config.ts";

/** Returns the provider that stores keys: the default database, else the default cache if it is a Redis; undefined without either. */
export function keyProviderOf({ providers }: Pick<RunConfig, "providers">): ConfiguredProvider | undefined {
  const defaults = providers.filter(({ isDefault }) => isDefault);
  return (
    defaults.find(({ concern }) => concern === "database") ??
    defaults.find(({ concern, type }) => concern === "cache" && type === "redis")
  );
}

/** Dependencies of idempotency keys. */
export interface KeyParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly secret: (purpose: string) => Uint8Array;
  /** Aborts the wait for the creation of the table. */
  readonly signal: AbortSignal;
}

/**
 * Returns the options of idempotency keys from the configuration, else from the protos of the services; undefined if neither requires them. Loads only
 * what is needed.
 */
export async function openIdempotencyKeys(
  config: RunConfig,
  services: readonly DescService[],
  opened: readonly OpenProvider[],
  parts: KeyParts,
): Promise<IdempotencyOptions | undefined> {
  const isAskedFor = services.some(hasKeyRule);
  if (config.idempotency?.isEnabled ?? isAskedFor) {
    return {
      ...config.idempotency?.settings,
      store: await openStore(config, opened, parts),
      callerOf: await createCallerOf(),
      // A generated secret would change at a restart, which would make each retry a different request.
      ...(config.secret !== undefined && { secret: parts.secret("idempotency keys") }),
    };
  }
  if (isAskedFor) {
    parts.log.warn(
      "idempotency.enabled is false, so calls with idempotency rules in the protos (tercel.idempotency.v1) may run twice",
    );
  }
  return undefined;
}

async function openStore(
  config: RunConfig,
  opened: readonly OpenProvider[],
  { log, clock, signal }: KeyParts,
): Promise<IdempotencyStore> {
  const entry = keyProviderOf(config);
  const provider = opened.find((one) => one.entry === entry);
  if (entry?.concern === "database" && isDatabase(provider?.opened.port)) {
    const { openDatabaseKeyStore } = await import("../../idempotency/database-key-store.ts");
    return openDatabaseKeyStore(provider.opened.port, { clock, signal });
  }
  const { createMemoryIdempotencyStore, createRedisIdempotencyStore } = await import(
    "@tercel/interceptors/idempotency"
  );
  const client = (provider?.opened.port as CachePort | undefined)?.redis?.client;
  if (client !== undefined) {
    return createRedisIdempotencyStore({ client, prefix: `tercel:idempotency:${config.service.name}:` });
  }
  log.warn(
    "idempotency keys are in memory: another process, or this one after a restart, runs a retried call again; configure a default database to store them",
  );
  return createMemoryIdempotencyStore({ clock });
}

/** Whether a port is a database; the application's own providers may have another port. */
function isDatabase(port: unknown): port is Database {
  return typeof port === "object" && port !== null && "dialect" in port && "openMigrationSession" in port;
}

/** Whether the proto has an idempotency rule for a method of a service. */
function hasKeyRule({ methods }: DescService): boolean {
  return methods.some(
    (method) =>
      hasKeyField(method) || (hasOption(method, methodRule) && getOption(method, methodRule).exempt === false),
  );
}

function hasKeyField({ input }: DescMethod): boolean {
  return input.fields.some((field) => hasOption(field, keyRule) && getOption(field, keyRule));
}

/** Creates the function that identifies the owner of a key: a renewed token is the same caller. */
async function createCallerOf(): Promise<(request: UnaryRequest) => string> {
  const { callerKey, claimsKey } = await import("@tercel/interceptors/auth");
  return (request) => {
    const { contextValues } = request;
    const claims = contextValues.get(claimsKey);
    const workload = contextValues.get(callerKey);
    const token = claims?.sub === undefined ? readHeader(request, "authorization") : [claims.iss, claims.sub];
    return JSON.stringify([workload?.kind, workload?.name, token]);
  };
}
