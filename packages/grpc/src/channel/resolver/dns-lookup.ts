/**
 * Finds the IP addresses of a host. `server` is the DNS server to query, an IP address perhaps with a port; without it the
 * system's resolver answers, which also reads the hosts file. Rejects with an error that says what failed.
 */
export type DnsLookup = (host: string, server: string | undefined, signal: AbortSignal) => Promise<readonly string[]>;

export const nodeDnsLookup: DnsLookup = async (host, server, signal) => {
  if (server !== undefined) return askServer(host, server, signal);
  // Loaded here and below, because most targets in memory, on Unix sockets or with IP addresses need no look-up.
  const { lookup } = process.getBuiltinModule("node:dns/promises");
  // The system has sorted them by what it can reach (RFC 6724); sorting again would undo that.
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
};

async function askServer(host: string, server: string, signal: AbortSignal): Promise<readonly string[]> {
  const { Resolver } = process.getBuiltinModule("node:dns/promises");
  const resolver = new Resolver();
  resolver.setServers([server]);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    // One family is enough. IPv4 comes first because it is unknown whether this machine has an IPv6 route.
    const addresses = [ipv4, ipv6].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (addresses.length === 0 && ipv4.status === "rejected") throw ipv4.reason;
    return addresses;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
