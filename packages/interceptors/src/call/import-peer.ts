/**
 * Imports optional packages, which only those who use a feature install.
 *
 * @param neededBy begins the error: `createAuth`
 * @param packages as `npm install` takes them, with their version: `jose@6`
 * @throws Error that says what to install when one of them is missing; what the import throws otherwise
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

/** Whether the package itself is missing, and not one that it imports. */
function isMissing(error: unknown, versioned: string): boolean {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") return false;
  return error.message.includes(`'${nameOf(versioned)}'`);
}

function nameOf(versioned: string): string {
  return versioned.slice(0, versioned.lastIndexOf("@"));
}
