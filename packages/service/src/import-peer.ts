import { PermanentError } from "./permanent-error.ts";

/**
 * Imports an optional package that only some configurations need.
 *
 * @param neededBy begins the error: `database postgres`
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
    throw new PermanentError(`${neededBy} needs ${name}: npm install ${name}@${range}`, { cause: error });
  }
}

/** Not a package that the package itself lacks. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") return false;
  return error.message.includes(`'${name}'`);
}
