import { createHash, randomUUID } from "node:crypto";
import type { EnvStore, StoredEnv } from "../catalog/env-store.ts";
import type { ListPage, ListRequest } from "../catalog/search-rows.ts";
import { fail } from "../failure/failure.ts";
import { diffEnvironments, type Environment, type EnvironmentChange } from "./environment.ts";
import { exportVariables } from "./export-variables.ts";

/** Records of the machine's environment. Everything rejects with a FailureError. */
export interface EnvService {
  /** Records the environment as it is now; the same request gets the same record. */
  capture(requestId: string): Promise<StoredEnv>;
  /** The record of the environment as it is now, an earlier one if it says the same. */
  remember(): Promise<string>;
  get(uuid: string): StoredEnv;
  list(request: ListRequest): ListPage<StoredEnv>;
  delete(uuid: string): void;
  /** @param otherUuid empty for the environment as it is now */
  diff(baseUuid: string, otherUuid: string): Promise<EnvironmentChange[]>;
  export(uuid: string, format: string): string;
}

export interface EnvServiceParts {
  readonly envs: EnvStore;
  readonly list: (request: ListRequest) => ListPage<StoredEnv>;
  readonly captureNow: () => Promise<Environment>;
  nowMs(): number;
}

const maxRequestIdCharacters = 128;

/** Packages and mounts change rarely, and listing them takes a tenth of a second. */
const rememberedForMs = 10 * 60_000;

export function createEnvService({ envs, list, captureNow, nowMs }: EnvServiceParts): EnvService {
  let remembered = { uuid: "", untilMs: Number.NEGATIVE_INFINITY };

  function get(uuid: string, field = "uuid"): StoredEnv {
    if (uuid === "") fail({ reason: "FIELD_REQUIRED", field, message: `${field} is required` });
    const shown = uuid.slice(0, 64);
    const message = `environment ${JSON.stringify(shown)} not found`;
    return envs.get(uuid) ?? fail({ reason: "ENV_NOT_FOUND", uuid: shown, message });
  }

  function insert(environment: Environment, requestId: string | undefined): string {
    const uuid = randomUUID();
    envs.insert({ ...environment, uuid, createdAtMs: nowMs(), digest: digestOf(environment), requestId });
    return uuid;
  }

  return {
    async capture(requestId) {
      if (requestId.length > maxRequestIdCharacters) {
        const message = `request_id is longer than ${maxRequestIdCharacters} characters`;
        fail({ reason: "FIELD_INVALID", field: "request_id", message });
      }
      const find = () => (requestId === "" ? undefined : envs.findByRequest(requestId));
      const before = find();
      if (before !== undefined) return before;
      const environment = await captureNow();
      // Another call with the same id may have been quicker.
      return find() ?? get(insert(environment, requestId === "" ? undefined : requestId));
    },

    async remember() {
      if (nowMs() < remembered.untilMs && envs.get(remembered.uuid) !== undefined) return remembered.uuid;
      const environment = await captureNow();
      const uuid = envs.findByDigest(digestOf(environment))?.uuid ?? insert(environment, undefined);
      remembered = { uuid, untilMs: nowMs() + rememberedForMs };
      return uuid;
    },

    get,
    list,

    delete(uuid) {
      get(uuid);
      if (envs.isUsed(uuid)) {
        const message = `environment ${uuid} belongs to a backup: delete the backup first`;
        fail({ reason: "ENV_IN_USE", uuid, message });
      }
      envs.remove(uuid);
    },

    async diff(baseUuid, otherUuid) {
      const base = get(baseUuid, "base_uuid");
      return diffEnvironments(base, otherUuid === "" ? await captureNow() : get(otherUuid, "other_uuid"));
    },

    export: (uuid, format) => exportVariables(get(uuid).variables, format),
  };
}

function digestOf({ host, os, variables, tools, packages, mounts, users }: Environment): string {
  const text = JSON.stringify([host, os, variables, tools, packages, mounts, users]);
  return createHash("sha256").update(text).digest("hex");
}
