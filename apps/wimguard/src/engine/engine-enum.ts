import { Engine } from "../gen/wimguard/v1/common_pb.ts";
import type { EngineName } from "./compression.ts";

const engineOfName: Readonly<Record<EngineName, Engine>> = {
  wim: Engine.WIM,
  tar: Engine.TAR,
  restic: Engine.RESTIC,
};

/** An engine as clients see it. */
export function toEngine(name: EngineName): Engine {
  return engineOfName[name];
}

/** The name of an engine that clients see; undefined for those that this release does not have. */
export function engineNameOf(engine: Engine): EngineName | undefined {
  return (Object.keys(engineOfName) as EngineName[]).find((name) => engineOfName[name] === engine);
}
