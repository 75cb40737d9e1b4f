import { create, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createReflectionClient } from "@tercel/grpc/services";
import { messageTemplate } from "../describe/message-template.ts";
import { ownRequestId } from "./output/log-text.ts";

/** A call to show as an example. */
export interface CallExample {
  /** `user.v1.UserService/ListUsers` */
  readonly method: string;
  /** Value of `-d`; undefined for an empty message. */
  readonly data: string | undefined;
  readonly needsToken: boolean;
}

/** Services that the kit adds to every service. */
const infrastructure = /^grpc\.(?:health|reflection|channelz)\.|^tercel\.(?:discovery|events)\./;
/** Names of read-only methods, by convention (AIP-131, AIP-132). */
const readingName = /^(?:List|Search|Get|Find|Count|Check|Describe)[A-Z]/;
/** Only a method that never responds takes this long. Nothing waits for it, and a first call takes seconds on a busy machine. */
const tryTimeoutMs = 30_000;
/** Limit on the calls to try: a start should not cause a burst of calls. */
const maxTries = 4;

/**
 * Finds a call that works, by making it: a read-only method with an empty message, and with a token if it requires one. If the service has
 * none, returns a method that may change data with a message to fill in, without calling it.
 *
 * @param token for methods that require one; undefined if none can be signed
 */
export async function findCallExample(
  transport: Transport,
  token: string | undefined,
  signal: AbortSignal,
): Promise<CallExample | undefined> {
  const services = await ownServices(transport, signal);
  const unary = services.flatMap(({ methods }) => methods.filter(({ methodKind }) => methodKind === "unary"));
  for (const method of unary.filter(isReading).sort(listsFirst).slice(0, maxTries)) {
    const found = await tryEmpty(transport, method, token, signal);
    if (found !== undefined) return found;
  }
  const [method] = [...unary, ...services.flatMap(({ methods }) => methods)];
  if (method === undefined) return undefined;
  return { method: nameOf(method), data: JSON.stringify(messageTemplate(method.input)), needsToken: false };
}

async function ownServices(transport: Transport, signal: AbortSignal): Promise<readonly DescService[]> {
  const client = createReflectionClient(transport);
  const options = { signal, timeoutMs: tryTimeoutMs };
  const names = (await client.listServices(options)).filter((name) => !infrastructure.test(name));
  const services: DescService[] = [];
  for (const name of names) {
    const service = (await client.findSymbol(name, options))?.getService(name);
    if (service !== undefined) services.push(service);
  }
  return services;
}

function isReading({ idempotency, name }: DescMethod): boolean {
  return idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS || readingName.test(name);
}

/** Sorts List methods first: they usually need no arguments. */
function listsFirst({ name: one }: DescMethod, { name: other }: DescMethod): number {
  return Number(other.startsWith("List")) - Number(one.startsWith("List"));
}

async function tryEmpty(
  transport: Transport,
  method: DescMethod,
  token: string | undefined,
  signal: AbortSignal,
): Promise<CallExample | undefined> {
  for (const bearer of token === undefined ? [undefined] : [undefined, token]) {
    const code = await callEmpty(transport, method, bearer, signal);
    if (code === undefined) return { method: nameOf(method), data: undefined, needsToken: bearer !== undefined };
    if (code !== Code.Unauthenticated && code !== Code.PermissionDenied) return undefined;
  }
  return undefined;
}

/** Calls a method with an empty message. Resolves to the status, or to undefined for OK. */
async function callEmpty(
  transport: Transport,
  method: DescMethod,
  bearer: string | undefined,
  signal: AbortSignal,
): Promise<Code | undefined> {
  const headers = new Headers({ "x-request-id": ownRequestId });
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  try {
    await transport.unary(
      method as DescMethod & { methodKind: "unary" },
      signal,
      tryTimeoutMs,
      headers,
      create(method.input),
    );
    return undefined;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}
