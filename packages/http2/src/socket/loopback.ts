/** Whether an IP address, as sockets report it, is a loopback address: only this machine can connect to it or from it. */
export function isLoopback(address: string): boolean {
  if (address === "::1") return true;
  const v4 = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  return v4.startsWith("127.") && !v4.includes(":");
}
