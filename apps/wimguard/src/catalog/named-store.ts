import type { DatabaseSync } from "node:sqlite";
import type { Columns, RowWriter } from "./row-writer.ts";
import type { ListedTable } from "./search-rows.ts";

/** An item that clients register under a name. */
export interface NamedItem {
  readonly uuid: string;
  /** Unique. */
  readonly name: string;
  /** Number of its changes. */
  readonly revision: number;
}

/** The request that created an item. */
export interface CreatingRequest {
  readonly id: string;
  /** Digest of the request's contents. */
  readonly digest: string;
}

/** Registered items of one kind. */
export interface NamedStore<Item extends NamedItem> {
  insert(item: Item, request: CreatingRequest | undefined): void;
  get(uuid: string): Item | undefined;
  findByName(name: string): Item | undefined;
  findByRequest(id: string): { readonly item: Item; readonly digest: string } | undefined;
  /** Returns all items, oldest first. */
  all(): Item[];
  update(item: Item): void;
  remove(uuid: string): void;
}

export function createNamedStore<Item extends NamedItem>(
  database: DatabaseSync,
  rows: RowWriter,
  { table, toItem }: Pick<ListedTable<Item>, "table" | "toItem">,
  toColumns: (item: Item) => Columns,
): NamedStore<Item> {
  const selectOne = database.prepare(`SELECT * FROM ${table} WHERE uuid = ?`);
  const selectName = database.prepare(`SELECT * FROM ${table} WHERE name = ?`);
  const selectRequest = database.prepare(`SELECT * FROM ${table} WHERE request_id = ?`);
  const selectAll = database.prepare(`SELECT * FROM ${table} ORDER BY seq`);
  const remove = database.prepare(`DELETE FROM ${table} WHERE uuid = ?`);
  const toOptional = (row: Record<string, unknown> | undefined) => (row === undefined ? undefined : toItem(row));
  const columnsOf = (item: Item): Columns => ({ name: item.name, revision: item.revision, ...toColumns(item) });
  return {
    insert(item, request) {
      const columns = {
        uuid: item.uuid,
        ...columnsOf(item),
        request_id: request?.id ?? null,
        request_digest: request?.digest ?? null,
      };
      const names = Object.keys(columns);
      const values = names.map((name) => `:${name}`).join(", ");
      const statement = database.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${values})`);
      rows.insert(() => void statement.run(columns));
    },
    get: (uuid) => toOptional(selectOne.get(uuid)),
    findByName: (name) => toOptional(selectName.get(name)),
    findByRequest(id) {
      const row = selectRequest.get(id);
      return row === undefined ? undefined : { item: toItem(row), digest: row.request_digest as string };
    },
    all: () => selectAll.all().map(toItem),
    update: (item) => rows.update(table, item.uuid, columnsOf(item)),
    remove: (uuid) => rows.change(() => void remove.run(uuid)),
  };
}
