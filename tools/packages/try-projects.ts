// `npm run try:projects`: creates services with the packed command line, for every two values of different flags. It installs and tests each,
// starts it with the servers that it uses, and calls it with grpc-js. `npm run try:projects -- 3 7` tries some of them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type Client, credentials, Metadata, makeClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import {
  createEtcdServer,
  createNatsServer,
  createPostgresServer,
  createRedisServer,
  createServerProcess,
  findProgram,
  freePorts,
  type ServerProcess,
} from "@tercel/test-support/servers";
import { createPackedProject, runAsUser, userEnvironment } from "./packed-project.ts";
import { pairwise } from "./pairwise.ts";

/** The flags of tercel new, by their names without `--with-`, and whether there is a gateway. */
type Flags = Readonly<Record<string, string>>;

/** The names of the parts of a service. */
interface Names {
  readonly service: string;
  readonly type: string;
  readonly pascal: string;
  readonly pluralPascal: string;
  /** The names of fields in the contract. The plural, in camel case, is also a part of paths. */
  readonly field: string;
  readonly pluralField: string;
  readonly collection: string;
  readonly fields: Readonly<Record<string, string>>;
}

const services: readonly Names[] = [
  {
    service: "user-service",
    type: "user.v1.UserService",
    pascal: "User",
    pluralPascal: "Users",
    field: "user",
    pluralField: "users",
    collection: "users",
    fields: { name: "first", email: "first@example.com" },
  },
  {
    service: "order-item-service",
    type: "order_item.v1.OrderItemService",
    pascal: "OrderItem",
    pluralPascal: "OrderItems",
    field: "order_item",
    pluralField: "order_items",
    collection: "orderItems",
    fields: { name: "first", description: "the first one" },
  },
];

const root = dirname(dirname(import.meta.dirname));
const readyMs = 60_000;

/** A server that a service uses, and the variables with its address. */
interface Engine {
  readonly server: ServerProcess;
  readonly variables: Readonly<Record<string, string>>;
}

/** The servers, by the value of the flag that needs them. */
const engines: Readonly<Record<string, () => Promise<Engine>>> = {
  async postgres() {
    const server = await createPostgresServer();
    const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
    return { server, variables: { DATABASE_URL: url, TEST_DATABASE_URL: url } };
  },
  async redis() {
    const server = await createRedisServer();
    return { server, variables: { REDIS_URL: `redis://127.0.0.1:${server.port}` } };
  },
  async nats() {
    const server = await createNatsServer();
    return { server, variables: { NATS_URL: `nats://127.0.0.1:${server.port}` } };
  },
  async etcd() {
    const server = await createEtcdServer();
    return { server, variables: { ETCD_ENDPOINT: server.target } };
  },
  async consul() {
    const [http, dns, rpc, lan, wan, grpc] = await freePorts(6);
    const ports = { http, dns, server: rpc, serf_lan: lan, serf_wan: wan, grpc, grpc_tls: -1, https: -1 };
    const server = createServerProcess(() => ({
      program: findProgram("consul") ?? "consul",
      args: ["agent", "-dev", "-bind=127.0.0.1", "-log-level=info", `-hcl=${JSON.stringify({ ports })}`],
      readyTexts: ["Synced node info"],
    }));
    return { server, variables: { CONSUL_ADDRESS: `127.0.0.1:${http}` } };
  },
};

interface Tools {
  /** The command line, installed from its tarball. */
  readonly tercel: string;
  readonly tarballs: readonly string[];
}

/** The values of each flag, from the help. */
function readChoices(tercel: string): Readonly<Record<string, readonly string[]>> {
  const help = runAsUser(tercel, ["new", "--help"], tmpdir()).stdout.replaceAll(/\s+/g, " ");
  const flags = [...help.matchAll(/--with-(\w+) <type> [^(]*\(choices: ([^)]*)\)/g)].map(
    ([, name = "", values = ""]) => [name, [...values.matchAll(/"(\w+)"/g)].map(([, value = ""]) => value)] as const,
  );
  if (flags.length === 0) throw new Error(`no flag with choices in: ${help}`);
  return Object.fromEntries([...flags, ["gateway", ["no", "yes"]] as const]);
}

/** Checks the project of these flags. Throws an error if a step fails. */
async function tryProject(names: Names, flags: Flags, folder: string, { tercel, tarballs }: Tools): Promise<string> {
  const { gateway, ...choices } = flags;
  const chosen = Object.entries(choices).map(([concern, type]) => `--with-${concern}=${type}`);
  const whether = gateway === "yes" ? "--gateway" : "--no-gateway";
  runAsUser(tercel, ["new", names.service, ...chosen, whether, "--no-install", "--no-git"], folder);
  const project = join(folder, names.service);
  const npm = (...args: readonly string[]): string => runAsUser("npm", args, project, variables).stdout;
  const opened: Engine[] = [];
  let variables: Readonly<Record<string, string>> = {};
  try {
    for (const type of new Set(Object.values(flags))) {
      const open = engines[type];
      if (open === undefined) continue;
      const engine = await open();
      opened.push(engine);
      await engine.server.start();
      variables = { ...variables, ...engine.variables };
    }
    npm("install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs);
    npm("run", "generate", "--", "--descriptor-out", "all.binpb");
    npm("run", "check");
    const tests = /pass (\d+)$/m.exec(npm("test"));
    const called = await startAndCall(names, flags, project, { variables, tercel });
    return `${tests?.[1]} tests pass, ${called}`;
  } finally {
    await Promise.all(opened.map(({ server }) => server.dispose()));
  }
}

async function startAndCall(
  names: Names,
  flags: Flags,
  project: string,
  { variables, tercel }: { readonly variables: Readonly<Record<string, string>>; readonly tercel: string },
): Promise<string> {
  const [metrics, registry] = await freePorts(2);
  const settings = [
    "service.port=0",
    ...(flags.monitoring === "prometheus" ? [`monitoring.providers.prometheus.endpoint=127.0.0.1:${metrics}`] : []),
    ...(flags.discovery === "embedded" ? [`discovery.providers.embedded.target=127.0.0.1:${registry}`] : []),
  ];
  const service = spawn(process.execPath, ["src/main.ts", ...settings.flatMap((one) => ["--set", one])], {
    cwd: project,
    env: { ...userEnvironment(), ...variables },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(service, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  try {
    const address = await readyAddress(service);
    const token = flags.auth === "jwt" ? signToken(names, project, tercel) : undefined;
    const found = await callByGrpcJs(names, address, join(project, "all.binpb"), token);
    if (flags.gateway === "yes") await callByRest(names, address, found, token);
    if (flags.monitoring === "prometheus") await readMetrics(`http://127.0.0.1:${metrics}/metrics`);
    service.kill("SIGTERM");
    const [code, signal] = await ended;
    if (code !== 0) throw new Error(`ended with ${code ?? signal} after SIGTERM`);
    const others = [
      ...(flags.gateway === "yes" ? ["by REST"] : []),
      ...(flags.monitoring === "prometheus" ? ["with metrics"] : []),
    ];
    return ["called by grpc-js", ...others].join(", ");
  } finally {
    service.kill("SIGKILL");
    await ended;
  }
}

async function readyAddress(service: ChildProcess): Promise<string> {
  const timer = setTimeout(() => service.kill("SIGKILL"), readyMs);
  const printed: string[] = [];
  try {
    for await (const line of createInterface({ input: service.stdout ?? process.stdin })) {
      printed.push(line);
      const { message, address } = JSON.parse(line) as { readonly message?: string; readonly address?: string };
      if (message === "ready" && address !== undefined) {
        service.stdout?.resume();
        return address;
      }
    }
    throw new Error(`was not ready:\n${printed.join("\n")}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts it with the command in the README of the project. */
function signToken({ service }: Names, project: string, tercel: string): string {
  const keyFile = join(project, "development.key");
  const secret = /^ +secret: (.+)$/m.exec(readFileSync(join(project, "config/development.yaml"), "utf8"))?.[1] ?? "";
  writeFileSync(keyFile, Buffer.from(secret).toString("base64"));
  const args = ["token", "--key-file", keyFile, "--key-id", "configured", "--audience", service, "--role", "admin"];
  return runAsUser(tercel, args, project).stdout.trim();
}

/** Creates, gets, lists and watches an entity. Returns its id. */
async function callByGrpcJs(
  { type, field, pascal, pluralPascal, pluralField, fields }: Names,
  address: string,
  descriptors: string,
  token: string | undefined,
): Promise<string> {
  const packages = loadFileDescriptorSetFromBuffer(readFileSync(descriptors));
  const definition = packages[type] as unknown as ServiceDefinition;
  const GrpcClient = makeClientConstructor(definition, `${pascal}Service`);
  const client: Client & Record<string, unknown> = new GrpcClient(address, credentials.createInsecure()) as never;
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  type Fields = Readonly<Record<string, unknown>>;
  const call = (method: string, request: Fields): Promise<Fields> =>
    new Promise((resolve, reject) => {
      const run = client[method] as (
        request: Fields,
        metadata: Metadata,
        done: (e: unknown, r: Fields) => void,
      ) => void;
      run.call(client, request, metadata, (error, response) => (error ? reject(error as Error) : resolve(response)));
    });
  try {
    const created = (await call(`Create${pascal}`, fields))[field] as { readonly id: string };
    const found = (await call(`Get${pascal}`, { id: created.id }))[field] as Fields;
    if (found.name !== "first") throw new Error(`found ${JSON.stringify(found)}`);
    const listed = (await call(`List${pluralPascal}`, { page_size: 1000 }))[pluralField] as readonly Fields[];
    if (!listed.some(({ id }) => id === created.id)) throw new Error(`${created.id} is not listed`);
    const watch = client[`Watch${pascal}`] as (
      request: Fields,
      metadata: Metadata,
    ) => NodeJS.EventEmitter & { cancel(): void };
    const watched = watch.call(client, { id: created.id }, metadata);
    watched.on("error", () => {});
    const [first] = (await once(watched, "data")) as [Fields];
    watched.cancel();
    if ((first[field] as Fields).id !== created.id) throw new Error(`watched ${JSON.stringify(first)}`);
    return created.id;
  } finally {
    client.close();
  }
}

async function callByRest(
  { collection }: Names,
  address: string,
  id: string,
  token: string | undefined,
): Promise<void> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${address}/v1/${collection}/${id}`, { headers });
  const text = await response.text();
  if (response.status !== 200 || !text.includes(id)) throw new Error(`REST: ${response.status} ${text}`);
}

async function readMetrics(url: string): Promise<void> {
  const text = await (await fetch(url)).text();
  if (!/^grpc_server_requests_total\{.*status="OK".*\} \d+$/m.test(text)) throw new Error(`metrics:\n${text}`);
}

function textOf(flags: Flags): string {
  return Object.entries(flags)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

const chosen = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "tercel-projects-"));
try {
  const packed = createPackedProject(root, folder);
  const tools = {
    tercel: join(folder, "node_modules/.bin/tercel"),
    tarballs: packed.map(({ filename }) => join(folder, filename)),
  };
  const rows = pairwise(readChoices(tools.tercel));
  const wrong = chosen.find((number) => !(number >= 1 && number <= rows.length));
  if (wrong !== undefined) throw new Error(`unknown project ${wrong}: expected numbers from 1 to ${rows.length}`);
  const tried = rows
    .map((flags, at) => ({ flags, number: at + 1 }))
    .filter(({ number }) => chosen.length === 0 || chosen.includes(number));
  let passed = 0;
  for (const { flags, number } of tried) {
    const startedAtMs = performance.now();
    const place = join(folder, `${number}`);
    mkdirSync(place);
    let outcome: string;
    try {
      outcome = await tryProject(services[number % services.length] as Names, flags, place, tools);
      passed++;
    } catch (error) {
      outcome = `FAILED: ${(error as Error).message}`;
    }
    console.log(`${number} ${textOf(flags)}: ${outcome} (${((performance.now() - startedAtMs) / 1000).toFixed(0)} s)`);
    rmSync(place, { recursive: true });
  }
  console.log(`${passed} of ${tried.length} projects install, pass their tests, start and are called by grpc-js`);
  if (passed < tried.length) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
