import { create, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createReflectionClient } from "@tercel/grpc/services";
import { messageTemplate } from "../describe/message-template.ts";
import { ownRequestId } from "./output/log-text.ts";

/** A call to show to a person. */
export interface CallExample {
  /** `user.v1.UserService/ListUsers` */
  readonly method: string;
  /** Of `-d`; undefined for an empty message. */
  readonly data: string | undefined;
  readonly needsToken: boolean;
}

/** What comes with every service, and is not what it is for. */
const infrastructure = /^grpc\.(?:health|reflection|channelz)\.|^tercel\.(?:discovery|events)\./;
/** Names of methods that change nothing, by their convention (AIP-131, AIP-132). */
const readingName = /^(?:List|Search|Get|Find|Count|Check|Describe)[A-Z]/;
/** Only for a method that never responds: nothing waits for this, and on a busy machine a first call takes seconds. */
const tryTimeoutMs = 30_000;
/** More are not tried: a start should not make a burst of calls. */
const maxTries = 4;

/**
 * Finds a call that works, by making it: a method that only reads, with an empty message, with a token where it asks for one. Where the service has
 * none, a method that may change something is shown with a message to fill in, and is not called.
 *
 * @param token for calls that ask for one; undefined where none can be made
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

/** Lists need nothing to be said, as a rule. */
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

/** Resolves to the status, and to undefined for OK. */
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
