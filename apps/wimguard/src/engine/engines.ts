import type { EngineName } from "./compression.ts";
import type { Engine } from "./engine.ts";
import { createTarEngine } from "./tar/tar-engine.ts";
import { createWimEngine } from "./wim/wim-engine.ts";

/** The engines that this release has, by name. */
export const engines: Readonly<Record<EngineName, Engine>> = { tar: createTarEngine(), wim: createWimEngine() };
