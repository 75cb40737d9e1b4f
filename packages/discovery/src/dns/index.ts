export { createDnsRegistry, type DnsRegistryOptions } from "./dns-registry.ts";
