import type { EngineName } from "./compression.ts";
import type { Engine } from "./engine.ts";
import { createResticEngine } from "./restic/restic-engine.ts";
import { createTarEngine } from "./tar/tar-engine.ts";
import { createWimEngine } from "./wim/wim-engine.ts";

/** The engines that this release has, by name. */
export const engines = {
  tar: createTarEngine(),
  wim: createWimEngine(),
  restic: createResticEngine(),
} as const satisfies Readonly<Record<EngineName, Engine>>;
