/**
 * The TXT records of a name, each a list of strings; none when the name has none or does not exist. `server` as in DnsLookup.
 * Rejects with an error that says what failed.
 */
export type DnsTxtLookup = (
  name: string,
  server: string | undefined,
  signal: AbortSignal,
) => Promise<readonly (readonly string[])[]>;

export const nodeDnsTxtLookup: DnsTxtLookup = async (name, server, signal) => {
  const { Resolver } = process.getBuiltinModule("node:dns/promises");
  const resolver = new Resolver();
  if (server !== undefined) resolver.setServers([server]);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await resolver.resolveTxt(name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
};
