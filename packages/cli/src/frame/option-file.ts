import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { usageFailure } from "./failure.ts";
import { fileErrorReason } from "./file-error.ts";

/** Reads the file of an option. @throws CommandFailure that names the option and the file */
export function readOptionFile(option: string, file: string, cwd: string): Buffer {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (error) {
    throw usageFailure(`cannot read ${option} ${file}: ${fileErrorReason(error)}`);
  }
}
