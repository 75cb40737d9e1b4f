import { type Failure, FailureError } from "./failure.ts";

/** Errors of the system that mean "no room": a full disk, and a full quota. */
const noSpaceCodes = new Set(["ENOSPC", "EDQUOT"]);

/** The failure that something thrown stands for. An error of the file system keeps its path and its system text. */
export function toFailure(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const { code, path } = error as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  const where = path === undefined ? {} : { path };
  if (code !== undefined && noSpaceCodes.has(code)) {
    return {
      reason: "NO_SPACE",
      message: `no space left: ${message}`,
      ...where,
      remedy: "free some space, then repeat",
    };
  }
  return { reason: "IO_FAILED", message, ...where };
}

/** Whether an error of the file system has one of these codes. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
