import type { EngineName } from "../engine/compression.ts";
import type { SourceRules } from "../source/source-rules.ts";
import type { NamedItem } from "./named-store.ts";
import type { ListedTable } from "./search-rows.ts";

/** A registered folder or file to back up. */
export interface RegisteredSource extends NamedItem, SourceRules {
  readonly path: string;
}

/** A registered folder for archives, or a repository. */
export interface RegisteredDestination extends NamedItem {
  readonly engine: EngineName;
  /** The folder; for a repository, `restic:` and its location. */
  readonly url: string;
  /** Template of archive names; empty for a repository. */
  readonly template: string;
  /** Reference to the password of a repository. */
  readonly secretRef: string;
  /** Whether further backups are added to an existing file. */
  readonly isAppend: boolean;
}

export const sourceTable: ListedTable<RegisteredSource> = {
  table: "sources",
  fields: { name: "string", path: "string" },
  columns: { name: "name", path: "path" },
  toItem: (row) => ({
    uuid: row.uuid as string,
    name: row.name as string,
    revision: row.revision as number,
    path: row.path as string,
    excludes: JSON.parse(row.excludes as string) as string[],
    oneFileSystem: row.one_file_system === 1,
  }),
};

export function sourceColumns({ path, excludes, oneFileSystem }: RegisteredSource) {
  return { path, excludes: JSON.stringify(excludes), one_file_system: oneFileSystem ? 1 : 0 };
}

export const destinationTable: ListedTable<RegisteredDestination> = {
  table: "destinations",
  fields: { name: "string", url: "string" },
  columns: { name: "name", url: "url" },
  toItem: (row) => ({
    uuid: row.uuid as string,
    name: row.name as string,
    revision: row.revision as number,
    engine: row.engine as EngineName,
    url: row.url as string,
    template: row.template as string,
    secretRef: row.secret_ref as string,
    isAppend: row.is_append === 1,
  }),
};

export function destinationColumns({ engine, url, template, secretRef, isAppend }: RegisteredDestination) {
  return { engine, url, template, secret_ref: secretRef, is_append: isAppend ? 1 : 0 };
}
