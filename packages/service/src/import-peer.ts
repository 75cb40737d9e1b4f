import { PermanentError } from "./permanent-error.ts";

/**
 * Imports an optional peer package.
 *
 * @param neededBy subject of the error message: `database postgres`
 * @throws PermanentError that says what to install, when the package is missing
 */
export async function importPeer<T>(
  neededBy: string,
  { name, range }: { readonly name: string; readonly range: string },
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new PermanentError(`${neededBy} needs the package ${name}: npm install ${name}@${range}`, { cause: error });
  }
}

/** Whether the package itself is missing, not one of its dependencies. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") return false;
  return error.message.includes(`'${name}'`);
}
