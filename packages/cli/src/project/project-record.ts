import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nearestName } from "@tercel/grpc/internal";
import { type Document, isMap, isScalar, type Node, parseDocument } from "yaml";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { fileErrorReason } from "../frame/file-error.ts";
import { type JsonText, jsonFailure } from "../json/json-text.ts";
import type { ProjectPlan } from "../new/plan/project-plan.ts";
import { libraryEndings, serviceNames } from "../new/plan/service-names.ts";
import { type Choices, type Concern, choices, concerns } from "../new/plan/service-plan.ts";
import { defaultPorts, portsFor, type ServicePorts } from "../new/plan/service-ports.ts";
import { packageManagers } from "../new/plan/workspace-plan.ts";
import { sha256Of } from "./sha256.ts";

export const recordFile = "tercel.yaml";

/** What `tercel.yaml` says about a project. */
export interface ProjectRecord {
  /** The plan by which Tercel wrote it; its version is that of the template. */
  readonly plan: ProjectPlan;
  /** The hash of what Tercel wrote last, by path, of each file that it manages. */
  readonly managed: ReadonlyMap<string, string>;
  /** To be changed and written back with the comments that someone added. */
  readonly document: Document;
}

/**
 * Reads the record of the project in a folder.
 *
 * @throws CommandFailure when there is none, or with the place of what is wrong in it
 */
export function readRecord(folder: string): ProjectRecord {
  const source = readRecordFile(folder);
  const text: JsonText = { text: source, source: recordFile, line: 1, column: 1 };
  const document = parseDocument(source);
  const [error] = document.errors;
  if (error !== undefined) throw jsonFailure(text, error.pos[0], error.message.split(" at line")[0] ?? error.message);
  const fail: Fail = (path, message) => {
    const node = document.getIn(path, true) as Node | undefined;
    throw jsonFailure(text, node?.range?.[0] ?? 0, message);
  };
  const textAt = (path: readonly string[]): string => {
    const value = document.getIn(path);
    return typeof value === "string" || typeof value === "number"
      ? String(value)
      : fail(path, `${path.join(".")} is not set`);
  };
  const version = textAt(["version"]);
  if (version !== "1") fail(["version"], `version is ${version}; this program reads 1: npx tercel@latest`);
  const template = textAt(["template"]);
  if (!/^\d+\.\d+\.\d+/.test(template))
    fail(["template"], `template is ${JSON.stringify(template)}; a version of tercel is needed`);
  const plan = readPlan(document, { name: textAt(["name"]), type: textAt(["type"]), version: template }, fail);
  return { plan, managed: readManaged(document), document };
}

interface PlanHead {
  readonly name: string;
  readonly type: string;
  readonly version: string;
}

function readPlan(document: Document, { name, type, version }: PlanHead, fail: Fail): ProjectPlan {
  if (type === "workspace") {
    const manager = packageManagers.find((one) => one === document.get("manager"));
    return manager === undefined
      ? fail(["manager"], `manager must be one of ${packageManagers.join(", ")}`)
      : { type, name, manager, version };
  }
  if (type === "library") return { type, names: serviceNames(name, libraryEndings), version };
  if (type !== "grpc") return fail(["type"], `type is ${JSON.stringify(type)}; known are grpc, library, workspace`);
  return {
    type,
    names: serviceNames(name),
    with: readChoices(document, fail),
    version,
    hasGateway: document.get("gateway") === true,
    ports: readPorts(document, fail),
  };
}

type Fail = (path: readonly string[], message: string) => never;

function readChoices(document: Document, fail: Fail): Choices {
  const entries = concerns.map((concern) => {
    const known: readonly string[] = choices[concern];
    const value = document.getIn(["with", concern]);
    // One that an older template did not know.
    if (value === undefined) return [concern, "none"] as const;
    if (!known.includes(String(value))) {
      const nearest = nearestName(String(value), known);
      const hint = nearest === undefined ? `known are ${known.join(", ")}` : `did you mean ${nearest}?`;
      fail(["with", concern], `with.${concern} is ${JSON.stringify(value)}; ${hint}`);
    }
    return [concern, String(value)] as const;
  });
  return Object.fromEntries(entries) as unknown as Choices;
}

function readPorts(document: Document, fail: Fail): ServicePorts {
  const port = document.get("port") ?? defaultPorts.grpc;
  const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;
  if (!isPort) return fail(["port"], `port is ${JSON.stringify(port)}; a number from 1 to 65535 is needed`);
  return portsFor(port, document.get("hosts_registry") !== false);
}

function readManaged(document: Document): ReadonlyMap<string, string> {
  const node = document.get("managed");
  if (!isMap(node)) return new Map();
  return new Map(
    node.items.flatMap(({ key, value }) =>
      isScalar(key) && isScalar(value) ? [[String(key.value), String(value.value)]] : [],
    ),
  );
}

function readRecordFile(folder: string): string {
  try {
    return readFileSync(join(folder, recordFile), "utf8");
  } catch (error) {
    throw new CommandFailure(exitCodes.notFound, `cannot read ${recordFile}: ${fileErrorReason(error)}`, {
      hint: "run it in the folder of a project that tercel new has made",
      cause: error,
    });
  }
}

/** What has changed in a record. */
export interface RecordChanges {
  readonly template: string;
  readonly with?: Partial<Record<Concern, string>>;
  readonly gateway?: boolean;
  readonly hostsRegistry?: boolean;
  /** What Tercel writes now into the files that it manages. */
  readonly managed: ReadonlyMap<string, string>;
}

/** The text of `tercel.yaml` after a change. What else is in it, comments for one, stays. */
export function changedRecord({ document }: ProjectRecord, changes: RecordChanges): string {
  const changed = document.clone() as Document;
  changed.setIn(["template"], changes.template);
  for (const [concern, type] of Object.entries(changes.with ?? {})) changed.setIn(["with", concern], type);
  if (changes.gateway !== undefined) changed.set("gateway", changes.gateway);
  // Where nothing is said, it does.
  if (changes.hostsRegistry === false) changed.set("hosts_registry", false);
  changed.set("managed", Object.fromEntries([...changes.managed].map(([path, text]) => [path, sha256Of(text)])));
  // A hash is longer than the line that the writer would break.
  return changed.toString({ lineWidth: 0 });
}
