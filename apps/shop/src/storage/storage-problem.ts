/** What keeps a service from using its files. */
export type StorageProblem = "full" | "not-writable" | "not-accessible" | "damaged" | "locked";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); the low byte of an extended one is its primary one. */
const sqliteProblems: ReadonlyMap<number, StorageProblem> = new Map([
  [3, "not-writable"], // SQLITE_PERM
  [5, "locked"], // SQLITE_BUSY
  [6, "locked"], // SQLITE_LOCKED
  [8, "not-writable"], // SQLITE_READONLY
  [10, "not-accessible"], // SQLITE_IOERR
  [11, "damaged"], // SQLITE_CORRUPT
  [13, "full"], // SQLITE_FULL
  [14, "not-accessible"], // SQLITE_CANTOPEN
  [26, "damaged"], // SQLITE_NOTADB
]);

const systemProblems: ReadonlyMap<string, StorageProblem> = new Map([
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["EROFS", "not-writable"],
  ["EACCES", "not-writable"],
  ["EPERM", "not-writable"],
  ["EIO", "not-accessible"],
  ["ENOENT", "not-accessible"],
  ["ENOTDIR", "not-accessible"],
  ["EISDIR", "not-accessible"],
]);

/** An error may, by mistake, be its own cause. */
const maxCauses = 5;

/**
 * The error of SQLite among something thrown and its causes, with the problem that it stands for; undefined when there is none.
 * Errors of SQL itself, such as a violated constraint, are mistakes of the program and not problems of the storage.
 */
export function sqliteProblemOf(thrown: unknown): { problem: StorageProblem; error: Error } | undefined {
  let current = thrown;
  for (let depth = 0; depth < maxCauses && current instanceof Error; depth++) {
    if ("errcode" in current && typeof current.errcode === "number") {
      const problem = sqliteProblems.get(current.errcode & 0xff);
      return problem && { problem, error: current };
    }
    current = current.cause;
  }
  return undefined;
}

/** The problem that an error of SQLite or of `node:fs` stands for; undefined for any other. */
export function storageProblemOf(error: unknown): StorageProblem | undefined {
  const ofSqlite = sqliteProblemOf(error);
  if (ofSqlite !== undefined) return ofSqlite.problem;
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? systemProblems.get(error.code)
    : undefined;
}
