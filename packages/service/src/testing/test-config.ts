import type { Needs } from "../kit/definition/definition.ts";

/** What a test gets for a concern that its configuration does not mention: the real thing, in memory. */
const inMemory: Readonly<Record<string, { readonly type: string; readonly [key: string]: unknown }>> = {
  database: { type: "sqlite", path: ":memory:" },
  cache: { type: "memory" },
  events: { type: "memory" },
};

/** The configuration of a test, with an entry in memory for every need of a concern that it does not mention. Pure. */
export function testConfig(needs: Needs, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const added: Record<string, { providers: Record<string, unknown>; default?: string }> = {};
  for (const { concern, provider } of Object.values(needs)) {
    const entry = inMemory[concern];
    if (entry === undefined || Object.hasOwn(config, concern)) continue;
    const name = provider ?? entry.type;
    const section = added[concern] ?? { providers: {} };
    section.providers[name] = entry;
    // The one without a name is what needs without a name mean.
    added[concern] = provider === undefined ? { ...section, default: name } : section;
  }
  return { ...added, ...config };
}
