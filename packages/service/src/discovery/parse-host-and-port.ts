/**
 * Parses `host:port` or `[host]:port`.
 *
 * @throws TypeError for anything else
 */
export function parseHostAndPort(text: string): { readonly address: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  const port = Number(digits);
  if (address === undefined || !(port >= 1 && port <= 65_535)) {
    throw new TypeError(`invalid address ${JSON.stringify(text)}: expected a host and a port, such as 10.0.0.7:50051`);
  }
  return { address, port };
}
