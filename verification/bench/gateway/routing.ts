import { createRequire } from "node:module";
import { join } from "node:path";
import { parsePathTemplate } from "../../../packages/gateway/src/rules/path-template.ts";
import { readPathValues } from "../../../packages/gateway/src/rules/path-values.ts";
import { parseRequestPath } from "../../../packages/gateway/src/rules/request-path.ts";
import { type Route, RouteTree } from "../../../packages/gateway/src/rules/route-tree.ts";
import { median } from "../measure/statistics.ts";
import { NODE_PEERS_FOLDER } from "../paths.ts";
import { prepareNodePeers } from "../prepare.ts";
import { compare, type Figures, type SubjectFigures } from "./table.ts";

export const routingName = "route/10000";

const rules = 10_000;
const mostNs = 1000;
const batches = 20;
const lookupsPerBatch = 50_000;

/** Each has literals, two variables, and every tenth a verb. */
const resources = Array.from({ length: rules }, (_, at) => `resources${at}`);

type Lookup = (path: string) => unknown;

/** How much CPU time it takes to find a route among ten thousand, with the values of its variables. Fastify's router is next to it. */
export async function measureRouting(): Promise<Figures> {
  const makers: readonly [string, () => Lookup | Promise<Lookup>][] = [
    ["tercel", makeOwn],
    ["find-my-way", makeFindMyWay],
  ];
  const subjects: SubjectFigures[] = [];
  for (const [subject, make] of makers) {
    try {
      subjects.push({ subject, cost: measure(await make()) });
    } catch (error) {
      subjects.push({ subject, failure: (error as Error).message });
    }
  }
  return { unit: "ns of CPU time a lookup", mostCost: mostNs, subjects: compare(subjects, new Map(), "tercel") };
}

function measure(find: Lookup): number {
  const paths = resources.map((resource, at) => `/v1/projects/p${at}/${resource}/r${at % 7}`);
  const times: number[] = [];
  let next = 0;
  for (let batch = 0; batch < batches; batch++) {
    const before = process.cpuUsage();
    for (let count = 0; count < lookupsPerBatch; count++) {
      // A step that visits all of them, in no order that a processor could guess.
      next = (next + 7919) % rules;
      if (find(paths[next] as string) === undefined) throw new Error(`${paths[next]} was not found`);
    }
    const { user, system } = process.cpuUsage(before);
    times.push(((user + system) * 1000) / lookupsPerBatch);
  }
  return median(times.slice(batches / 2));
}

function makeOwn(): Lookup {
  const tree = new RouteTree<Route>();
  for (const [at, resource] of resources.entries()) {
    const verb = at % 10 === 0 ? ":cancel" : "";
    const source = `/v1/projects/{project}/${resource}/{id}`;
    tree.add({ httpMethod: "GET", template: parsePathTemplate(source), owner: resource });
    if (verb !== "") tree.add({ httpMethod: "POST", template: parsePathTemplate(source + verb), owner: resource });
  }
  return (path) => {
    const parsed = parseRequestPath(path);
    if ("problem" in parsed) return undefined;
    const found = tree.find("GET", parsed);
    if (found === undefined || "allowed" in found) return undefined;
    return readPathValues(found.route.template, parsed, found.verbLength);
  };
}

async function makeFindMyWay(): Promise<Lookup> {
  await prepareNodePeers();
  const require = createRequire(join(NODE_PEERS_FOLDER, "package.json"));
  const createRouter = require("find-my-way") as () => {
    on(method: string, path: string, handler: () => void): void;
    find(method: string, path: string): { readonly params: unknown } | null;
  };
  const router = createRouter();
  for (const resource of resources) router.on("GET", `/v1/projects/:project/${resource}/:id`, () => {});
  return (path) => router.find("GET", path)?.params;
}
