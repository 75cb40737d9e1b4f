import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import { defaultPorts, portsFor, type ServicePorts } from "./plan/service-ports.ts";

/** The ports in the record of a project. */
interface Neighbour {
  readonly grpc: number;
  readonly usesRegistry: boolean;
}

/**
 * Chooses the ports of a new service: the first that no service in a sibling folder uses, so that all can run on one machine.
 *
 * @param folder of the new service, absolute
 * @param wanted value of `--port`
 */
export function choosePorts(folder: string, usesRegistry: boolean, wanted?: number): ServicePorts {
  const neighbours = readNeighbours(folder);
  const taken = new Set(neighbours.map(({ grpc }) => grpc));
  let grpc = wanted ?? defaultPorts.grpc;
  while (wanted === undefined && taken.has(grpc)) grpc++;
  return portsFor(grpc, !usesRegistry || !neighbours.some((one) => one.usesRegistry));
}

function readNeighbours(folder: string): Neighbour[] {
  const parent = dirname(folder);
  if (!existsSync(parent)) return [];
  return globSync("*/tercel.yaml", { cwd: parent })
    .filter((file) => dirname(file) !== basename(folder))
    .flatMap((file) => readNeighbour(join(parent, file)));
}

/** Reads the record of a neighbour; ignores one that cannot be read. */
function readNeighbour(file: string): Neighbour[] {
  try {
    const { port = defaultPorts.grpc, with: chosen } = parse(readFileSync(file, "utf8")) as {
      readonly port?: unknown;
      readonly with?: { readonly discovery?: unknown };
    };
    return typeof port === "number" ? [{ grpc: port, usesRegistry: chosen?.discovery === "embedded" }] : [];
  } catch {
    return [];
  }
}
