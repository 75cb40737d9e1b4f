import {
  create,
  type DescMessage,
  type DescService,
  isMessage,
  type Message,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { CompilationError, createValidator, type Validator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { type FieldViolation, internal, invalidArgument, withCommonDetails } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { type ByMethod, createMethodTable } from "../call/method-selector.ts";
import { flag, logOption, type OptionsOf, own, readOptions, servicesOption, withMethods } from "../call/options.ts";
import { compileQuickCheck, type QuickCheck } from "./quick-check.ts";
import { RuleTranslation } from "./translate-rules.ts";

export const validationOptions = {
  /** Services whose rules are compiled immediately, so that an invalid rule is found at the start. Default: none. */
  services: servicesOption().or([]),
  /**
   * False for methods whose requests are not checked here, because their handlers do it, for example item by item. Default: all are checked.
   */
  methods: own<ByMethod<false>>("an object with false by method").or({}),
  /** Extensions with your own predefined rules, and the types that an Any may contain. Default: none. */
  registry: withMethods<Registry>("a registry of protobuf-es", "getMessage"),
  /** Whether errors also have a common.v1.ValidationError with the violations. Default false. */
  commonDetails: flag().or(false),
  /** Receives an error for a rule that cannot be applied; the request fails with INTERNAL. Default: standard error. */
  log: logOption(),
};

export type ValidationOptions = OptionsOf<typeof validationOptions>;

interface MessageRules {
  readonly schema: DescMessage;
  readonly isSurelyFine: QuickCheck | undefined;
}

const where = "createValidation";

/** Peers commonly accept 8 to 16 KiB of trailers, and both forms of the details must fit into them as base64. */
const maxListedBytes = 2048;
/** Paths contain map keys, which the client chooses. */
const maxTextChars = 200;

/**
 * Creates an interceptor that checks requests against the rules in their proto: those of protovalidate (buf/validate/validate.proto) and
 * those of protoc-gen-validate (validate/validate.proto). An invalid request fails with INVALID_ARGUMENT and a google.rpc.BadRequest that
 * names the fields; a stream fails at its first invalid message. If a rule cannot be applied, the request fails with INTERNAL.
 *
 * For servers. On a client, it saves the round trip: invalid requests are not sent. It needs the package `@bufbuild/protovalidate`.
 *
 * @throws TypeError for an unknown option, and for rules of the `services` that cannot be compiled
 */
export function createValidation(options: ValidationOptions = {}): Interceptor {
  const { services, methods, registry, commonDetails, log } = readOptions(where, validationOptions, options);
  const unchecked = createMethodTable(where, "methods", methods);
  const rules = createRules(registry, log);
  compileAll(services, rules);

  return createHookedInterceptor({
    onRequest(request, _state, message) {
      if (unchecked.find(request.method) !== undefined) return;
      const { input } = request.method;
      const broken = rules.broken(
        input,
        isMessage(message) ? message : create(input, message as Record<string, unknown>),
      );
      if (broken.length === 0) return;
      const error = invalidArgument({ ...describe(broken) });
      throw commonDetails ? withCommonDetails(error) : error;
    },
  });
}

/** Returns the violations of a message's rules, in the order of its fields; none for a valid message. */
export type MessageCheck = <Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
) => readonly (FieldViolation & { readonly reason: string })[];

/**
 * Creates the same check for handlers that use the result themselves, for example for the items of a batch, or for an update with a field
 * mask. Set such methods to false in `methods` of `createValidation`. The check throws INTERNAL for a rule that cannot be applied.
 *
 * @throws TypeError for an unknown option
 */
export function createMessageCheck(options: Pick<ValidationOptions, "registry" | "log"> = {}): MessageCheck {
  const { registry: registryOption, log: logOfOptions } = validationOptions;
  const table = { registry: registryOption, log: logOfOptions };
  const { registry, log } = readOptions("createMessageCheck", table, options);
  const rules = createRules(registry, log);
  return (schema, message) => rules.broken(schema, message).map(toFieldViolation);
}

interface Rules {
  readonly validator: Validator;
  schemaOf(message: DescMessage): DescMessage;
  broken(schema: DescMessage, message: Message): readonly Violation[];
}

/** Creates the rules, which are compiled once for each message type. */
function createRules(registry: Registry | undefined, given: Log | undefined): Rules {
  const log = safeLog(given);
  const validator = createValidator(registry === undefined ? {} : { registry });
  const translation = new RuleTranslation();
  const rulesOf = new WeakMap<DescMessage, MessageRules>();

  function compiled(message: DescMessage): MessageRules {
    let rules = rulesOf.get(message);
    if (rules === undefined) {
      const schema = translation.translated(message);
      rules = { schema, isSurelyFine: compileQuickCheck(schema) };
      rulesOf.set(message, rules);
    }
    return rules;
  }

  return {
    validator,
    schemaOf: (message) => compiled(message).schema,
    broken(input, message) {
      const { schema, isSurelyFine } = compiled(input);
      if (isSurelyFine?.(message) === true) return [];
      const result = validator.validate(schema, message);
      if (result.kind === "valid") return [];
      if (result.kind === "invalid") return result.violations;
      log.error("cannot apply the rules of a message", { type: input.typeName, error: thrownText(result.error) });
      throw internal({ message: "the request could not be checked", cause: result.error });
    },
  };
}

function compileAll(services: readonly DescService[], { validator, schemaOf }: Rules): void {
  for (const { input } of services.flatMap(({ methods }) => methods)) {
    const schema = schemaOf(input);
    const { error } = validator.validate(schema, create(schema));
    if (error instanceof CompilationError) {
      throw new TypeError(`${where}: the rules of ${input.typeName} are invalid: ${error.message}`, { cause: error });
    }
  }
}

/** Returns the error's text and as many violations as fit. */
function describe(violations: readonly Violation[]): { message: string; violations: FieldViolation[] } {
  const listed: FieldViolation[] = [];
  let bytes = 0;
  for (const one of violations) {
    const violation = toFieldViolation(one);
    bytes += Buffer.byteLength(violation.field + violation.description + violation.reason);
    if (bytes > maxListedBytes && listed.length > 0) break;
    listed.push(violation);
  }
  const more = violations.length - 1;
  const first = listed[0] as FieldViolation;
  const text = `${first.field === "" ? "" : `${first.field}: `}${first.description}`;
  return { message: more > 0 ? `${text}; and ${more} more` : text, violations: listed };
}

function toFieldViolation({ field, message, ruleId }: Violation): FieldViolation & { readonly reason: string } {
  return {
    field: cut(pathToString(field)),
    description: cut(message === "" ? ruleId : message),
    // google.rpc.ErrorInfo requires UPPER_SNAKE_CASE.
    reason: ruleId
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, "_")
      .slice(0, 63),
  };
}

function cut(text: string): string {
  return text.length > maxTextChars ? `${text.slice(0, maxTextChars).toWellFormed()}…` : text.toWellFormed();
}
