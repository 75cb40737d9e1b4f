import type { DatabaseSync } from "node:sqlite";
import type { Environment } from "../env/environment.ts";
import type { RowWriter } from "./row-writer.ts";
import { type ListedTable, toMilliseconds } from "./search-rows.ts";

/** An environment in the catalogue. */
export interface StoredEnv extends Environment {
  readonly uuid: string;
  readonly createdAtMs: number;
}

export interface NewEnv extends StoredEnv {
  /** Digest of its contents. */
  readonly digest: string;
  /** Undefined for one that was not requested by a client. */
  readonly requestId: string | undefined;
}

export interface EnvStore {
  insert(env: NewEnv): void;
  get(uuid: string): StoredEnv | undefined;
  /** Returns the newest environment with this digest. */
  findByDigest(digest: string): StoredEnv | undefined;
  findByRequest(requestId: string): StoredEnv | undefined;
  /** Whether a backup refers to it. */
  isUsed(uuid: string): boolean;
  remove(uuid: string): void;
}

export function createEnvStore(database: DatabaseSync, rows: RowWriter): EnvStore {
  const insert = database.prepare(
    `INSERT INTO envs (uuid, request_id, digest, host, os, content, created_at_ms)
     VALUES (:uuid, :requestId, :digest, :host, :os, :content, :createdAtMs)`,
  );
  const selectOne = database.prepare("SELECT * FROM envs WHERE uuid = ?");
  const selectDigest = database.prepare("SELECT * FROM envs WHERE digest = ? ORDER BY seq DESC LIMIT 1");
  const selectRequest = database.prepare("SELECT * FROM envs WHERE request_id = ?");
  const selectUse = database.prepare("SELECT 1 FROM backups WHERE env_uuid = ? LIMIT 1");
  const remove = database.prepare("DELETE FROM envs WHERE uuid = ?");
  const toEnv = (row: Record<string, unknown> | undefined) => (row === undefined ? undefined : envTable.toItem(row));
  return {
    insert({ uuid, requestId = null, digest, host, os, createdAtMs, ...content }) {
      const row = { uuid, requestId, digest, host, os, content: JSON.stringify(content), createdAtMs };
      rows.insert(() => void insert.run(row));
    },
    get: (uuid) => toEnv(selectOne.get(uuid)),
    findByDigest: (digest) => toEnv(selectDigest.get(digest)),
    findByRequest: (requestId) => toEnv(selectRequest.get(requestId)),
    isUsed: (uuid) => selectUse.get(uuid) !== undefined,
    remove: (uuid) => rows.change(() => void remove.run(uuid)),
  };
}

/** The fields and columns by which clients list environments. */
export const envTable: ListedTable<StoredEnv> = {
  table: "envs",
  fields: { host: "string", os: "string", create_time: "timestamp" },
  columns: { host: "host", os: "os", create_time: { sql: "created_at_ms", toParameter: toMilliseconds } },
  toItem: (row) => ({
    uuid: row.uuid as string,
    host: row.host as string,
    os: row.os as string,
    createdAtMs: row.created_at_ms as number,
    ...(JSON.parse(row.content as string) as Omit<Environment, "host" | "os">),
  }),
};
