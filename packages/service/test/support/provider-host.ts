import { systemClock } from "@tercel/grpc";
import { createRegistry } from "@tercel/interceptors/metrics";
import { parse } from "valibot";
import type { Opened, Provider, ProviderHost } from "../../src/provider.ts";

/** What a provider is opened with, without a service. */
export function testHost(more: Partial<ProviderHost> = {}): ProviderHost {
  return {
    name: "main",
    service: "test-service",
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: createRegistry(),
    clock: systemClock,
    signal: new AbortController().signal,
    ...more,
  };
}

/** The provider of that type, by its name or an alias. */
export function providerOf(providers: readonly Provider[], type: string): Provider {
  const found = providers.find((one) => one.type === type || one.aliases?.includes(type));
  if (found === undefined) throw new Error(`no provider ${type}`);
  return found;
}

/** Opens a provider as the service does: with an entry of the configuration that its schema has checked. */
export async function openEntry<Port>(
  provider: Provider,
  entry: object,
  host: ProviderHost = testHost(),
): Promise<Opened<unknown, Port>> {
  return (await provider.open(parse(provider.config, entry), host)) as Opened<unknown, Port>;
}
