import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "../failure/start-error.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { listCopies } from "./copy-catalog.ts";
import { migrations } from "./schema.ts";

/** File systems without reliable locks between machines, by their magic numbers (statfs(2)). */
const networkFileSystems: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4266872130: "SMB",
  4283649346: "CIFS",
};

/** SQLite's primary result codes. */
const busyCode = 5;
const damagedCodes = [11, 26];

/**
 * Opens or creates the catalogue and locks it until it is closed: the kernel releases the lock when the process ends, however it ends.
 *
 * @param describeHolder describes the process that has the catalogue open, for the error
 * @throws StartError "locked" while another process has it open, "damaged", or "config" for a schema of a newer release
 */
export function openCatalog(path: string, files: DurableFiles, describeHolder: () => string): DatabaseSync {
  refuseNetwork(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    // The first transaction takes the lock and keeps it, so that a second process cannot even read.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    files.commit(database, () => {});
    checkDamage(database, path);
    migrate(database, path, files);
    return database;
  } catch (error) {
    database?.close();
    throw toStartError(error, path, describeHolder);
  }
}

function refuseNetwork(path: string): void {
  const kind = networkFileSystems[statfsSync(dirname(path)).type];
  if (kind === undefined) return;
  throw new StartError(
    "config",
    `the data folder ${dirname(path)} is on ${kind}, where two daemons could open one catalogue: use a folder on a local disk (--dir)`,
  );
}

function checkDamage(database: DatabaseSync, path: string): void {
  const result = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  if (result !== "ok") throw new StartError("damaged", damageText(path, String(result)));
}

function damageText(path: string, problem: string): string {
  const copy = newestCopy(path);
  const remedy = copy === undefined ? "restore it from a backup" : `replace it by its newest copy, ${copy}`;
  return `the catalogue ${path} is damaged (${problem}): ${remedy}, without its -wal file`;
}

/** Returns the newest copy: one is made daily, and one before each migration. */
function newestCopy(path: string): string | undefined {
  const beforeMigrations = migrations.map((_, at) => copyPath(path, at + 1)).filter((copy) => existsSync(copy));
  const copies = [...listCopies(path), ...beforeMigrations].map((copy) => ({ copy, timeMs: statSync(copy).mtimeMs }));
  return copies.sort((a, b) => b.timeMs - a.timeMs)[0]?.copy;
}

function copyPath(path: string, version: number): string {
  return `${path}.before-${version + 1}`;
}

function migrate(database: DatabaseSync, path: string, files: DurableFiles): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version === migrations.length) return;
  if (version > migrations.length) {
    throw new StartError(
      "config",
      `the catalogue ${path} has schema version ${version} but this release supports ${migrations.length}: run the newer release`,
    );
  }
  const copy = copyPath(path, version);
  if (version > 0 && !existsSync(copy)) copyWhole(database, copy);
  files.commit(database, () => {
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** Copies the database to a draft, which is renamed once it is synced: an interrupted start leaves a draft, which the next one replaces. */
function copyWhole(database: DatabaseSync, copy: string): void {
  const draft = `${copy}.draft`;
  rmSync(draft, { force: true });
  database.prepare("VACUUM INTO ?").run(draft);
  const file = openSync(draft, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, copy);
}

function toStartError(error: unknown, path: string, describeHolder: () => string): unknown {
  if (error instanceof StartError) return error;
  const code = Number((error as { errcode?: number }).errcode ?? 0) & 0xff;
  const text = error instanceof Error ? error.message : String(error);
  if (code === busyCode) return new StartError("locked", `${path} is in use: ${describeHolder()}`, error);
  if (damagedCodes.includes(code)) return new StartError("damaged", damageText(path, text), error);
  return new StartError("config", `the catalogue ${path} cannot be opened: ${text}`, error);
}
