import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { readOptionFile } from "../frame/option-file.ts";

const defaultFile = ".env";

/**
 * Reads the variables of the file of `--env-file`, else of `.env`, if it exists.
 *
 * @throws CommandFailure when a named file cannot be read
 */
export function readEnvFile(file: string | undefined, cwd: string): Readonly<Record<string, string | undefined>> {
  if (file === undefined && !existsSync(resolve(cwd, defaultFile))) return {};
  return parseEnv(readOptionFile("--env-file", file ?? defaultFile, cwd).toString("utf8"));
}
