import type { EngineName } from "../engine/compression.ts";
import type { SourceRules } from "../source/source-rules.ts";
import type { NamedItem } from "./named-store.ts";
import type { ListedTable } from "./search-rows.ts";

/** A folder or file that is backed up again and again. */
export interface RegisteredSource extends NamedItem, SourceRules {
  readonly path: string;
}

/** A folder that archives are written to, or a repository. */
export interface RegisteredDestination extends NamedItem {
  readonly engine: EngineName;
  /** The folder; `restic:` and where it is for a repository. */
  readonly url: string;
  /** Names of archives, with placeholders; empty for a repository. */
  readonly template: string;
  /** Where the password of a repository comes from. */
  readonly secretRef: string;
  /** Add further backups to a file that is there already. */
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
