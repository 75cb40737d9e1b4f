import type { EngineName } from "./compression.ts";
import type { Engine } from "./engine.ts";

/** Knows which engines work on this machine. */
export interface EngineProbes {
  /** @throws FailureError ENGINE_MISSING that says what to install */
  require(engine: EngineName): Promise<void>;
}

/** Somebody who was told to install a package repeats the call right away. */
const goodForMs = 60_000;

/** Asks each engine for its version when it is needed; one that works is not asked again for a minute. */
export function createEngineProbes(
  engines: Readonly<Record<EngineName, Pick<Engine, "probe">>>,
  nowMs: () => number = () => performance.now(),
): EngineProbes {
  const goodUntilMs = new Map<EngineName, number>();
  return {
    async require(engine) {
      if ((goodUntilMs.get(engine) ?? Number.NEGATIVE_INFINITY) > nowMs()) return;
      await engines[engine].probe();
      goodUntilMs.set(engine, nowMs() + goodForMs);
    },
  };
}
