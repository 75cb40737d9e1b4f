/** Whether an IP address, as sockets tell it, is this machine's own: no one else can reach it, or has come from it. */
export function isLoopback(address: string): boolean {
  if (address === "::1") return true;
  const v4 = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  return v4.startsWith("127.") && !v4.includes(":");
}
