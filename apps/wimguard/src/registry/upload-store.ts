import type { DatabaseSync } from "node:sqlite";
import type { RowWriter } from "../catalog/row-writer.ts";

/** The part of an upload that is not over. */
export interface StoredUpload {
  readonly uuid: string;
  readonly partPath: string;
  /** The device of its folder: a mount may be off. */
  readonly device: string;
}

/** Uploads that are not over: what a crash leaves of them is known. */
export interface UploadStore {
  insert(upload: StoredUpload): void;
  remove(uuid: string): void;
  all(): StoredUpload[];
}

export function createUploadStore(database: DatabaseSync, rows: RowWriter): UploadStore {
  const insert = database.prepare(
    "INSERT INTO uploads (uuid, part_path, part_device) VALUES (:uuid, :partPath, :device)",
  );
  const remove = database.prepare("DELETE FROM uploads WHERE uuid = ?");
  const selectAll = database.prepare("SELECT * FROM uploads");
  return {
    insert: ({ uuid, partPath, device }) => rows.insert(() => void insert.run({ uuid, partPath, device })),
    remove: (uuid) => rows.change(() => void remove.run(uuid)),
    all: () =>
      selectAll.all().map((row) => ({
        uuid: row.uuid as string,
        partPath: row.part_path as string,
        device: row.part_device as string,
      })),
  };
}
