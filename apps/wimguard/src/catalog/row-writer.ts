import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { FailureError } from "../failure/failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { noReserve, type Reserve } from "../files/reserve-file.ts";

/** Columns of a row by name. Like table names, they never come from a client. */
export type Columns = Readonly<Record<string, SQLInputValue>>;

/** Writes rows. Each call is a transaction that is durable when it returns. */
export interface RowWriter {
  /**
   * Inserts new rows.
   *
   * @throws FailureError NO_SPACE when the disk of the catalogue is full
   */
  insert(work: () => void): void;
  /**
   * Changes rows of running jobs. On a full disk it may use the reserve.
   *
   * @throws FailureError NO_SPACE when the reserve is used up too
   */
  change(work: () => void): void;
  /** Sets columns of one row. */
  update(table: string, uuid: string, columns: Columns): void;
}

/** SQLITE_FULL. */
const fullCode = 13;

export function createRowWriter(database: DatabaseSync, files: DurableFiles, reserve: Reserve = noReserve): RowWriter {
  const change = (work: () => void): void => {
    try {
      files.commit(database, work);
    } catch (error) {
      if (!isFull(error) || !reserve.release()) throw toNoSpace(error);
      commit(database, files, work);
    }
  };
  return {
    insert: (work) => commit(database, files, work),
    change,
    update: (table, uuid, columns) => change(() => setColumns(database, table, uuid, columns)),
  };
}

/** Sets columns of one row, inside the caller's transaction. */
export function setColumns(database: DatabaseSync, table: string, uuid: string, columns: Columns): void {
  const names = Object.keys(columns);
  if (names.length === 0) return;
  const assignments = names.map((name) => `${name} = :${name}`).join(", ");
  database.prepare(`UPDATE ${table} SET ${assignments} WHERE uuid = :uuid`).run({ ...columns, uuid });
}

function commit(database: DatabaseSync, files: DurableFiles, work: () => void): void {
  try {
    files.commit(database, work);
  } catch (error) {
    throw toNoSpace(error);
  }
}

function isFull(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === fullCode;
}

function toNoSpace(error: unknown): unknown {
  if (!isFull(error)) return error;
  const message = "no space left for the catalogue: free some space in its folder";
  return new FailureError({ reason: "NO_SPACE", message }, error);
}
