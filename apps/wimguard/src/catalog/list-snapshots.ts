import type { DatabaseSync } from "node:sqlite";
import type { ListColumn, ListField, PageTokens } from "@tercel/aip";
import { engineNameOf } from "../engine/engine-enum.ts";
import { type Engine, EngineSchema } from "../gen/wimguard/v1/common_pb.ts";
import { type StoredBackup, toBackup } from "./backup-store.ts";
import {
  type ListedTable,
  type ListPage,
  type ListRequest,
  type RowCursor,
  searchRows,
  toMilliseconds,
} from "./search-rows.ts";

const fields: Readonly<Record<string, ListField>> = {
  source: "string",
  engine: EngineSchema,
  schedule_uuid: "string",
  pinned: "bool",
  create_time: "timestamp",
};

const columns: Readonly<Record<string, string | ListColumn>> = {
  source: "source",
  engine: { sql: "engine", toParameter: (value) => engineNameOf(Number(value) as Engine) ?? "" },
  schedule_uuid: "schedule_uuid",
  pinned: "is_pinned",
  create_time: { sql: "created_at_ms", toParameter: toMilliseconds },
};

/** Lists completed backups, which are the snapshots. A filter may name any tag, as `tags.NAME`. */
export function listSnapshots(
  database: DatabaseSync,
  tokens: PageTokens<RowCursor>,
  request: ListRequest,
): ListPage<StoredBackup> {
  const tags = tagsIn(request.filter);
  const listed: ListedTable<StoredBackup> = {
    table: "backups",
    where: "state = 'completed'",
    fields: { ...fields, ...Object.fromEntries(tags.map((tag) => [`tags.${tag}`, "string" as const])) },
    // The name contains only letters, digits and underscores.
    columns: {
      ...columns,
      ...Object.fromEntries(tags.map((tag) => [`tags.${tag}`, `json_extract(tags, '$.${tag}')`])),
    },
    toItem: toBackup,
  };
  return searchRows(database, tokens, listed, request);
}

function tagsIn(filter: string): string[] {
  const found = [...filter.matchAll(/\btags\.([A-Za-z_][A-Za-z0-9_]{0,62})(?![A-Za-z0-9_.])/g)];
  return [...new Set(found.map(([, name = ""]) => name))];
}
