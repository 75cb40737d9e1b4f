import { description, type GenericSchema, metadata, pipe, rawTransform, string } from "valibot";

/** An address to listen on. */
export interface HostAndPort {
  /** Undefined for every interface of the machine. */
  readonly host?: string;
  readonly port: number;
}

/** Parses `:9090`, `127.0.0.1:9090` or `[::1]:9090`; undefined for other text. */
export function parseListenAddress(text: string): HostAndPort | undefined {
  const [, bracketed, plain = "", digits = ""] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) return undefined;
  const host = bracketed ?? plain;
  return host === "" ? { port } : { host, port };
}

/** Returns the schema of an address to listen on, such as `:9090`, which is every interface, or `127.0.0.1:9090`. */
export function listenAddress(options: { readonly description?: string } = {}): GenericSchema<string, HostAndPort> {
  const expects = "an address to listen on, such as :9090 or 127.0.0.1:9090";
  return pipe(
    string(`expected ${expects}`),
    metadata({ expects }),
    description(options.description ?? ""),
    rawTransform(({ dataset, addIssue, NEVER }) => {
      const address = parseListenAddress(dataset.value);
      if (address !== undefined) return address;
      addIssue({ message: `expected ${expects}` });
      return NEVER;
    }),
  );
}
