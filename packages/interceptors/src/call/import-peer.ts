/**
 * Imports optional packages, which only users of a feature install. Rejects with an Error that names the packages to install if one of them is
 * missing, and otherwise with the error of the import.
 *
 * @param neededBy the start of the error, for example `createAuth`
 * @param packages as for `npm install`, with their version, for example `jose@6`
 */
export async function importPeer<T>(neededBy: string, packages: readonly string[], load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!packages.some((one) => isMissing(cause, one))) throw cause;
    const names = packages.map(nameOf).join(", ");
    throw new Error(`${neededBy} needs ${names}: npm install ${packages.join(" ")}`, { cause });
  }
}

/** Whether this package is missing, not one of its dependencies. */
function isMissing(error: unknown, versioned: string): boolean {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") return false;
  return error.message.includes(`'${nameOf(versioned)}'`);
}

function nameOf(versioned: string): string {
  return versioned.slice(0, versioned.lastIndexOf("@"));
}
