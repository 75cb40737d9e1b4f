import type { Needs } from "../kit/definition/definition.ts";

/** Defaults for concerns that a test's configuration does not mention: real providers in memory. */
const inMemory: Readonly<Record<string, { readonly type: string; readonly [key: string]: unknown }>> = {
  database: { type: "sqlite", path: ":memory:" },
  cache: { type: "memory" },
  events: { type: "memory" },
};

/** Returns the configuration of a test, with an in-memory entry for every need of an unmentioned concern. */
export function testConfig(needs: Needs, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const added: Record<string, { providers: Record<string, unknown>; default?: string }> = {};
  for (const { concern, provider } of Object.values(needs)) {
    const entry = inMemory[concern];
    if (entry === undefined || Object.hasOwn(config, concern)) continue;
    const name = provider ?? entry.type;
    const section = added[concern] ?? { providers: {} };
    section.providers[name] = entry;
    // Needs without a name use the default entry.
    added[concern] = provider === undefined ? { ...section, default: name } : section;
  }
  return { ...added, ...config };
}
